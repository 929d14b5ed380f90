// The HTTP server over the simulated network: syntax, pipelining, limits, deadlines.
#include "io/asio/http_server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/sim/sim_world.h"

namespace milena::io {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::uint16_t kPort = 9021;

Task<HttpResponse> echo(HttpRequest request) {
  HttpResponse response(200, fmt::format("{} {} x={} host={} body={}", request.method, request.path, request.query["x"],
                                         request.header("host"), request.body));
  co_return response;
}

struct Talk {
  std::string received;
  bool ended = false;
  Instant ended_at;
};

Task<void> listen_to(Stream* stream, Talk* talk, Loop* loop) {
  std::uint8_t block[512];
  while (true) {
    auto got = co_await stream->read_some(block);
    if (got.failed() || *got == 0) break;
    talk->received.append(reinterpret_cast<const char*>(block), *got);
  }
  talk->ended = true;
  talk->ended_at = loop->now();
}

class Client {
 public:
  explicit Client(Loop& loop) : loop_(loop) {}
  static Task<void> run(Client* self, std::string host, std::vector<std::string> pieces, Duration pause) {
    Endpoint server{host, kPort};
    auto stream = co_await self->loop_.net().connect(server);
    CHECK(stream.has_value(), "{}", stream.error().what);
    self->stream_ = std::move(*stream);
    self->loop_.spawn(listen_to(self->stream_.get(), &self->talk, &self->loop_));
    for (const std::string& piece : pieces) {
      ByteView view(reinterpret_cast<const std::uint8_t*>(piece.data()), piece.size());
      ByteView views[] = {view};
      auto written = co_await self->stream_->write(views);
      if (written.failed()) break;
      if (pause > Duration::zero()) co_await sleep_for(self->loop_, pause);
    }
    self->sent = true;
  }
  void close() { stream_->close(); }
  Talk talk;
  bool sent = false;

 private:
  Loop& loop_;
  std::unique_ptr<Stream> stream_;
};

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServerTest() : world_(11) {
    SimNodeOptions node;
    node.name = "server";
    node.perfect_clock = true;
    server_node_ = &world_.add_node(node);
    node.name = "client";
    client_node_ = &world_.add_node(node);
  }
  void serve(HttpHandler handler = echo, HttpLimits limits = {}) {
    Loop& loop = server_node_->runtime().control_loop();
    server_node_->spawn(start(this, &loop, std::move(handler), limits));
    ASSERT_TRUE(world_.run_until([this] { return server_ != nullptr; }, 10s));
  }
  static Task<void> start(HttpServerTest* self, Loop* loop, HttpHandler handler, HttpLimits limits) {
    Endpoint at{self->server_node_->address(), kPort};
    auto listener = loop->net().listen(at);
    CHECK(listener.has_value(), "{}", listener.error().what);
    self->server_ = std::make_unique<HttpServer>(*loop, std::move(*listener), std::move(handler), limits);
    co_return;
  }
  Client& connect(std::vector<std::string> pieces, Duration pause = Duration::zero()) {
    Loop& loop = client_node_->runtime().control_loop();
    clients_.push_back(std::make_unique<Client>(loop));
    Client& client = *clients_.back();
    client_node_->spawn(Client::run(&client, server_node_->address(), std::move(pieces), pause));
    return client;
  }
  // What the server said until it closed the connection.
  std::string until_closed(Client& client) {
    EXPECT_TRUE(world_.run_until([&] { return client.talk.ended; }, 300s)) << client.talk.received;
    return client.talk.received;
  }
  std::string answer(std::vector<std::string> pieces, Duration pause = Duration::zero()) {
    return until_closed(connect(std::move(pieces), pause));
  }

  SimWorld world_;
  SimNode* server_node_ = nullptr;
  SimNode* client_node_ = nullptr;
  std::unique_ptr<HttpServer> server_;
  std::vector<std::unique_ptr<Client>> clients_;
};

