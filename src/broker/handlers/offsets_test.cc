// OffsetCommit, OffsetFetch, OffsetDelete on a node.
#include <gtest/gtest.h>

#include "broker/testing/node_world.h"
#include "wire/apis/find_coordinator.h"
#include "wire/apis/offset_commit.h"
#include "wire/apis/offset_delete.h"
#include "wire/apis/offset_fetch.h"
#include "wire/error_code.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;

std::int16_t code(ErrorCode error) { return wire::to_int16(error); }

class Offsets : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(world_.start()) << world_.error();
    world_.create_topic("orders", 2);
    wire::FindCoordinatorRequest request;
    request.coordinator_keys = {"g"};
    ASSERT_EQ(world_.ask<wire::FindCoordinatorApi>(request, 4)->coordinators.at(0).error_code, 0);
    world_.world().run_for(1s);
    orders_ = world_.image().topic("orders")->id;
  }

  wire::OffsetCommitRequest commit_request(std::int64_t offset) const {
    wire::OffsetCommitRequest request;
    request.group_id = "g";
    auto& topic = request.topics.emplace_back();
    topic.name = "orders";
    topic.topic_id = orders_;
    auto& partition = topic.partitions.emplace_back();
    partition.committed_offset = offset;
    partition.committed_leader_epoch = 3;
    partition.committed_metadata = "note";
    return request;
  }
  wire::OffsetFetchRequest fetch_request(bool all) const {
    wire::OffsetFetchRequest request;
    request.group_id = "g";
    auto& group = request.groups.emplace_back();
    group.group_id = "g";
    if (all) {
      request.topics.reset();
      group.topics.reset();
      return request;
    }
    auto& old = request.topics->emplace_back();
    old.name = "orders";
    old.partition_indexes = {0, 1};
    auto& topic = group.topics->emplace_back();
    topic.name = "orders";
    topic.topic_id = orders_;
    topic.partition_indexes = {0, 1};
    return request;
  }

  NodeWorld world_;
  TopicId orders_;
};

TEST_F(Offsets, are_committed_and_fetched_in_every_version) {
  for (std::int16_t version = 2; version <= 10; ++version) {
    auto committed = world_.ask<wire::OffsetCommitApi>(commit_request(100 + version), version);
    ASSERT_TRUE(committed.has_value()) << committed.error().message;
    EXPECT_EQ(committed->topics.at(0).partitions.at(0).error_code, 0) << version;
    for (std::int16_t fetch = 1; fetch <= 10; ++fetch) {
      auto fetched = world_.ask<wire::OffsetFetchApi>(fetch_request(false), fetch);
      ASSERT_TRUE(fetched.has_value()) << fetched.error().message;
      if (fetch < 8) {
        const auto& partitions = fetched->topics.at(0).partitions;
        EXPECT_EQ(fetched->error_code, 0);
        EXPECT_EQ(partitions.at(0).committed_offset, 100 + version);
        EXPECT_EQ(partitions.at(0).metadata, "note");
        EXPECT_EQ(partitions.at(1).committed_offset, -1);
        EXPECT_EQ(partitions.at(1).error_code, 0);
      } else {
        const auto& topic = fetched->groups.at(0).topics.at(0);
        if (fetch >= 10) {
          EXPECT_EQ(topic.topic_id, orders_);
        } else {
          EXPECT_EQ(topic.name, "orders");
        }
        EXPECT_EQ(topic.partitions.at(0).committed_offset, 100 + version);
        EXPECT_EQ(topic.partitions.at(0).committed_leader_epoch, version >= 6 ? 3 : -1);
        EXPECT_EQ(topic.partitions.at(1).committed_offset, -1);
      }
    }
  }
}

TEST_F(Offsets, all_of_a_group_come_without_naming_topics) {
  ASSERT_TRUE(world_.ask<wire::OffsetCommitApi>(commit_request(7), 9).has_value());
  for (std::int16_t version : {2, 7, 8, 10}) {
    auto fetched = world_.ask<wire::OffsetFetchApi>(fetch_request(true), version);
    ASSERT_TRUE(fetched.has_value()) << fetched.error().message;
    if (version < 8) {
      ASSERT_EQ(fetched->topics.size(), 1u);
      EXPECT_EQ(fetched->topics[0].partitions.at(0).committed_offset, 7);
    } else {
      ASSERT_EQ(fetched->groups.at(0).topics.size(), 1u);
      EXPECT_EQ(fetched->groups[0].topics[0].partitions.at(0).committed_offset, 7);
      if (version == 10) {
        EXPECT_EQ(fetched->groups[0].topics[0].topic_id, orders_);
      }
    }
  }
}

TEST_F(Offsets, several_groups_are_answered_in_one_response) {
  ASSERT_TRUE(world_.ask<wire::OffsetCommitApi>(commit_request(7), 9).has_value());
  auto request = fetch_request(true);
  request.groups.emplace_back().group_id = "nobody";
  request.groups.back().topics.reset();
  auto fetched = world_.ask<wire::OffsetFetchApi>(request, 9);
  ASSERT_EQ(fetched->groups.size(), 2u);
  EXPECT_EQ(fetched->groups[0].topics.size(), 1u);
  EXPECT_EQ(fetched->groups[1].group_id, "nobody");
  EXPECT_EQ(fetched->groups[1].error_code, 0);
  EXPECT_TRUE(fetched->groups[1].topics.empty());
}

