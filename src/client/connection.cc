#include "client/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "base/endian.h"
#include "io/signal.h"
#include "wire/apis/api_versions.h"

namespace milena::client {

namespace {

// One request that waits for its answer. Shared by its caller and the map of requests in flight; whichever
// goes first leaves the other unharmed.
struct Pending {
  explicit Pending(io::Loop& loop) : done(loop) {}
  io::Signal done;
  std::optional<ClientResult<Bytes>> answer;
};

}  // namespace

struct Connection::State : std::enable_shared_from_this<State> {
  State(io::Loop& on, io::Endpoint peer, ConnectionOptions how)
      : loop(on), to(std::move(peer)), options(std::move(how)), connected(on) {}

  io::Loop& loop;
  io::Endpoint to;
  ConnectionOptions options;
  io::Signal connected;
  bool abandoned = false;  // nobody waits for the connect any more
  std::optional<io::IoError> connect_failure;
  std::unique_ptr<io::Stream> stream;
  bool open = false;
  bool writing = false;
  std::int32_t last_correlation = 0;
  std::vector<Bytes> outgoing;
  std::map<std::int32_t, std::shared_ptr<Pending>> pending;

  // Ends the connection; what is in flight fails with `why`.
  void fail(const ClientError& why) {
    if (!open) return;
    open = false;
    stream->close();
    outgoing.clear();
    auto waiting = std::exchange(pending, {});
    for (auto& [correlation, request] : waiting) {
      request->answer = ClientResult<Bytes>(Err(why));
      request->done.notify_all();
    }
  }
  ClientError closed(std::string_view why) const {
    return {ErrorKind::kClosed, wire::ErrorCode::NONE,
            fmt::format("connection to {} {}", to_string(to), why)};
  }
  void answer(std::int32_t correlation, Bytes body) {
    auto found = pending.find(correlation);
    if (found == pending.end()) {
      if (correlation <= 0 || correlation > last_correlation)
        fail({ErrorKind::kMalformed, wire::ErrorCode::NONE,
              fmt::format("{} sent an answer to a request that was never made; is it a Kafka listener?",
                          to_string(to))});
      return;  // else its caller has given up
    }
    auto request = std::move(found->second);
    pending.erase(found);
    request->answer = ClientResult<Bytes>(std::move(body));
    request->done.notify_all();
  }
};

io::Task<void> Connection::connect(std::shared_ptr<State> state) {
  io::Endpoint to = state->to;
  auto stream = co_await state->loop.net().connect(std::move(to));
  if (state->abandoned) co_return;
  if (stream.failed()) {
    state->connect_failure = std::move(stream.error());
  } else {
    state->stream = std::move(*stream);
    state->open = true;
    state->loop.spawn(read_all(state));
  }
  state->connected.notify_all();
}

io::Task<ClientResult<std::shared_ptr<Connection>>> Connection::open(io::Loop* loop, io::Endpoint to,
                                                                     ConnectionOptions options) {
  auto state = std::make_shared<State>(*loop, std::move(to), std::move(options));
  Instant deadline = loop->now() + state->options.connect_timeout;
  loop->spawn(connect(state));
  bool in_time = co_await state->connected.wait(deadline);
  if (!in_time) {
    state->abandoned = true;
    co_return Err(connect_timeout(state->to, state->options.connect_timeout));
  }
  const auto& failure = state->connect_failure;
  if (failure.has_value()) co_return Err(connect_error(state->to, *failure));
  std::shared_ptr<Connection> connection(new Connection(state));
  auto negotiated = co_await connection->negotiate();
  if (negotiated.failed()) {
    ClientError error = std::move(negotiated.error());
    if (error.kind == ErrorKind::kClosed)
      error = {ErrorKind::kMalformed, wire::ErrorCode::NONE,
               fmt::format("{} closed the connection at the first request; is it a PLAINTEXT Kafka listener?",
                           to_string(state->to))};
    co_return Err(std::move(error));
  }
  co_return connection;
}

io::Task<ClientResult<void>> Connection::negotiate() {
  using Api = wire::ApiVersionsApi;
  std::int16_t version = Api::max_version;
  for (int attempt = 0; attempt < 2; ++attempt) {
    wire::ApiVersionsRequest request;
    request.client_software_name = "milena";
    request.client_software_version = "0.1.0";
    std::int32_t correlation = next_correlation();
    wire::Writer writer = begin_request<Api>(version, correlation);
    request.encode(writer, version);
    auto answer =
        co_await exchange(Api::name, correlation, std::move(writer), state_->options.connect_timeout);
    if (answer.failed()) co_return Err(std::move(answer.error()));
    bool refused = answer->size() >= 2 && load_be<std::int16_t>(answer->data()) ==
                                              wire::to_int16(wire::ErrorCode::UNSUPPORTED_VERSION);
    std::int16_t answer_version = version;
    if (refused) answer_version = 0;
    wire::Reader reader(std::move(*answer));
    wire::ApiVersionsResponse response;
    response.decode(reader, answer_version);
    if (!reader.ok()) co_return Err(malformed(Api::name, answer_version));
    versions_ = PeerVersions(response);
    if (!refused) {
      if (response.error_code != 0)
        co_return Err(broker_error(Api::name, wire::error_code_from(response.error_code)));
      co_return ClientResult<void>();
    }
    auto offered = versions_.find(Api::key);
    version = offered ? std::min(offered->max, Api::max_version) : std::int16_t{0};
  }
  co_return Err(ClientError{
      ErrorKind::kUnsupported, wire::ErrorCode::UNSUPPORTED_VERSION,
      fmt::format("{} serves no version of ApiVersions that it also accepts", to_string(state_->to))});
}

Connection::~Connection() {
  close();
}

bool Connection::is_open() const {
  return state_->open;
}
void Connection::close() {
  state_->fail(state_->closed("was closed by this side"));
}
const io::Endpoint& Connection::peer() const {
  return state_->to;
}
std::size_t Connection::in_flight() const {
  return state_->pending.size();
}
std::int32_t Connection::next_correlation() {
  if (state_->last_correlation == std::numeric_limits<std::int32_t>::max()) state_->last_correlation = 0;
  return ++state_->last_correlation;
}

ClientResult<std::int16_t> Connection::choose_version(const WantedApi& wanted) const {
  auto chosen = versions_.choose(wanted);
  if (chosen.failed())
    chosen.error().message = fmt::format("{}: {}", to_string(state_->to), chosen.error().message);
  return chosen;
}

wire::Writer Connection::begin_request(wire::RequestHeader header, std::int16_t header_version) const {
  header.client_id = state_->options.client_id;
  wire::Writer writer;
  header.encode(writer, header_version);
  return writer;
}

ClientError Connection::malformed(std::string_view api, std::int16_t version) {
  ClientError error{ErrorKind::kMalformed, wire::ErrorCode::NONE,
                    fmt::format("{} sent a malformed answer to {} version {}; is it a Kafka listener?",
                                to_string(state_->to), api, version)};
  state_->fail(error);
  return error;
}

io::Task<ClientResult<Bytes>> Connection::exchange(std::string_view api, std::int32_t correlation,
                                                   wire::Writer request, Duration timeout) {
  std::shared_ptr<State> state = state_;
  if (!request.ok())
    co_return Err(ClientError{ErrorKind::kUnsupported, wire::ErrorCode::INVALID_REQUEST,
                              fmt::format("the {} request has a value that its version cannot carry", api)});
  if (!state->open) co_return Err(state->closed("is closed"));
  Buffer size(4);
  size.resize(4);
  store_be<std::int32_t>(size.data(), static_cast<std::int32_t>(request.size()));
  state->outgoing.push_back(size.freeze());
  for (Bytes& piece : request.finish()) state->outgoing.push_back(std::move(piece));

  auto pending = std::make_shared<Pending>(state->loop);
  state->pending.emplace(correlation, pending);
  if (!state->writing) {
    state->writing = true;
    state->loop.spawn(write_all(state));
  }
  Duration patience = timeout == Duration::zero() ? state->options.request_timeout : timeout;
  bool answered = co_await pending->done.wait(state->loop.now() + patience);
  if (!answered) {
    state->pending.erase(correlation);
    co_return Err(ClientError{
        ErrorKind::kTimeout, wire::ErrorCode::NONE,
        fmt::format("{} did not answer {} within {} ms", to_string(state->to), api, to_ms(patience))});
  }
  co_return std::move(*pending->answer);  // NOLINT(bugprone-unchecked-optional-access) done: it is there
}

io::Task<void> Connection::write_all(std::shared_ptr<State> state) {
  while (state->open && !state->outgoing.empty()) {
    std::vector<Bytes> batch = std::exchange(state->outgoing, {});
    std::vector<ByteView> views(batch.begin(), batch.end());
    auto written = co_await state->stream->write(views);
    if (written.failed()) state->fail(state->closed(fmt::format("was lost: {}", written.error().what)));
  }
  state->writing = false;
}

namespace {

// Fills `into`. False: the peer has closed its side, or the stream failed.
io::Task<bool> read_exactly(io::Stream* stream, MutableByteView into, std::string* why) {
  while (!into.empty()) {
    auto got = co_await stream->read_some(into);
    if (got.failed()) *why = fmt::format("was lost: {}", got.error().what);
    if (got.failed() || *got == 0) co_return false;
    into = into.subspan(*got);
  }
  co_return true;
}

// A size that no answer has is often the first word of another protocol.
std::string what_was_sent(ByteView head, std::int32_t size) {
  bool text = std::all_of(head.begin(), head.end(), [](std::uint8_t c) { return c >= ' ' && c < 0x7f; });
  if (text) return fmt::format("text that begins with '{}'", as_text(head));
  return fmt::format("an answer of {} bytes", size);
}

}  // namespace

io::Task<void> Connection::read_all(std::shared_ptr<State> state) {
  std::string why = "was closed by the server";
  while (state->open) {
    std::uint8_t head[8];  // size, correlation id
    bool read = co_await read_exactly(state->stream.get(), MutableByteView(head), &why);
    if (!read) break;
    auto size = load_be<std::int32_t>(head);
    if (size < 4 || size > state->options.response_max) {
      state->fail({ErrorKind::kMalformed, wire::ErrorCode::NONE,
                   fmt::format("{} sent {}; is it a PLAINTEXT Kafka listener?", to_string(state->to),
                               what_was_sent(ByteView(head, 4), size))});
      co_return;
    }
    Buffer body;
    body.resize(static_cast<std::size_t>(size) - 4);
    read = co_await read_exactly(state->stream.get(), MutableByteView(body.data(), body.size()), &why);
    if (!read) break;
    state->answer(load_be<std::int32_t>(head + 4), body.freeze());
  }
  state->fail(state->closed(why));
}

}  // namespace milena::client