TEST_F(HttpServerTest, answers_a_request_in_one_piece_and_in_many) {
  serve();
  std::string request = "GET /a%41?x=y HTTP/1.1\r\nHost: me\r\nConnection: close\r\n\r\n";
  std::string whole = answer({request});
  EXPECT_THAT(whole, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(whole, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(whole, EndsWith("\r\n\r\nGET /aA x=y host=me body="));
  std::vector<std::string> bytes;
  for (char c : request) bytes.emplace_back(1, c);
  EXPECT_EQ(answer(bytes, 1ms), whole);
}

TEST_F(HttpServerTest, takes_bodies_of_both_kinds) {
  serve();
  EXPECT_THAT(answer({"POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhe", "llo"}),
              EndsWith("body=hello"));
  EXPECT_THAT(answer({"POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
                      "3\r\nabc\r\n", "2;ext=1\r\nde\r\n0\r\n\r\n"}),
              EndsWith("body=abcde"));
  EXPECT_THAT(answer({"POST /p HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n"
                      "Connection: close\r\n\r\n", "z"}, 100ms),
              AllOf(StartsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"), EndsWith("body=z")));
}

TEST_F(HttpServerTest, answers_head_without_a_body) {
  serve();
  EXPECT_THAT(answer({"HEAD /h HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"}),
              AllOf(HasSubstr("Content-Length: 23\r\n"), EndsWith("\r\n\r\n")));
}

TEST_F(HttpServerTest, keeps_the_connection_as_the_version_has_it) {
  serve();
  EXPECT_THAT(answer({"GET /old HTTP/1.0\r\n\r\n"}), HasSubstr("Connection: close"));
  EXPECT_THAT(answer({"GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"}), HasSubstr("Connection: keep-alive"));
}

TEST_F(HttpServerTest, answers_pipelined_requests_in_order) {
  serve();
  std::string all;
  for (int i = 0; i < 50; ++i) all += fmt::format("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", i);
  all += "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
  std::string said = answer({all});
  std::size_t at = 0;
  for (int i = 0; i < 50; ++i) {
    at = said.find(fmt::format("GET /{} ", i), at);
    ASSERT_NE(at, said.npos) << i;
  }
  EXPECT_NE(said.find("GET /last", at), said.npos);
}

TEST_F(HttpServerTest, refuses_what_is_not_http) {
  serve();
  for (const char* nonsense : {"\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n", "hello\r\n\r\n", "GET /\r\n\r\n",
                               "GET / HTTP/1.1\r\nNo colon\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n",
                               "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"}) {
    EXPECT_THAT(answer({nonsense}), AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("Connection: close"))) << nonsense;
  }
  EXPECT_THAT(answer({"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}), StartsWith("HTTP/1.1 505 "));
}

TEST_F(HttpServerTest, bounds_what_it_takes_in) {
  serve();
  std::string huge(200'000, 'a');
  EXPECT_THAT(answer({"GET / HTTP/1.1\r\nX: " + huge}), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(answer({"GET /" + huge + " HTTP/1.1\r\n"}), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(answer({"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 65537\r\n\r\n"}), StartsWith("HTTP/1.1 413 "));
  std::string chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 20; ++i) chunked += "1000\r\n" + std::string(0x1000, 'c') + "\r\n";
  EXPECT_THAT(answer({chunked}), StartsWith("HTTP/1.1 413 "));
  // A chunk's extension that never ends fits no limit of the body.
  std::string said = answer({"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;" + huge});
  EXPECT_THAT(said, Not(HasSubstr("200 OK")));
}

TEST_F(HttpServerTest, ends_a_request_that_takes_too_long) {
  serve();
  Instant began = world_.now();
  std::vector<std::string> slow(100, "X: y\r\n");  // a second each
  slow.insert(slow.begin(), "GET / HTTP/1.1\r\n");
  Client& client = connect(slow, 1s);
  EXPECT_THAT(until_closed(client), StartsWith("HTTP/1.1 408 "));
  EXPECT_LT(world_.now() - began, 12s);
  began = world_.now();
  EXPECT_EQ(answer({}), "");  // says nothing at all
  EXPECT_LT(world_.now() - began, 12s);
  began = world_.now();
  EXPECT_THAT(answer({"GET / HTTP/1.1\r\nHost: h\r\n\r\n"}), StartsWith("HTTP/1.1 200 "));  // and then nothing
  EXPECT_GT(world_.now() - began, 70s);
  EXPECT_LT(world_.now() - began, 80s);
}

TEST_F(HttpServerTest, closes_those_that_wait_longest_when_there_are_too_many) {
  HttpLimits limits;
  limits.connections = 10;
  serve(echo, limits);
  std::vector<Client*> idle;
  for (int i = 0; i < 10; ++i) idle.push_back(&connect({"GET / HTTP/1.1\r\nHost: h\r\n\r\n"}));
  ASSERT_TRUE(world_.run_until([&] { return server_->connections() == 10; }, 5s));
  world_.run_for(1s);
  EXPECT_THAT(answer({"GET /new HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"}), HasSubstr("GET /new"));
  world_.run_for(1s);
  std::size_t closed = 0;
  for (Client* client : idle) closed += client->talk.ended ? 1 : 0;
  EXPECT_EQ(closed, 1U);
  for (int i = 0; i < 300; ++i) connect({"GET / HT"});
  world_.run_for(1s);
  EXPECT_LE(server_->connections(), 10U);
  EXPECT_THAT(answer({"GET /still HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"}), HasSubstr("GET /still"));
  world_.run_for(300s);
  EXPECT_EQ(server_->connections(), 0U);
}

Task<HttpResponse> never(HttpRequest request, Loop* loop) {
  co_await sleep_for(*loop, std::chrono::hours(1));
  co_return HttpResponse(200, request.path);
}

TEST_F(HttpServerTest, closes_at_once_whatever_is_under_way) {
  Loop* loop = &server_node_->runtime().control_loop();
  serve([loop](HttpRequest request) { return never(std::move(request), loop); });
  Client& client = connect({"GET / HTTP/1.1\r\nHost: h\r\n\r\n"});
  world_.run_for(1s);
  EXPECT_EQ(server_->connections(), 1U);
  server_->close();
  EXPECT_EQ(until_closed(client), "");
  server_.reset();
  world_.run_for(std::chrono::hours(2));
}

TEST_F(HttpServerTest, survives_clients_that_leave_in_the_middle) {
  serve();
  for (const char* part : {"", "GET", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n1"}) {
    Client& client = connect({part});
    ASSERT_TRUE(world_.run_until([&] { return client.sent; }, 5s));
    client.close();
  }
  world_.run_for(5s);
  EXPECT_EQ(server_->connections(), 0U);
}

}  // namespace
}  // namespace milena::io
