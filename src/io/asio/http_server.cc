#include "io/asio/http_server.h"

#include <fmt/format.h>

#include <list>
#include <span>
#include <string>
#include <utility>

#include "io/asio/http_parser.h"
#include "io/timeout.h"

namespace milena::io {

namespace {

constexpr std::size_t kBlock = 4 << 10;
constexpr Duration kAcceptPause = 100ms;

struct Connection {
  std::unique_ptr<Stream> stream;
  std::string received;  // and not parsed yet
  bool answering = false;
  bool closing = false;
};

std::string head_of(const HttpResponse& response, bool keep_alive) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: {}\r\n",
                                 response.status, status_text(response.status), response.content_type,
                                 response.body.size(), keep_alive ? "keep-alive" : "close");
  for (const auto& [name, value] : response.headers) head += fmt::format("{}: {}\r\n", name, value);
  return head + "\r\n";
}

ByteView bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

struct HttpServer::State {
  State(Loop& own_loop, std::unique_ptr<Listener> own_listener, HttpHandler own_handler, HttpLimits own_limits)
      : loop(own_loop), listener(std::move(own_listener)), handler(std::move(own_handler)), limits(own_limits) {}

  Loop& loop;
  std::unique_ptr<Listener> listener;
  HttpHandler handler;
  HttpLimits limits;
  std::list<std::shared_ptr<Connection>> open;  // the one that has waited longest first
  bool closed = false;

  static Task<void> accept(std::shared_ptr<State> self);
  static Task<void> serve(std::shared_ptr<State> self, std::shared_ptr<Connection> connection);
  /// True: a whole request is in `parser`; false: the connection is to end.
  static Task<bool> receive(State* self, Connection* connection, HttpParser* parser, bool first);
  /// More bytes into connection->received. False: the end, or the deadline passed (then *late).
  static Task<bool> read_more(State* self, Connection* connection, Instant deadline, bool* late);
  static Task<bool> send(State* self, Connection* connection, std::string head, std::string body);
  static Task<void> refuse(State* self, Connection* connection, int status);
  void make_room();
  void to_back(const std::shared_ptr<Connection>& connection);
};

Task<void> HttpServer::State::accept(std::shared_ptr<State> self) {
  while (!self->closed) {
    auto socket = co_await self->listener->accept();
    if (self->closed) break;
    if (socket.failed()) {
      if (socket.error().kind == ErrorKind::kClosed) break;
      co_await sleep_for(self->loop, kAcceptPause);
      continue;
    }
    self->make_room();
    auto connection = std::make_shared<Connection>();
    connection->stream = self->loop.net().adopt(std::move(*socket));
    self->open.push_back(connection);
    self->loop.spawn(serve(self, std::move(connection)));
  }
}

// Those that are being answered are left alone, unless all are.
void HttpServer::State::make_room() {
  if (open.size() < limits.connections) return;
  auto victim = open.begin();
  for (auto it = open.begin(); it != open.end(); ++it) {
    if ((*it)->answering || (*it)->closing) continue;
    victim = it;
    break;
  }
  (*victim)->closing = true;
  (*victim)->stream->close();
  open.erase(victim);  // its task ends on its own
}

void HttpServer::State::to_back(const std::shared_ptr<Connection>& connection) {
  if (connection->closing) return;
  open.remove(connection);
  open.push_back(connection);
}

