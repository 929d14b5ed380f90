// Connection against a scripted broker in the simulated world.
#include "client/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/fake_broker.h"
#include "io/sim/sim_world.h"
#include "wire/apis/api_versions.h"
#include "wire/apis/heartbeat.h"
#include "wire/apis/metadata.h"

namespace milena::client {
namespace {

using ::testing::HasSubstr;

class ConnectionTest : public ::testing::Test {
 protected:
  ConnectionTest() {
    broker_.on<wire::HeartbeatApi>({0, 4}, [](std::int16_t, const wire::HeartbeatRequest& request) {
      wire::HeartbeatResponse response;
      response.throttle_time_ms = request.generation_id;
      return std::optional(response);
    });
    io::SimNodeOptions options;
    options.name = "server";
    options.program = [this](io::Runtime& runtime) {
      io::Loop& loop = runtime.control_loop();
      loop.spawn(broker_.serve(&loop, 9092));
      return std::shared_ptr<void>();
    };
    server_ = &world_.add_node(options);
    client_ = &world_.add_node({});
  }
  ~ConnectionTest() override { connection_.reset(); }

  static io::Task<void> open(ConnectionTest* test, ConnectionOptions options) {
    io::Endpoint to{"server", 9092};
    auto opened = co_await Connection::open(&test->client_->runtime().control_loop(), std::move(to), options);
    if (opened.has_value()) test->connection_ = *opened;
    if (opened.failed()) test->error_ = opened.error();
    test->opened_ = true;
  }
  void open(ConnectionOptions options = {}) {
    client_->spawn(open(this, options));
    ASSERT_TRUE(world_.run_until([this] { return opened_; }, 60s));
  }

  // One Heartbeat with `number`, which the broker sends back as its throttle time.
  static io::Task<void> beat(ConnectionTest* test, std::int32_t number, CallOptions options) {
    wire::HeartbeatRequest request;
    request.group_id = "g";
    request.generation_id = number;
    auto response = co_await test->connection_->call<wire::HeartbeatApi>(std::move(request), options);
    if (response.has_value()) test->answers_.push_back({number, response->throttle_time_ms});
    if (response.failed()) test->failures_.push_back(response.error());
  }
  void beat(std::int32_t number, CallOptions options = {}) { client_->spawn(beat(this, number, options)); }
  bool wait_for(std::size_t answers, std::size_t failures) {
    return world_.run_until([&] { return answers_.size() >= answers && failures_.size() >= failures; }, 120s);
  }

