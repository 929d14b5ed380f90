// InitProducerId, OffsetForLeaderEpoch on a node.
#include <gtest/gtest.h>

#include <set>

#include "broker/testing/node_world.h"
#include "wire/apis/api_versions.h"
#include "wire/apis/init_producer_id.h"
#include "wire/apis/offset_for_leader_epoch.h"
#include "wire/error_code.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;

std::int16_t code(ErrorCode error) { return wire::to_int16(error); }

wire::InitProducerIdRequest idempotent() {
  wire::InitProducerIdRequest request;
  request.transactional_id.reset();
  return request;
}

std::optional<std::int16_t> highest(NodeWorld& world, std::int16_t key) {
  wire::ApiVersionsRequest request;
  request.client_software_name = "test";
  request.client_software_version = "1";
  auto response = world.ask<wire::ApiVersionsApi>(request, 4);
  for (const auto& api : response->api_keys) {
    if (api.api_key == key) return api.max_version;
  }
  return std::nullopt;
}

TEST(Producer, ids_differ_in_every_version_and_after_a_restart) {
  NodeWorld world;
  ASSERT_TRUE(world.start()) << world.error();
  std::set<std::int64_t> seen;
  for (std::int16_t version = 0; version <= 5; ++version) {
    auto response = world.ask<wire::InitProducerIdApi>(idempotent(), version);
    ASSERT_TRUE(response.has_value()) << response.error().message;
    EXPECT_EQ(response->error_code, 0);
    EXPECT_EQ(response->producer_epoch, 0);
    EXPECT_TRUE(seen.insert(response->producer_id).second);
  }
  ASSERT_TRUE(world.stop());
  ASSERT_TRUE(world.start()) << world.error();
  EXPECT_TRUE(seen.insert(world.ask<wire::InitProducerIdApi>(idempotent(), 5)->producer_id).second);
}

TEST(Producer, transactional_ids_and_half_identities_are_refused) {
  NodeWorld world;
  ASSERT_TRUE(world.start()) << world.error();
  auto request = idempotent();
  request.transactional_id = "txn";
  auto refused = world.ask<wire::InitProducerIdApi>(request, 5);
  EXPECT_EQ(refused->error_code, code(ErrorCode::UNSUPPORTED_VERSION));
  EXPECT_EQ(refused->producer_id, -1);
  EXPECT_EQ(refused->producer_epoch, -1);
  request.transactional_id = "";
  EXPECT_EQ(world.ask<wire::InitProducerIdApi>(request, 5)->error_code, code(ErrorCode::INVALID_REQUEST));
  request = idempotent();
  request.producer_id = 5;
  EXPECT_EQ(world.ask<wire::InitProducerIdApi>(request, 5)->error_code, code(ErrorCode::INVALID_REQUEST));
}

TEST(Producer, unstable_versions_are_served_where_they_are_enabled) {
  NodeWorld world;
  ASSERT_TRUE(world.start()) << world.error();
  EXPECT_EQ(highest(world, 22), 5);
  NodeWorld unstable(NodeWorld::Overrides{{"unstable.api.versions.enable", "true"}});
  ASSERT_TRUE(unstable.start()) << unstable.error();
  EXPECT_EQ(highest(unstable, 22), 6);
}

TEST(LeaderEpochs, end_where_the_log_ends) {
  NodeWorld world;
  ASSERT_TRUE(world.start()) << world.error();
  world.create_topic("orders");
  for (std::int16_t version = 2; version <= 4; ++version) {
    wire::OffsetForLeaderEpochRequest request;
    auto& topic = request.topics.emplace_back();
    topic.topic = "orders";
    topic.partitions.emplace_back();  // epoch 0: the present one
    auto& future = topic.partitions.emplace_back();
    future.leader_epoch = 7;
    auto& ahead = topic.partitions.emplace_back();
    ahead.current_leader_epoch = 5;
    auto& missing = topic.partitions.emplace_back();
    missing.partition = 3;
    auto response = world.ask<wire::OffsetForLeaderEpochApi>(request, version);
    ASSERT_TRUE(response.has_value()) << response.error().message;
    const auto& answers = response->topics.at(0).partitions;
    ASSERT_EQ(answers.size(), 4u);
    EXPECT_EQ(answers[0].error_code, 0);
    EXPECT_EQ(answers[0].leader_epoch, 0);
    EXPECT_EQ(answers[0].end_offset, 0);
    EXPECT_EQ(answers[1].error_code, 0);
    EXPECT_EQ(answers[1].leader_epoch, -1);
    EXPECT_EQ(answers[1].end_offset, -1);
    EXPECT_EQ(answers[2].error_code, code(ErrorCode::UNKNOWN_LEADER_EPOCH));
    EXPECT_EQ(answers[3].error_code, code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
  }
}

}  // namespace
}  // namespace milena::broker