Task<void> HttpServer::State::serve(std::shared_ptr<State> self, std::shared_ptr<Connection> connection) {
  bool first = true;
  while (!self->closed && !connection->closing) {
    HttpParser parser(self->limits);
    bool whole = co_await receive(self.get(), connection.get(), &parser, std::exchange(first, false));
    if (!whole || self->closed || connection->closing) break;
    bool keep_alive = parser.keep_alive();
    HttpRequest request;
    request.peer = connection->stream->peer();
    if (!parser.take(&request)) {
      co_await refuse(self.get(), connection.get(), 400);
      break;
    }
    bool head_only = request.method == "HEAD";
    connection->answering = true;
    HttpResponse response = co_await self->handler(std::move(request));
    std::string head = head_of(response, keep_alive);
    std::string body = std::move(response.body);
    if (head_only) body.clear();
    bool sent = co_await send(self.get(), connection.get(), std::move(head), std::move(body));
    connection->answering = false;
    if (!sent || !keep_alive) break;
    self->to_back(connection);
  }
  connection->stream->close();
  if (!std::exchange(connection->closing, true)) self->open.remove(connection);
}

Task<bool> HttpServer::State::receive(State* self, Connection* connection, HttpParser* parser, bool first) {
  // A connection that has just come has as long for its first byte as for a whole request.
  bool begun = !connection->received.empty();
  Duration patience = first || begun ? self->limits.request_time : self->limits.idle_time;
  Instant deadline = self->loop.now() + patience;
  // What comes in one piece must fit the parser's own limits; this bounds what it has not taken.
  std::size_t most = self->limits.header_bytes + self->limits.body_bytes + kBlock;
  while (true) {
    std::size_t used = 0;
    while ((used = parser->feed(bytes_of(connection->received))) > 0) connection->received.erase(0, used);
    if (parser->failure() == 0 && parser->done()) co_return true;
    if (parser->failure() == 0 && connection->received.size() > most) co_return false;
    if (parser->failure() != 0) {
      co_await refuse(self, connection, parser->failure());
      co_return false;
    }
    if (parser->wants_continue()) {
      bool sent = co_await send(self, connection, "HTTP/1.1 100 Continue\r\n\r\n", std::string());
      if (!sent) co_return false;
    }
    bool late = false;
    bool more = co_await read_more(self, connection, deadline, &late);
    if (more && !std::exchange(begun, true) && !first) deadline = self->loop.now() + self->limits.request_time;
    if (more) continue;
    if (late && begun) co_await refuse(self, connection, 408);
    co_return false;
  }
}

Task<bool> HttpServer::State::read_more(State* self, Connection* connection, Instant deadline, bool* late) {
  std::uint8_t block[kBlock];
  auto reading = connection->stream->read_some(MutableByteView(block, kBlock));
  auto got = co_await with_timeout(self->loop, deadline, std::move(reading));
  *late = !got.has_value();
  if (*late || got->failed() || **got == 0) co_return false;
  connection->received.append(reinterpret_cast<const char*>(block), **got);
  co_return true;
}

Task<bool> HttpServer::State::send(State* self, Connection* connection, std::string head, std::string body) {
  ByteView pieces[] = {bytes_of(head), bytes_of(body)};
  auto writing = connection->stream->write(std::span<const ByteView>(pieces, body.empty() ? 1 : 2));
  Instant deadline = self->loop.now() + self->limits.write_time;
  auto written = co_await with_timeout(self->loop, deadline, std::move(writing));
  co_return written.has_value() && written->has_value();
}

Task<void> HttpServer::State::refuse(State* self, Connection* connection, int status) {
  HttpResponse response(status, fmt::format("{}\n", status_text(status)));
  std::string head = head_of(response, false);
  co_await send(self, connection, std::move(head), std::move(response.body));
}

HttpServer::HttpServer(Loop& loop, std::unique_ptr<Listener> listener, HttpHandler handler, HttpLimits limits)
    : state_(std::make_shared<State>(loop, std::move(listener), std::move(handler), limits)) {
  loop.spawn(State::accept(state_));
}

HttpServer::~HttpServer() { close(); }

Endpoint HttpServer::local() const { return state_->listener->local(); }

std::size_t HttpServer::connections() const { return state_->open.size(); }

void HttpServer::close() {
  if (std::exchange(state_->closed, true)) return;
  state_->listener->close();
  for (const auto& connection : state_->open) connection->stream->close();
}

}  // namespace milena::io
