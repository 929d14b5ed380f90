// The contract of Net, Stream and Listener, the same in every world.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "base/random.h"
#include "io/contract_world.h"
#include "io/signal.h"

namespace milena::io {
namespace {

struct Pair {
  std::unique_ptr<Listener> listener;
  std::unique_ptr<Stream> client;
  std::unique_ptr<Stream> server;
};

Task<Pair> connected(Loop* loop, Endpoint address) {
  Pair pair;
  auto listener = loop->net().listen(address);
  CHECK(listener.has_value(), "listen: {}", listener.error().what);
  pair.listener = std::move(*listener);
  Endpoint target = pair.listener->local();
  auto client = co_await loop->net().connect(target);
  CHECK(client.has_value(), "connect: {}", client.error().what);
  pair.client = std::move(*client);
  auto accepted = co_await pair.listener->accept();
  CHECK(accepted.has_value(), "accept: {}", accepted.error().what);
  pair.server = loop->net().adopt(std::move(*accepted));
  co_return pair;
}

std::vector<std::uint8_t> noise(std::size_t size) {
  Random random(7);
  std::vector<std::uint8_t> bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random.next());
  return bytes;
}

struct Received {
  std::vector<std::uint8_t> bytes;
  bool ended = false;
  std::optional<ErrorKind> failed;
};

// Reads to the end of the stream in pieces of `piece` bytes.
Task<void> read_all(Stream* stream, std::size_t piece, Received* into) {
  std::vector<std::uint8_t> buffer(piece);
  while (true) {
    auto got = co_await stream->read_some(buffer);
    if (got.failed()) {
      into->failed = got.error().kind;
      break;
    }
    if (*got == 0) break;
    into->bytes.insert(into->bytes.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*got));
  }
  into->ended = true;
}

Task<void> read_once(Stream* stream, std::optional<IoResult<std::size_t>>* result) {
  std::uint8_t buffer[16];
  *result = co_await stream->read_some(buffer);
}

Task<void> wait_for(Loop* loop, std::function<bool()> done) {
  while (!done()) co_await sleep_for(*loop, 1ms);
}

class Net : public ::testing::Test {
 protected:
  std::unique_ptr<ContractWorld> world_ = make_contract_world();
  Endpoint address_ = world_->address();
};

Task<void> gathered_write(Runtime* runtime, Endpoint address) {
  Loop& loop = runtime->control_loop();
  Pair pair = co_await connected(&loop, address);
  auto bytes = noise(1 << 20);
  std::vector<ByteView> pieces;  // more than one system call takes, empty ones between
  Random random(3);
  for (std::size_t at = 0; at < bytes.size();) {
    std::size_t size = std::min<std::size_t>(random.below(600), bytes.size() - at);
    pieces.emplace_back(bytes.data() + at, size);
    at += size;
  }
  EXPECT_GT(pieces.size(), 2048u);
  Received received;
  loop.spawn(read_all(pair.server.get(), 999, &received));
  auto written = co_await pair.client->write(pieces);
  EXPECT_TRUE(written.has_value());
  pair.client->close();
  auto ended = [&received] { return received.ended; };
  co_await wait_for(&loop, ended);
  EXPECT_EQ(received.failed, std::nullopt);
  EXPECT_TRUE(received.bytes == bytes);
}

TEST_F(Net, a_gathered_write_arrives_in_order_and_then_the_end) {
  EXPECT_TRUE(world_->run([this](Runtime* runtime) { return gathered_write(runtime, address_); }));
}

Task<void> slow_reader(Runtime* runtime, Endpoint address) {
  Loop& loop = runtime->control_loop();
  Pair pair = co_await connected(&loop, address);
  auto bytes = noise(32 << 20);
  bool written = false;
  auto write = [](Stream* stream, ByteView all, bool* done) -> Task<void> {
    std::vector<ByteView> pieces{all};
    auto result = co_await stream->write(pieces);
    EXPECT_TRUE(result.has_value());
    *done = true;
  };
  loop.spawn(write(pair.client.get(), bytes, &written));
  co_await sleep_for(loop, 50ms);
  EXPECT_FALSE(written) << "32 MiB fit in no socket buffer";
  Received received;
  loop.spawn(read_all(pair.server.get(), 1 << 16, &received));
  auto done = [&written] { return written; };
  co_await wait_for(&loop, done);
  pair.client->close();
  auto ended = [&received] { return received.ended; };
  co_await wait_for(&loop, ended);
  EXPECT_TRUE(received.bytes == bytes);
}

