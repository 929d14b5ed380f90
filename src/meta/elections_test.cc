#include "meta/elections.h"

#include <gtest/gtest.h>

#include "meta/testing.h"

namespace milena::meta {
namespace {

using wire::ErrorCode;

constexpr std::int8_t kPreferred = 0;
constexpr std::int8_t kUnclean = 1;

/// Two brokers, and a topic whose partitions both have.
struct Elections : ::testing::Test {
  void SetUp() override {
    for (int id : {1, 2}) world.start_broker(id);
    wire::CreateTopicsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = "foo";
    topic.num_partitions = -1;
    topic.replication_factor = -1;
    topic.assignments.emplace_back().broker_ids = {1, 2};
    topic.assignments.emplace_back().partition_index = 1;
    topic.assignments.back().broker_ids = {2, 1};
    world.append(create_topics(world.context(), request).records);
  }
  wire::ElectLeadersResponse elect(std::int8_t type, std::optional<std::vector<std::int32_t>> partitions,
                                   std::string topic = "foo") {
    wire::ElectLeadersRequest request;
    request.election_type = type;
    request.topic_partitions.reset();
    if (partitions.has_value()) {
      auto& asked = request.topic_partitions.emplace().emplace_back();
      asked.topic = std::move(topic);
      asked.partitions = *partitions;
    }
    auto decision = elect_leaders(world.context(), request);
    world.append(decision.records);
    return decision.response;
  }
  ErrorCode elect_one(std::int8_t type, std::int32_t partition, std::string topic = "foo") {
    auto response = elect(type, std::vector{partition}, std::move(topic));
    EXPECT_EQ(response.error_code, 0);
    return wire::error_code_from(response.replica_election_results.at(0).partition_result.at(0).error_code);
  }
  void fence(int id) {
    world.append(fence_broker(world.context(), BrokerId(id)));
    world.controller->heartbeats().fence(BrokerId(id));
  }
  /// Broker 1 stops and comes back; it is in no ISR until it has caught up, which the test brings about.
  void restart_first(bool in_sync) {
    fence(1);
    world.start_broker(1, 2, world.image().broker(BrokerId(1))->broker_epoch);
    if (!in_sync) return;
    wire::PartitionChangeRecord change;
    change.topic_id = world.image().topic("foo")->id;
    change.partition_id = 0;
    change.isr = {2, 1};
    world.append({{change, 0}});
  }
  World world;
};

TEST_F(Elections, are_not_needed_where_the_preferred_leader_leads) {
  EXPECT_EQ(elect_one(kPreferred, 0), ErrorCode::ELECTION_NOT_NEEDED);
  EXPECT_EQ(elect_one(kUnclean, 0), ErrorCode::ELECTION_NOT_NEEDED);
  auto all = elect(kPreferred, std::nullopt);
  ASSERT_EQ(all.replica_election_results.size(), 1U);
  EXPECT_TRUE(all.replica_election_results[0].partition_result.empty());
}

TEST_F(Elections, bring_the_preferred_leader_back) {
  restart_first(true);
  EXPECT_EQ(world.partition("foo").leader, BrokerId(2));
  EXPECT_EQ(elect_one(kPreferred, 0), ErrorCode::NONE);
  EXPECT_EQ(world.partition("foo").leader, BrokerId(1));
  EXPECT_EQ(world.partition("foo").isr, ids({2, 1}));
}

TEST_F(Elections, of_all_partitions_tell_of_those_that_change) {
  restart_first(true);
  auto all = elect(kPreferred, std::nullopt);
  const auto& results = all.replica_election_results.at(0).partition_result;
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].partition_id, 0);
  EXPECT_EQ(results[0].error_code, 0);
  EXPECT_EQ(world.partition("foo").leader, BrokerId(1));
}

TEST_F(Elections, need_a_preferred_leader_that_is_alive_and_in_sync) {
  restart_first(false);
  EXPECT_EQ(elect_one(kPreferred, 0), ErrorCode::PREFERRED_LEADER_NOT_AVAILABLE);
  fence(1);
  EXPECT_EQ(elect_one(kPreferred, 0), ErrorCode::PREFERRED_LEADER_NOT_AVAILABLE);
  EXPECT_EQ(world.partition("foo").leader, BrokerId(2));
}

TEST_F(Elections, that_are_unclean_take_any_replica_that_lives) {
  fence(1);
  fence(2);
  ASSERT_FALSE(world.partition("foo").has_leader());
  EXPECT_EQ(elect_one(kUnclean, 0), ErrorCode::ELIGIBLE_LEADERS_NOT_AVAILABLE);
  world.start_broker(1, 2, -1);
  // The last known leader was broker 2; the other one may have missed records.
  ASSERT_FALSE(world.partition("foo").has_leader());
  EXPECT_EQ(elect_one(kPreferred, 0), ErrorCode::PREFERRED_LEADER_NOT_AVAILABLE);
  EXPECT_EQ(elect_one(kUnclean, 0), ErrorCode::NONE);
  EXPECT_EQ(world.partition("foo").leader, BrokerId(1));
  EXPECT_EQ(world.partition("foo").leader_recovery_state, image::LeaderRecoveryState::kRecovering);
}

TEST_F(Elections, of_what_does_not_exist_are_refused) {
  EXPECT_EQ(elect_one(kPreferred, 2), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
  EXPECT_EQ(elect_one(kPreferred, -1), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
  EXPECT_EQ(elect_one(kPreferred, 0, "bar"), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
  auto unknown = elect(7, std::vector{0, 1});
  EXPECT_EQ(unknown.error_code, wire::to_int16(ErrorCode::INVALID_REQUEST));
  const auto& results = unknown.replica_election_results.at(0).partition_result;
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[1].error_code, unknown.error_code);
  EXPECT_EQ(elect(7, std::nullopt).error_code, unknown.error_code);
}

}  // namespace
}  // namespace milena::meta
