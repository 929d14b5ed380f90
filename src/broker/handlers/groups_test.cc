// JoinGroup, SyncGroup, Heartbeat, LeaveGroup, DescribeGroups, ListGroups, DeleteGroups, FindCoordinator on a node.
#include <gtest/gtest.h>

#include "broker/authorized_operations.h"
#include "broker/handlers/find_coordinator.h"
#include "broker/handlers/join_group.h"
#include "broker/testing/node_world.h"
#include "wire/apis/delete_groups.h"
#include "wire/apis/describe_groups.h"
#include "wire/apis/heartbeat.h"
#include "wire/apis/leave_group.h"
#include "wire/apis/list_groups.h"
#include "wire/apis/offset_commit.h"
#include "wire/apis/sync_group.h"
#include "wire/error_code.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;

std::int16_t code(ErrorCode error) { return wire::to_int16(error); }

class Groups : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(world_.start()) << world_.error(); }

  void find_coordinator() {
    wire::FindCoordinatorRequest request;
    request.key_type = 0;
    request.coordinator_keys = {"g"};
    auto found = world_.ask<wire::FindCoordinatorApi>(request, 6);
    ASSERT_TRUE(found.has_value()) << found.error().message;
    ASSERT_EQ(found->coordinators.at(0).error_code, 0);
    world_.world().run_for(1s);  // its shard is loaded
  }

  static wire::JoinGroupRequest join_request(std::string member_id = "") {
    wire::JoinGroupRequest request;
    request.group_id = "g";
    request.session_timeout_ms = 10000;
    request.rebalance_timeout_ms = 20000;
    request.member_id = std::move(member_id);
    request.protocol_type = "consumer";
    auto& protocol = request.protocols.emplace_back();
    protocol.name = "range";
    protocol.metadata = Bytes::copy("subscription");
    return request;
  }

  // Joins, gets an id where the version asks for that first, and syncs as the only member.
  wire::JoinGroupResponse join(std::int16_t version, Via via = {}) {
    auto joined = world_.ask<wire::JoinGroupApi>(join_request(), version, via);
    CHECK(joined.has_value(), "JoinGroup was not answered");
    if (joined->error_code != code(ErrorCode::MEMBER_ID_REQUIRED)) return *joined;
    auto again = world_.ask<wire::JoinGroupApi>(join_request(joined->member_id), version, via);
    CHECK(again.has_value(), "JoinGroup was not answered");
    return *again;
  }
  wire::SyncGroupRequest sync_request(const wire::JoinGroupResponse& joined) {
    wire::SyncGroupRequest request;
    request.group_id = "g";
    request.member_id = joined.member_id;
    request.generation_id = joined.generation_id;
    request.protocol_type = "consumer";
    request.protocol_name = "range";
    auto& assignment = request.assignments.emplace_back();
    assignment.member_id = joined.member_id;
    assignment.assignment = Bytes::copy("all of it");
    return request;
  }
  std::int16_t heartbeat(const wire::JoinGroupResponse& joined, std::int16_t version) {
    wire::HeartbeatRequest request;
    request.group_id = "g";
    request.member_id = joined.member_id;
    request.generation_id = joined.generation_id;
    auto response = world_.ask<wire::HeartbeatApi>(request, version);
    CHECK(response.has_value(), "Heartbeat was not answered");
    return response->error_code;
  }

  NodeWorld world_;
};

TEST_F(Groups, the_first_lookup_creates_the_offsets_topic_and_finds_this_node) {
  for (std::int16_t version = 0; version <= 6; ++version) {
    wire::FindCoordinatorRequest request;
    request.key = "g";
    request.coordinator_keys = {"g", "another"};
    auto response = world_.ask<wire::FindCoordinatorApi>(request, version);
    ASSERT_TRUE(response.has_value()) << response.error().message;
    if (version < 4) {
      EXPECT_EQ(response->error_code, 0);
      EXPECT_EQ(response->node_id, 1);
      EXPECT_EQ(response->host, "broker");
      EXPECT_EQ(response->port, 9092);
      if (version > 0) {
        EXPECT_EQ(response->error_message, "NONE");
      }
    } else {
      ASSERT_EQ(response->coordinators.size(), 2u);
      EXPECT_EQ(response->coordinators[1].key, "another");
      EXPECT_EQ(response->coordinators[1].node_id, 1);
    }
  }
  const image::Topic* topic = world_.image().topic("__consumer_offsets");
  ASSERT_NE(topic, nullptr);
  EXPECT_EQ(topic->partitions.size(), 4u);
}