TEST_F(Net, a_write_waits_for_a_slow_reader) {
  EXPECT_TRUE(world_->run([this](Runtime* runtime) { return slow_reader(runtime, address_); }));
}

Task<void> close_wakes(Runtime* runtime, Endpoint address) {
  Loop& loop = runtime->control_loop();
  Pair pair = co_await connected(&loop, address);
  std::optional<IoResult<std::size_t>> own;
  std::optional<IoResult<std::size_t>> other;
  loop.spawn(read_once(pair.client.get(), &own));
  loop.spawn(read_once(pair.server.get(), &other));
  co_await sleep_for(loop, 5ms);
  EXPECT_FALSE(own.has_value());
  pair.client->close();
  pair.client->close();  // again: no effect
  EXPECT_FALSE(own.has_value()) << "completed inline";
  auto both = [&] { return own.has_value() && other.has_value(); };
  co_await wait_for(&loop, both);
  EXPECT_EQ(own->error().kind, ErrorKind::kClosed);
  EXPECT_EQ(other->value(), 0u);
  std::vector<ByteView> pieces{as_bytes("x")};
  auto late = co_await pair.client->write(pieces);
  EXPECT_EQ(late.error().kind, ErrorKind::kClosed);
}

TEST_F(Net, close_wakes_both_sides) {
  EXPECT_TRUE(world_->run([this](Runtime* runtime) { return close_wakes(runtime, address_); }));
}

Task<void> destroyed_stream(Runtime* runtime, Endpoint address) {
  Loop& loop = runtime->control_loop();
  Pair pair = co_await connected(&loop, address);
  std::optional<IoResult<std::size_t>> read;
  loop.spawn(read_once(pair.client.get(), &read));
  co_await sleep_for(loop, 5ms);
  pair.client.reset();
  auto done = [&read] { return read.has_value(); };
  co_await wait_for(&loop, done);
  EXPECT_EQ(read->error().kind, ErrorKind::kClosed);
}

TEST_F(Net, a_stream_may_be_destroyed_under_a_pending_read) {
  EXPECT_TRUE(world_->run([this](Runtime* runtime) { return destroyed_stream(runtime, address_); }));
}

Task<void> start_and_drop(Loop* loop, Stream* stream) {
  auto child = [](Loop* on, Stream* from) -> Task<void> {
    std::uint8_t buffer[4];
    auto got = co_await from->read_some(buffer);
    ADD_FAILURE() << "went on after it was dropped: " << got.has_value();
    co_await sleep_for(*on, 1ms);
  };
  co_await child(loop, stream);
}

Task<void> dropped_read(Runtime* runtime, Endpoint address) {
  Loop& loop = runtime->control_loop();
  Pair pair = co_await connected(&loop, address);
  {
    Task<void> reading = start_and_drop(&loop, pair.server.get());
    auto awaiter = std::move(reading).operator co_await();
    EXPECT_TRUE(awaiter.await_suspend(std::noop_coroutine()));  // it waits for bytes now
  }
  std::vector<ByteView> pieces{as_bytes("abcd")};
  auto written = co_await pair.client->write(pieces);
  EXPECT_TRUE(written.has_value());
  co_await sleep_for(loop, 5ms);
  std::uint8_t buffer[16];
  std::size_t total = 0;
  while (total < 4) {
    auto got = co_await pair.server->read_some(MutableByteView(buffer).subspan(total));
    if (got.failed() || *got == 0) break;
    total += *got;
  }
  EXPECT_EQ(as_text(ByteView(buffer, total)), "abcd") << "the dropped read took bytes with it";
}

TEST_F(Net, a_read_may_be_dropped_and_takes_nothing_with_it) {
  EXPECT_TRUE(world_->run([this](Runtime* runtime) { return dropped_read(runtime, address_); }));
}

Task<void> accept_once(Listener* listener, std::optional<ErrorKind>* failed) {
  auto accepted = co_await listener->accept();
  if (accepted.failed()) *failed = accepted.error().kind;
}