  FakeBroker broker_;
  io::SimWorld world_{7};
  io::SimNode* server_ = nullptr;
  io::SimNode* client_ = nullptr;
  std::shared_ptr<Connection> connection_;
  std::optional<ClientError> error_;
  bool opened_ = false;
  std::vector<std::pair<std::int32_t, std::int32_t>> answers_;
  std::vector<ClientError> failures_;
};

TEST_F(ConnectionTest, the_highest_common_version_is_used) {
  broker_.served[wire::HeartbeatApi::key] = {0, 3};
  open();
  beat(5);
  ASSERT_TRUE(wait_for(1, 0));
  EXPECT_EQ(answers_[0], std::pair(5, 5));
  EXPECT_EQ(broker_.seen.back(), std::pair(wire::HeartbeatApi::key, std::int16_t{3}));
}

TEST_F(ConnectionTest, an_older_api_versions_is_found_by_falling_back) {
  broker_.served[wire::ApiVersionsApi::key] = {0, 2};
  open();
  ASSERT_NE(connection_, nullptr) << error_->message;
  ASSERT_EQ(broker_.seen.size(), 2u);
  EXPECT_GT(broker_.seen[0].second, 2);
  EXPECT_EQ(broker_.seen[1].second, 2);
  beat(1);
  EXPECT_TRUE(wait_for(1, 0));
}

TEST_F(ConnectionTest, answers_out_of_order_reach_their_calls) {
  open();
  broker_.hold = true;
  broker_.held = 3;
  for (int i : {10, 20, 30}) beat(i);
  ASSERT_TRUE(wait_for(3, 0));
  EXPECT_EQ(answers_[0], std::pair(30, 30));
  EXPECT_EQ(answers_[2], std::pair(10, 10));
  EXPECT_EQ(broker_.connections, 1u);
}

TEST_F(ConnectionTest, a_needed_version_that_is_not_served_is_said_before_anything_is_sent) {
  broker_.served[wire::HeartbeatApi::key] = {0, 2};
  open();
  std::size_t seen = broker_.seen.size();
  beat(1, {.min_version = 3});
  ASSERT_TRUE(wait_for(0, 1));
  EXPECT_EQ(failures_[0].kind, ErrorKind::kUnsupported);
  EXPECT_THAT(failures_[0].message, HasSubstr("Heartbeat"));
  EXPECT_EQ(broker_.seen.size(), seen);
  EXPECT_TRUE(connection_->choose<wire::MetadataApi>().failed());
}

TEST_F(ConnectionTest, nobody_listens) {
  world_.crash(*server_, io::SimCrash::kKill);
  open();
  ASSERT_TRUE(error_.has_value());
  EXPECT_EQ(error_->kind, ErrorKind::kUnreachable);
  EXPECT_THAT(error_->message, HasSubstr("server:9092"));
}

TEST_F(ConnectionTest, no_answer_to_the_connect_within_the_timeout) {
  world_.net().isolate(0);
  Instant before = world_.now();
  ConnectionOptions options;
  options.connect_timeout = 3s;
  open(options);
  ASSERT_TRUE(error_.has_value());
  EXPECT_EQ(error_->kind, ErrorKind::kTimeout);
  EXPECT_LT(world_.now() - before, 4s);
}

TEST_F(ConnectionTest, a_late_answer_is_dropped_and_the_connection_goes_on) {
  open();
  world_.net().block(0, 1);
  beat(1, {.timeout = 2s});
  ASSERT_TRUE(wait_for(0, 1));
  EXPECT_EQ(failures_[0].kind, ErrorKind::kTimeout);
  EXPECT_EQ(connection_->in_flight(), 0u);
  world_.net().heal();
  beat(2);
  ASSERT_TRUE(wait_for(1, 1));
  EXPECT_EQ(answers_[0], std::pair(2, 2));
  EXPECT_TRUE(connection_->is_open());
}

TEST_F(ConnectionTest, a_peer_that_goes_away_fails_all_calls_in_flight) {
  open();
  broker_.hold = true;
  broker_.held = 100;
  beat(1);
  beat(2);
  world_.run_for(1s);
  EXPECT_EQ(connection_->in_flight(), 2u);
  world_.crash(*server_, io::SimCrash::kKill);
  ASSERT_TRUE(wait_for(0, 2));
  EXPECT_EQ(failures_[1].kind, ErrorKind::kClosed);
  EXPECT_FALSE(connection_->is_open());
  beat(3);
  ASSERT_TRUE(wait_for(0, 3));
}

TEST_F(ConnectionTest, a_peer_that_is_not_kafka_is_said_to_be_so) {
  broker_.garbage = true;
  open();
  ASSERT_TRUE(error_.has_value());
  EXPECT_EQ(error_->kind, ErrorKind::kMalformed);
  EXPECT_THAT(error_->message, HasSubstr("Kafka listener"));
}

TEST_F(ConnectionTest, a_malformed_answer_closes_the_connection) {
  open();
  broker_.handlers[wire::HeartbeatApi::key] = [](std::int16_t, wire::Reader&) {
    return std::optional(Bytes::copy("far too long to be a heartbeat's answer"));
  };
  beat(1);
  ASSERT_TRUE(wait_for(0, 1));
  EXPECT_EQ(failures_[0].kind, ErrorKind::kMalformed);
  EXPECT_FALSE(connection_->is_open());
}

TEST_F(ConnectionTest, dropping_the_last_reference_ends_its_tasks) {
  open();
  io::Loop& loop = client_->runtime().control_loop();
  EXPECT_GT(loop.live_tasks(), 0u);
  connection_.reset();
  world_.run_for(1s);
  EXPECT_EQ(loop.live_tasks(), 0u);
}

}  // namespace
}  // namespace milena::client