TEST_F(Groups, transaction_and_share_coordinators_are_refused_for_good) {
  wire::FindCoordinatorRequest request;
  request.key_type = 1;
  request.key = "txn";
  request.coordinator_keys = {"txn"};
  auto transaction = world_.ask<wire::FindCoordinatorApi>(request, 6);
  ASSERT_TRUE(transaction.has_value());
  EXPECT_EQ(transaction->coordinators.at(0).error_code, code(ErrorCode::UNSUPPORTED_VERSION));
  EXPECT_NE(transaction->coordinators.at(0).error_message->find("transactions"), std::string::npos);
  EXPECT_EQ(transaction->coordinators.at(0).node_id, -1);
  auto old = world_.ask<wire::FindCoordinatorApi>(request, 1);
  EXPECT_EQ(old->error_code, code(ErrorCode::UNSUPPORTED_VERSION));
  request.key_type = 2;
  EXPECT_EQ(world_.ask<wire::FindCoordinatorApi>(request, 6)->coordinators.at(0).error_code,
            code(ErrorCode::INVALID_REQUEST));
  request.key_type = 9;
  EXPECT_EQ(world_.ask<wire::FindCoordinatorApi>(request, 6)->coordinators.at(0).error_code,
            code(ErrorCode::INVALID_REQUEST));
}

TEST_F(Groups, without_the_offsets_topic_nobody_coordinates) {
  wire::HeartbeatRequest request;
  request.group_id = "g";
  EXPECT_EQ(world_.ask<wire::HeartbeatApi>(request, 4)->error_code, code(ErrorCode::NOT_COORDINATOR));
  auto joined = world_.ask<wire::JoinGroupApi>(join_request("m"), 6);
  EXPECT_EQ(joined->error_code, code(ErrorCode::NOT_COORDINATOR));
  EXPECT_EQ(joined->member_id, "m");
  EXPECT_EQ(world_.ask<wire::JoinGroupApi>(join_request("m"), 9)->error_code, code(ErrorCode::NOT_COORDINATOR));
}

TEST_F(Groups, a_member_joins_syncs_beats_and_leaves_in_the_lowest_and_the_highest_version) {
  find_coordinator();
  struct Versions {
    std::int16_t join, sync, heartbeat, leave;
  };
  for (Versions v : {Versions{0, 0, 0, 0}, Versions{9, 5, 4, 5}}) {
    auto joined = join(v.join);
    ASSERT_EQ(joined.error_code, 0);
    EXPECT_EQ(joined.leader, joined.member_id);
    EXPECT_EQ(joined.members.size(), 1u);
    auto synced = world_.ask<wire::SyncGroupApi>(sync_request(joined), v.sync);
    ASSERT_TRUE(synced.has_value()) << synced.error().message;
    EXPECT_EQ(synced->error_code, 0);
    EXPECT_EQ(synced->assignment, Bytes::copy("all of it"));
    EXPECT_EQ(heartbeat(joined, v.heartbeat), 0);

    wire::LeaveGroupRequest leave;
    leave.group_id = "g";
    leave.member_id = joined.member_id;
    leave.members.emplace_back().member_id = joined.member_id;
    auto left = world_.ask<wire::LeaveGroupApi>(leave, v.leave);
    ASSERT_TRUE(left.has_value()) << left.error().message;
    EXPECT_EQ(left->error_code, 0);
    if (v.leave >= 3) {
      EXPECT_EQ(left->members.at(0).error_code, 0);
    }
    EXPECT_EQ(heartbeat(joined, v.heartbeat), code(ErrorCode::UNKNOWN_MEMBER_ID));
  }
}