TEST_F(Offsets, what_does_not_exist_fails_alone) {
  auto request = commit_request(5);
  auto& partition = request.topics[0].partitions.emplace_back();
  partition.partition_index = 9;
  auto& unknown = request.topics.emplace_back();
  unknown.name = "nothing";
  unknown.topic_id = Uuid{7, 7};
  unknown.partitions.emplace_back();
  for (std::int16_t version : {9, 10}) {
    auto committed = world_.ask<wire::OffsetCommitApi>(request, version);
    ASSERT_EQ(committed->topics.size(), 2u);
    EXPECT_EQ(committed->topics[0].partitions.at(0).error_code, 0);
    EXPECT_EQ(committed->topics[0].partitions.at(1).error_code, code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
    ErrorCode topic_error = version >= 10 ? ErrorCode::UNKNOWN_TOPIC_ID : ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    EXPECT_EQ(committed->topics[1].partitions.at(0).error_code, code(topic_error));
    if (version >= 10) {
      EXPECT_EQ(committed->topics[1].topic_id, (Uuid{7, 7}));
    }
  }
  auto fetch = fetch_request(false);
  auto& gone = fetch.groups[0].topics->emplace_back();
  gone.topic_id = Uuid{7, 7};
  gone.partition_indexes = {4};
  auto fetched = world_.ask<wire::OffsetFetchApi>(fetch, 10);
  ASSERT_EQ(fetched->groups.at(0).topics.size(), 2u);
  EXPECT_EQ(fetched->groups[0].topics[0].partitions.at(0).committed_offset, 5);
  EXPECT_EQ(fetched->groups[0].topics[1].partitions.at(0).error_code, code(ErrorCode::UNKNOWN_TOPIC_ID));
  EXPECT_EQ(fetched->groups[0].topics[1].partitions.at(0).committed_offset, -1);
}

TEST_F(Offsets, errors_of_the_group_stand_at_each_partition) {
  auto request = commit_request(5);
  request.group_id = "members only";
  request.generation_id_or_member_epoch = 4;
  request.member_id = "m";
  auto old = world_.ask<wire::OffsetCommitApi>(request, 8);
  EXPECT_EQ(old->topics.at(0).partitions.at(0).error_code, code(ErrorCode::ILLEGAL_GENERATION));
  auto newer = world_.ask<wire::OffsetCommitApi>(request, 9);
  EXPECT_EQ(newer->topics.at(0).partitions.at(0).error_code, code(ErrorCode::GROUP_ID_NOT_FOUND));
  request = commit_request(5);
  request.topics[0].partitions[0].committed_metadata = std::string(5000, 'x');
  auto large = world_.ask<wire::OffsetCommitApi>(request, 9);
  EXPECT_EQ(large->topics.at(0).partitions.at(0).error_code, code(ErrorCode::OFFSET_METADATA_TOO_LARGE));
}

TEST_F(Offsets, are_there_after_a_restart) {
  ASSERT_TRUE(world_.ask<wire::OffsetCommitApi>(commit_request(7), 9).has_value());
  ASSERT_TRUE(world_.stop());
  ASSERT_TRUE(world_.start()) << world_.error();
  world_.world().run_for(1s);
  auto fetched = world_.ask<wire::OffsetFetchApi>(fetch_request(false), 9);
  EXPECT_EQ(fetched->groups.at(0).topics.at(0).partitions.at(0).committed_offset, 7);
}

TEST_F(Offsets, are_deleted_but_not_those_of_unknown_partitions) {
  ASSERT_TRUE(world_.ask<wire::OffsetCommitApi>(commit_request(7), 9).has_value());
  wire::OffsetDeleteRequest request;
  request.group_id = "g";
  auto& topic = request.topics.emplace_back();
  topic.name = "orders";
  topic.partitions.emplace_back().partition_index = 0;
  topic.partitions.emplace_back().partition_index = 9;
  auto deleted = world_.ask<wire::OffsetDeleteApi>(request, 0);
  ASSERT_TRUE(deleted.has_value()) << deleted.error().message;
  EXPECT_EQ(deleted->error_code, 0);
  ASSERT_EQ(deleted->topics.size(), 1u);
  for (const auto& partition : deleted->topics[0].partitions) {
    EXPECT_EQ(partition.error_code,
              partition.partition_index == 0 ? 0 : code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
  }
  auto fetched = world_.ask<wire::OffsetFetchApi>(fetch_request(true), 9);
  EXPECT_TRUE(fetched->groups.at(0).topics.empty());
  request.group_id = "nobody";
  EXPECT_EQ(world_.ask<wire::OffsetDeleteApi>(request, 0)->error_code, code(ErrorCode::GROUP_ID_NOT_FOUND));
}

TEST_F(Offsets, nobody_coordinates_a_group_without_the_offsets_topic) {
  wire::OffsetFetchRequest request;
  NodeWorld fresh;
  ASSERT_TRUE(fresh.start()) << fresh.error();
  fresh.create_topic("orders");
  auto fetched = fresh.ask<wire::OffsetFetchApi>(fetch_request(false), 1);
  EXPECT_EQ(fetched->topics.at(0).partitions.at(0).error_code, code(ErrorCode::NOT_COORDINATOR));
  EXPECT_EQ(fresh.ask<wire::OffsetFetchApi>(fetch_request(false), 2)->error_code, code(ErrorCode::NOT_COORDINATOR));
  EXPECT_EQ(fresh.ask<wire::OffsetFetchApi>(fetch_request(false), 9)->groups.at(0).error_code,
            code(ErrorCode::NOT_COORDINATOR));
}

}  // namespace
}  // namespace milena::broker
