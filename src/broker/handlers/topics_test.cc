// CreateTopics, DeleteTopics, CreatePartitions, DescribeTopicPartitions on a node.
#include <gtest/gtest.h>

#include "broker/testing/node_world.h"
#include "broker/testing/partition_requests.h"
#include "wire/apis/create_partitions.h"
#include "wire/apis/create_topics.h"
#include "wire/apis/delete_topics.h"
#include "wire/apis/describe_topic_partitions.h"
#include "wire/apis/metadata.h"
#include "wire/error_code.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;

std::int16_t code(ErrorCode error) { return wire::to_int16(error); }

class Topics : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(world_.start()) << world_.error(); }
  NodeWorld world_;
};

TEST_F(Topics, are_deleted_by_name_and_by_id_in_every_version) {
  for (std::int16_t version = 1; version <= 6; ++version) {
    world_.create_topic("orders");
    wire::DeleteTopicsRequest request;
    request.timeout_ms = 30000;
    if (version < 6) {
      request.topic_names = {"orders", "nothing"};
    } else {
      request.topics.emplace_back().topic_id = world_.image().topic("orders")->id;
      request.topics.emplace_back().name = "nothing";
      request.topics.emplace_back().topic_id = Uuid{7, 7};
    }
    auto response = world_.ask<wire::DeleteTopicsApi>(request, version);
    ASSERT_TRUE(response.has_value()) << response.error().message;
    for (const auto& result : response->responses) {
      ErrorCode expected = ErrorCode::NONE;
      if (result.name == "nothing") expected = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
      else if (!result.name.has_value()) expected = ErrorCode::UNKNOWN_TOPIC_ID;
      EXPECT_EQ(result.error_code, code(expected)) << version << " " << result.name.value_or("-");
    }
    EXPECT_EQ(response->responses.size(), version < 6 ? 2u : 3u);
    EXPECT_EQ(world_.image().topic("orders"), nullptr);
  }
}

TEST_F(Topics, deletion_refuses_what_is_ambiguous) {
  world_.create_topic("orders");
  wire::DeleteTopicsRequest request;
  request.topic_names = {"orders", "orders"};
  auto twice = world_.ask<wire::DeleteTopicsApi>(request, 5);
  ASSERT_EQ(twice->responses.size(), 1u);
  EXPECT_EQ(twice->responses[0].error_code, code(ErrorCode::INVALID_REQUEST));
  EXPECT_EQ(twice->responses[0].error_message, "Duplicate topic name.");
  EXPECT_NE(world_.image().topic("orders"), nullptr);
}

TEST(TopicDeletion, can_be_disabled) {
  NodeWorld world(NodeWorld::Overrides{{"delete.topic.enable", "false"}});
  ASSERT_TRUE(world.start()) << world.error();
  world.create_topic("orders");
  wire::DeleteTopicsRequest request;
  request.topic_names = {"orders"};
  EXPECT_EQ(world.ask<wire::DeleteTopicsApi>(request, 5)->responses.at(0).error_code,
            code(ErrorCode::TOPIC_DELETION_DISABLED));
  EXPECT_EQ(world.ask<wire::DeleteTopicsApi>(request, 2)->responses.at(0).error_code,
            code(ErrorCode::INVALID_REQUEST));
}