TEST_F(Groups, errors_of_membership_reach_the_client) {
  find_coordinator();
  auto joined = join(9);
  ASSERT_EQ(joined.error_code, 0);
  wire::JoinGroupResponse stranger = joined;
  stranger.member_id = "stranger";
  EXPECT_EQ(heartbeat(stranger, 4), code(ErrorCode::UNKNOWN_MEMBER_ID));
  auto sync = sync_request(joined);
  sync.protocol_name.reset();
  EXPECT_EQ(world_.ask<wire::SyncGroupApi>(sync, 5)->error_code, code(ErrorCode::INCONSISTENT_GROUP_PROTOCOL));
  sync = sync_request(joined);
  sync.generation_id = 99;
  EXPECT_EQ(world_.ask<wire::SyncGroupApi>(sync, 5)->error_code, code(ErrorCode::ILLEGAL_GENERATION));
  auto nameless = join_request();
  nameless.group_id = "";
  EXPECT_EQ(world_.ask<wire::JoinGroupApi>(nameless, 9)->error_code, code(ErrorCode::INVALID_GROUP_ID));
  auto hasty = join_request();
  hasty.session_timeout_ms = 1;
  EXPECT_EQ(world_.ask<wire::JoinGroupApi>(hasty, 9)->error_code, code(ErrorCode::INVALID_SESSION_TIMEOUT));
  wire::LeaveGroupRequest leave;
  leave.group_id = "g";
  leave.members.emplace_back().member_id = "stranger";
  auto left = world_.ask<wire::LeaveGroupApi>(leave, 5);
  EXPECT_EQ(left->error_code, 0);
  EXPECT_EQ(left->members.at(0).error_code, code(ErrorCode::UNKNOWN_MEMBER_ID));
}

TEST_F(Groups, a_second_member_makes_the_first_one_rejoin) {
  find_coordinator();
  auto first = join(9);
  ASSERT_EQ(world_.ask<wire::SyncGroupApi>(sync_request(first), 5)->error_code, 0);
  Via other{"other", false};
  auto id = world_.ask<wire::JoinGroupApi>(join_request(), 9, other);
  ASSERT_EQ(id->error_code, code(ErrorCode::MEMBER_ID_REQUIRED));
  auto waiting = world_.send<wire::JoinGroupApi>(join_request(id->member_id), 9, other);
  world_.world().run_for(1s);
  EXPECT_FALSE(waiting->has_value());  // until the first one is back
  EXPECT_EQ(heartbeat(first, 4), code(ErrorCode::REBALANCE_IN_PROGRESS));
  auto rejoined = world_.ask<wire::JoinGroupApi>(join_request(first.member_id), 9);
  auto second = world_.wait<wire::JoinGroupApi>(waiting);
  EXPECT_EQ(rejoined->error_code, 0);
  EXPECT_EQ(second->error_code, 0);
  EXPECT_EQ(rejoined->generation_id, first.generation_id + 1);
  EXPECT_EQ(second->generation_id, rejoined->generation_id);
}

TEST_F(Groups, groups_are_described_listed_and_deleted) {
  find_coordinator();
  auto joined = join(9);
  ASSERT_EQ(world_.ask<wire::SyncGroupApi>(sync_request(joined), 5)->error_code, 0);
  for (std::int16_t version : {0, 3, 6}) {
    wire::DescribeGroupsRequest request;
    request.groups = {"g", "nobody"};
    request.include_authorized_operations = version >= 3;
    auto described = world_.ask<wire::DescribeGroupsApi>(request, version);
    ASSERT_TRUE(described.has_value()) << described.error().message;
    const auto& group = described->groups.at(0);
    EXPECT_EQ(group.group_state, "Stable");
    EXPECT_EQ(group.protocol_data, "range");
    ASSERT_EQ(group.members.size(), 1u);
    EXPECT_EQ(group.members[0].client_id, "client");
    EXPECT_EQ(group.members[0].client_host, "/10.0.0.1");
    EXPECT_EQ(group.members[0].member_assignment, Bytes::copy("all of it"));
    if (version >= 3) {
      EXPECT_EQ(group.authorized_operations, kAllGroupOperations);
    }
    EXPECT_EQ(described->groups.at(1).group_state, "Dead");
    EXPECT_EQ(described->groups.at(1).error_code, version < 6 ? 0 : code(ErrorCode::GROUP_ID_NOT_FOUND));
  }
  for (std::int16_t version : {0, 5}) {
    auto listed = world_.ask<wire::ListGroupsApi>({}, version);
    ASSERT_TRUE(listed.has_value()) << listed.error().message;
    ASSERT_EQ(listed->groups.size(), 1u);
    EXPECT_EQ(listed->groups[0].group_id, "g");
    EXPECT_EQ(listed->groups[0].protocol_type, "consumer");
    if (version >= 5) {
      EXPECT_EQ(listed->groups[0].group_type, "classic");
    }
  }
  wire::ListGroupsRequest dead;
  dead.states_filter = {"Empty"};
  EXPECT_TRUE(world_.ask<wire::ListGroupsApi>(dead, 5)->groups.empty());

  wire::DeleteGroupsRequest remove;
  remove.groups_names = {"g", "nobody", "g"};
  auto refused = world_.ask<wire::DeleteGroupsApi>(remove, 2);
  ASSERT_EQ(refused->results.size(), 2u);
  EXPECT_EQ(refused->results[0].error_code, code(ErrorCode::NON_EMPTY_GROUP));
  EXPECT_EQ(refused->results[1].error_code, code(ErrorCode::GROUP_ID_NOT_FOUND));
  wire::LeaveGroupRequest leave;
  leave.group_id = "g";
  leave.members.emplace_back().member_id = joined.member_id;
  ASSERT_EQ(world_.ask<wire::LeaveGroupApi>(leave, 5)->members.at(0).error_code, 0);
  remove.groups_names = {"g"};
  EXPECT_EQ(world_.ask<wire::DeleteGroupsApi>(remove, 0)->results.at(0).error_code, 0);
  EXPECT_TRUE(world_.ask<wire::ListGroupsApi>({}, 5)->groups.empty());
}