Task<void> listener_contract(Runtime* runtime, Endpoint address) {
  Loop& loop = runtime->control_loop();
  auto listener = loop.net().listen(address);
  EXPECT_TRUE(listener.has_value());
  Endpoint bound = (*listener)->local();
  EXPECT_NE(bound.port, 0);
  auto second = loop.net().listen(bound);
  EXPECT_TRUE(second.failed());
  if (second.failed()) {
    EXPECT_EQ(second.error().kind, ErrorKind::kAddressInUse);
  }
  std::optional<ErrorKind> failed;
  loop.spawn(accept_once(listener->get(), &failed));
  co_await sleep_for(loop, 5ms);
  (*listener)->close();
  auto done = [&failed] { return failed.has_value(); };
  co_await wait_for(&loop, done);
  EXPECT_EQ(failed, ErrorKind::kClosed);
  auto refused = co_await loop.net().connect(bound);
  EXPECT_TRUE(refused.failed());
  if (refused.failed()) {
    EXPECT_EQ(refused.error().kind, ErrorKind::kRefused);
  }
  auto again = loop.net().listen(bound);
  EXPECT_TRUE(again.has_value()) << "the port is free after close";
}

TEST_F(Net, a_listener_owns_its_port_until_closed) {
  EXPECT_TRUE(world_->run([this](Runtime* runtime) { return listener_contract(runtime, address_); }));
}

Task<std::string> greet_from(Loop* loop, AcceptedSocket* socket) {
  auto stream = loop->net().adopt(std::unique_ptr<AcceptedSocket>(socket));
  std::vector<ByteView> pieces{as_bytes("hello from another loop")};
  auto written = co_await stream->write(pieces);
  EXPECT_TRUE(written.has_value());
  co_return stream->local().host;
}

Task<void> adopt_elsewhere(Runtime* runtime, Endpoint address) {
  Loop& loop = runtime->control_loop();
  auto listener = loop.net().listen(address);
  Endpoint bound = (*listener)->local();
  auto client = co_await loop.net().connect(bound);
  EXPECT_EQ((*client)->peer(), bound);
  auto accepted = co_await (*listener)->accept();
  AcceptedSocket* socket = accepted->release();
  Loop* target = &runtime->data_loop(1);
  auto greet = [target, socket] { return greet_from(target, socket); };
  std::string host = co_await run_on(*target, greet);
  EXPECT_EQ(host, bound.host);
  Received received;
  co_await read_all(client->get(), 5, &received);
  EXPECT_EQ(as_text(received.bytes), "hello from another loop");
}

TEST_F(Net, an_accepted_connection_moves_to_another_loop) {
  EXPECT_TRUE(world_->run([this](Runtime* runtime) { return adopt_elsewhere(runtime, address_); }));
}

Task<void> send_file_contract(Runtime* runtime, Endpoint address, std::string folder) {
  Loop& loop = runtime->control_loop();
  Pair pair = co_await connected(&loop, address);
  auto bytes = noise(5 << 20);
  auto file = loop.disk().open(folder + "/sent", OpenMode::kCreate);
  EXPECT_TRUE((*file)->write_at(0, ByteView(bytes)).has_value());
  Received received;
  loop.spawn(read_all(pair.client.get(), 1 << 16, &received));
  std::uint64_t count = bytes.size() - 100;
  auto sent = co_await pair.server->send_file(**file, 100, count);
  EXPECT_TRUE(sent.has_value());
  auto beyond = co_await pair.server->send_file(**file, bytes.size(), 1);
  EXPECT_TRUE(beyond.failed());
  if (beyond.failed()) {
    EXPECT_EQ(beyond.error().kind, ErrorKind::kIo);
  }
  pair.server->close();
  auto ended = [&received] { return received.ended; };
  co_await wait_for(&loop, ended);
  EXPECT_EQ(received.bytes.size(), count);
  EXPECT_TRUE(std::equal(received.bytes.begin(), received.bytes.end(), bytes.begin() + 100));
}

TEST_F(Net, a_file_is_sent_from_an_offset) {
  std::string folder = world_->scratch();
  EXPECT_TRUE(
      world_->run([this, folder](Runtime* runtime) { return send_file_contract(runtime, address_, folder); }));
}

}  // namespace
}  // namespace milena::io
