// What the simulated network does to connections: blocked links, cuts, half-open ends, machines that go away.
#include "io/sim/sim_net.h"

#include <gtest/gtest.h>

#include <optional>

#include "io/sim/sim_world.h"

namespace milena::io {
namespace {

// A server that sends back what it gets, and a client with one connection to it.
Task<void> echo(Loop* loop, std::unique_ptr<AcceptedSocket> socket) {
  auto stream = loop->net().adopt(std::move(socket));
  std::vector<std::uint8_t> buffer(64);
  while (true) {
    auto got = co_await stream->read_some(buffer);
    if (got.failed() || *got == 0) co_return;
    std::vector<ByteView> reply{ByteView(buffer.data(), *got)};
    auto written = co_await stream->write(reply);
    if (written.failed()) co_return;
  }
}

Task<void> serve(Loop* loop) {
  auto listener = loop->net().listen({"", 7});
  while (true) {
    auto accepted = co_await (*listener)->accept();
    if (accepted.failed()) co_return;
    loop->spawn(echo(loop, std::move(*accepted)));
  }
}

struct Client {
  std::unique_ptr<Stream> stream;
  std::optional<IoError> error;
  std::uint64_t echoed = 0;
};

Task<void> connect_client(Loop* loop, Client* client) {
  Endpoint server{"server", 7};
  auto stream = co_await loop->net().connect(server);
  if (stream.has_value()) {
    client->stream = std::move(*stream);
  } else {
    client->error = stream.error();
  }
}

// Sends a byte and waits for it.
Task<void> ping(Client* client) {
  std::vector<ByteView> pieces{as_bytes("p")};
  auto written = co_await client->stream->write(pieces);
  if (written.failed()) {
    client->error = written.error();
    co_return;
  }
  std::uint8_t buffer[4];
  auto got = co_await client->stream->read_some(buffer);
  if (got.failed()) {
    client->error = got.error();
  } else {
    client->echoed += *got;
  }
}

class SimNetTest : public ::testing::Test {
 protected:
  static std::shared_ptr<void> start(Runtime& runtime) {
    runtime.control_loop().spawn(serve(&runtime.control_loop()));
    return nullptr;
  }
  static SimNodeOptions server_options() {
    SimNodeOptions options;
    options.name = "server";
    options.program = start;
    return options;
  }
  void connect() {
    client_.spawn(connect_client(&client_.runtime().control_loop(), &state_));
    ASSERT_TRUE(world_.run_until([&] { return state_.stream != nullptr || state_.error; }, 200s));
  }
  // True when the echo came back within a second.
  bool pinged() {
    std::uint64_t before = state_.echoed;
    client_.spawn(ping(&state_));
    return world_.run_until([&] { return state_.echoed > before || state_.error; }, 1s) && !state_.error;
  }

  Client state_;  // outlived by the world's tasks, so before it; its stream is reset by TearDown
  SimWorld world_{42};
  SimNode& server_ = world_.add_node(server_options());
  SimNode& client_ = world_.add_node({});
  void TearDown() override { state_.stream.reset(); }
};

TEST_F(SimNetTest, nobody_listens_or_nobody_is_known) {
  world_.crash(server_, SimCrash::kKill);
  connect();
  EXPECT_EQ(state_.error->kind, ErrorKind::kRefused);
}

TEST_F(SimNetTest, a_blocked_link_holds_bytes_back_and_gives_them_later) {
  connect();
  ASSERT_TRUE(pinged());
  world_.net().block(1, 0);
  client_.spawn(ping(&state_));
  world_.run_for(10s);
  EXPECT_EQ(state_.echoed, 1u);
  world_.net().heal();
  EXPECT_TRUE(world_.run_until([&] { return state_.echoed == 2; }, 1s));
  EXPECT_GT(world_.mark_count("net.held_back"), 0u);
}

TEST_F(SimNetTest, connecting_over_a_blocked_link_waits_and_times_out) {
  world_.net().isolate(0);
  connect();
  ASSERT_TRUE(state_.error.has_value());
  EXPECT_EQ(state_.error->kind, ErrorKind::kTimeout);
  EXPECT_GE(world_.now().since_start(), Duration(127s));
}

TEST_F(SimNetTest, a_cut_resets_both_ends) {
  connect();
  ASSERT_TRUE(pinged());
  world_.net().cut(0, 1);
  EXPECT_FALSE(pinged());
  EXPECT_EQ(state_.error->kind, ErrorKind::kReset);
  world_.run_for(1s);
  EXPECT_EQ(server_.runtime().control_loop().live_tasks(), 1u) << "only the listener is left";
}

TEST_F(SimNetTest, half_a_cut_is_learned_by_sending) {
  connect();
  ASSERT_TRUE(pinged());
  world_.net().cut_half(0, 1);
  world_.run_for(10s);
  EXPECT_FALSE(state_.error.has_value()) << "silence tells nothing";
  EXPECT_FALSE(pinged());
  EXPECT_EQ(state_.error->kind, ErrorKind::kReset);
}

TEST_F(SimNetTest, a_killed_process_is_noticed_at_once) {
  connect();
  ASSERT_TRUE(pinged());
  std::optional<IoResult<std::size_t>> end;
  auto read = [](Stream* stream, std::optional<IoResult<std::size_t>>* into) -> Task<void> {
    std::uint8_t buffer[4];
    *into = co_await stream->read_some(buffer);
  };
  client_.spawn(read(state_.stream.get(), &end));
  world_.run_for(10ms);
  world_.crash(server_, SimCrash::kKill);
  ASSERT_TRUE(world_.run_until([&] { return end.has_value(); }, 1s));
  EXPECT_TRUE(end->failed() || end->value() == 0);
}

TEST_F(SimNetTest, a_machine_without_power_is_silent_until_it_is_back) {
  connect();
  ASSERT_TRUE(pinged());
  world_.crash(server_, SimCrash::kPowerLoss);
  client_.spawn(ping(&state_));
  world_.run_for(20s);
  EXPECT_FALSE(state_.error.has_value()) << "nobody is there to say no";
  world_.restart(server_);
  EXPECT_TRUE(world_.run_until([&] { return state_.error.has_value(); }, 1s));
  EXPECT_EQ(state_.error->kind, ErrorKind::kReset);
}

TEST_F(SimNetTest, closed_connections_are_forgotten) {
  connect();
  ASSERT_TRUE(pinged());
  EXPECT_EQ(world_.net().connections(), 1u);
  state_.stream.reset();
  world_.run_for(1s);
  EXPECT_EQ(world_.net().connections(), 0u);
}

}  // namespace
}  // namespace milena::io