TEST_F(Groups, a_member_that_is_silent_for_its_session_is_gone) {
  find_coordinator();
  auto joined = join(9);
  ASSERT_EQ(world_.ask<wire::SyncGroupApi>(sync_request(joined), 5)->error_code, 0);
  world_.world().run_for(11s);
  EXPECT_EQ(heartbeat(joined, 4), code(ErrorCode::UNKNOWN_MEMBER_ID));
}

TEST(GroupList, tells_of_nothing_that_a_power_loss_could_take_back) {
  NodeWorld world({{"log.flush.interval.messages", "1"}, {"offsets.topic.num.partitions", "1"}});
  ASSERT_TRUE(world.start()) << world.error();
  world.create_topic("orders");
  wire::FindCoordinatorRequest find;
  find.coordinator_keys = {"g"};
  ASSERT_EQ(world.ask<wire::FindCoordinatorApi>(find, 6)->coordinators.at(0).error_code, 0);
  world.world().run_for(1s);
  TopicIdPartition id{world.image().topic("__consumer_offsets")->id, PartitionId(0)};
  auto partition = world.node().partitions().owning(id).find(id);
  ASSERT_TRUE(partition->log().wake(Timestamp(0)).has_value()) << "opening it is not what is to be slow";

  wire::OffsetCommitRequest commit;
  commit.group_id = "g";
  auto& topic = commit.topics.emplace_back();
  topic.name = "orders";
  topic.partitions.emplace_back().committed_offset = 7;
  world.machine().disk().faults().slow = 10s;
  auto committing = world.send<wire::OffsetCommitApi>(commit, 9, Via{"member"});
  world.world().run_for(20ms);
  auto list = world.ask<wire::ListGroupsApi>({}, 5);
  ASSERT_TRUE(list.has_value()) << list.error().message;
  ASSERT_EQ(list->groups.size(), 1u);
  EXPECT_EQ(partition->log().log_end_offset(), Offset(1));
  EXPECT_EQ(partition->high_watermark(), Offset(1));
  EXPECT_EQ(world.wait<wire::OffsetCommitApi>(committing)->topics.at(0).partitions.at(0).error_code, 0);
}

TEST_F(Groups, a_stop_answers_members_that_are_joining) {
  find_coordinator();
  auto first = join(9);
  ASSERT_EQ(world_.ask<wire::SyncGroupApi>(sync_request(first), 5)->error_code, 0);
  Via other{"other", false};
  auto id = world_.ask<wire::JoinGroupApi>(join_request(), 9, other);
  auto waiting = world_.send<wire::JoinGroupApi>(join_request(id->member_id), 9, other);
  world_.world().run_for(1s);
  ASSERT_FALSE(waiting->has_value());
  Instant before = world_.world().now();
  ASSERT_TRUE(world_.stop());
  EXPECT_LT(world_.world().now() - before, 5s);
  auto answer = world_.wait<wire::JoinGroupApi>(waiting);
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->error_code, code(ErrorCode::NOT_COORDINATOR));
}

TEST_F(Groups, a_stable_group_survives_a_restart) {
  find_coordinator();
  auto joined = join(9);
  ASSERT_EQ(world_.ask<wire::SyncGroupApi>(sync_request(joined), 5)->error_code, 0);
  ASSERT_TRUE(world_.stop());
  ASSERT_TRUE(world_.start()) << world_.error();
  world_.world().run_for(1s);
  EXPECT_EQ(heartbeat(joined, 4), 0);
}

}  // namespace
}  // namespace milena::broker