TEST_F(Topics, grow_by_partitions) {
  for (std::int16_t version = 0; version <= 3; ++version) {
    std::string name = "orders" + std::to_string(version);
    world_.create_topic(name);
    wire::CreatePartitionsRequest request;
    request.timeout_ms = 30000;
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    topic.count = 3;
    topic.assignments.reset();
    request.validate_only = true;
    EXPECT_EQ(world_.ask<wire::CreatePartitionsApi>(request, version)->results.at(0).error_code, 0);
    EXPECT_EQ(world_.image().topic(name)->partitions.size(), 1u);
    request.validate_only = false;
    auto grown = world_.ask<wire::CreatePartitionsApi>(request, version);
    ASSERT_TRUE(grown.has_value()) << grown.error().message;
    EXPECT_EQ(grown->results.at(0).error_code, 0);
    EXPECT_EQ(world_.image().topic(name)->partitions.size(), 3u);
    EXPECT_EQ(world_.ask<wire::CreatePartitionsApi>(request, version)->results.at(0).error_code,
              code(ErrorCode::INVALID_PARTITIONS));
    request.topics[0].name = "nothing";
    EXPECT_EQ(world_.ask<wire::CreatePartitionsApi>(request, version)->results.at(0).error_code,
              code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
  }
}

TEST_F(Topics, can_be_made_and_removed_through_the_controller_too) {
  Via controller{"admin", true};
  auto created = world_.ask<wire::CreateTopicsApi>(creation_of("orders"), 7, controller);
  ASSERT_TRUE(created.has_value()) << created.error().message;
  EXPECT_EQ(created->topics.at(0).error_code, 0);
  wire::DeleteTopicsRequest remove;
  remove.topics.emplace_back().name = "orders";
  EXPECT_EQ(world_.ask<wire::DeleteTopicsApi>(remove, 6, controller)->responses.at(0).error_code, 0);
  auto metadata = world_.ask<wire::MetadataApi>({}, 13, controller);
  EXPECT_FALSE(metadata.has_value());  // brokers only
}

TEST_F(Topics, are_described_page_by_page) {
  world_.create_topic("a", 3);
  world_.create_topic("b", 2);
  wire::DescribeTopicPartitionsRequest request;
  request.response_partition_limit = 2;
  std::vector<std::pair<std::string, std::int32_t>> seen;
  for (int page = 0; page < 10; ++page) {
    auto response = world_.ask<wire::DescribeTopicPartitionsApi>(request, 0);
    ASSERT_TRUE(response.has_value()) << response.error().message;
    std::size_t partitions = 0;
    for (const auto& topic : response->topics) {
      EXPECT_EQ(topic.error_code, 0);
      EXPECT_EQ(topic.topic_id, world_.image().topic(*topic.name)->id);
      for (const auto& partition : topic.partitions) {
        seen.emplace_back(*topic.name, partition.partition_index);
        EXPECT_EQ(partition.leader_id, 1);
        EXPECT_EQ(partition.isr_nodes, std::vector<std::int32_t>{1});
        EXPECT_TRUE(partition.offline_replicas.empty());
        EXPECT_EQ(partition.eligible_leader_replicas, std::vector<std::int32_t>{});
      }
      partitions += topic.partitions.size();
    }
    EXPECT_LE(partitions, 2u);
    if (!response->next_cursor.has_value()) break;
    request.cursor.emplace();
    request.cursor->topic_name = response->next_cursor->topic_name;
    request.cursor->partition_index = response->next_cursor->partition_index;
  }
  EXPECT_EQ(seen, (std::vector<std::pair<std::string, std::int32_t>>{{"a", 0}, {"a", 1}, {"a", 2}, {"b", 0}, {"b", 1}}));
}

TEST_F(Topics, descriptions_name_what_is_missing_and_refuse_bad_cursors) {
  world_.create_topic("a");
  wire::DescribeTopicPartitionsRequest request;
  for (const char* name : {"a", "nothing", "not a name"}) request.topics.emplace_back().name = name;
  auto response = world_.ask<wire::DescribeTopicPartitionsApi>(request, 0);
  ASSERT_EQ(response->topics.size(), 3u);
  EXPECT_EQ(response->topics[0].error_code, 0);
  EXPECT_EQ(response->topics[1].name, "not a name");
  EXPECT_EQ(response->topics[1].error_code, code(ErrorCode::INVALID_TOPIC_EXCEPTION));
  EXPECT_EQ(response->topics[2].error_code, code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
  request.cursor.emplace();
  request.cursor->topic_name = "elsewhere";
  auto refused = world_.ask<wire::DescribeTopicPartitionsApi>(request, 0);
  ASSERT_EQ(refused->topics.size(), 3u);
  EXPECT_EQ(refused->topics[0].error_code, code(ErrorCode::INVALID_REQUEST));
  request.cursor->topic_name = "a";
  request.cursor->partition_index = -1;
  EXPECT_EQ(world_.ask<wire::DescribeTopicPartitionsApi>(request, 0)->topics.at(0).error_code,
            code(ErrorCode::INVALID_REQUEST));
}

}  // namespace
}  // namespace milena::broker
