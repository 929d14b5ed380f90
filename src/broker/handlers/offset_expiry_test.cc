// Committed offsets that grow old, or whose topics are deleted: what a node takes away, and when (KIP-211).
#include <gtest/gtest.h>

#include "broker/testing/node_world.h"
#include "wire/apis/delete_topics.h"
#include "wire/apis/find_coordinator.h"
#include "wire/apis/heartbeat.h"
#include "wire/apis/join_group.h"
#include "wire/apis/leave_group.h"
#include "wire/apis/list_groups.h"
#include "wire/apis/offset_commit.h"
#include "wire/apis/offset_fetch.h"
#include "wire/apis/sync_group.h"
#include "wire/error_code.h"

namespace milena::broker {
namespace {

Duration days(int count) { return std::chrono::hours(24 * count); }

// Two minutes of retention, looked at every ten seconds.
class Expiry : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(world_.start()) << world_.error();
    for (const char* topic : {"read", "left"}) world_.create_topic(topic);
    wire::FindCoordinatorRequest request;
    request.coordinator_keys = {"g"};
    ASSERT_EQ(world_.ask<wire::FindCoordinatorApi>(request, 4)->coordinators.at(0).error_code, 0);
    world_.world().run_for(1s);
  }

  struct Member {
    std::string id;
    std::int32_t generation = -1;
  };
  // The only member of "g", subscribed to "read".
  Member join() {
    std::string subscription("\0\1\0\0\0\1\0\4read\xff\xff\xff\xff", 17);
    wire::JoinGroupRequest request;
    request.group_id = "g";
    request.session_timeout_ms = 10000;
    request.rebalance_timeout_ms = 20000;
    request.protocol_type = "consumer";
    auto& protocol = request.protocols.emplace_back();
    protocol.name = "range";
    protocol.metadata = Bytes::copy(subscription);
    auto joined = world_.ask<wire::JoinGroupApi>(request, 3);
    CHECK(joined.has_value() && joined->error_code == 0);
    wire::SyncGroupRequest sync;
    sync.group_id = "g";
    sync.member_id = joined->member_id;
    sync.generation_id = joined->generation_id;
    auto& assignment = sync.assignments.emplace_back();
    assignment.member_id = joined->member_id;
    assignment.assignment = Bytes::copy("all of it");
    CHECK(world_.ask<wire::SyncGroupApi>(sync, 3)->error_code == 0);
    return {joined->member_id, joined->generation_id};
  }
  std::int16_t heartbeat(const Member& member) {
    wire::HeartbeatRequest request;
    request.group_id = "g";
    request.member_id = member.id;
    request.generation_id = member.generation;
    return world_.ask<wire::HeartbeatApi>(request, 3)->error_code;
  }
  void live(const Member& member, Duration how_long) {
    for (Duration lived{}; lived < how_long; lived += 5s) {
      world_.world().run_for(5s);
      ASSERT_EQ(heartbeat(member), 0);
    }
  }
  void commit(const std::string& topic, const Member& member, std::int64_t retention_ms = -1) {
    wire::OffsetCommitRequest request;
    request.group_id = "g";
    request.member_id = member.id;
    request.generation_id_or_member_epoch = member.generation;
    request.retention_time_ms = retention_ms;
    auto& to = request.topics.emplace_back();
    to.name = topic;
    to.partitions.emplace_back().committed_offset = 7;
    std::int16_t version = retention_ms >= 0 ? 2 : 9;
    auto answer = world_.ask<wire::OffsetCommitApi>(request, version);
    ASSERT_EQ(answer->topics.at(0).partitions.at(0).error_code, 0);
  }
  void commit(const std::string& topic) { commit(topic, Member()); }
  // The topics that the group has offsets of, as one text.
  std::string topics() {
    wire::OffsetFetchRequest request;
    auto& group = request.groups.emplace_back();
    group.group_id = "g";
    group.topics.reset();
    auto answer = world_.ask<wire::OffsetFetchApi>(request, 9);
    CHECK(answer.has_value() && answer->groups.at(0).error_code == 0);
    std::string names;
    for (const auto& topic : answer->groups[0].topics) names += topic.name + " ";
    return names;
  }
  bool listed() {
    auto answer = world_.ask<wire::ListGroupsApi>({}, 4);
    CHECK(answer.has_value() && answer->error_code == 0);
    return !answer->groups.empty();
  }
  void restart() {
    ASSERT_TRUE(world_.stop());
    ASSERT_TRUE(world_.start()) << world_.error();
    world_.world().run_for(1s);
  }
  void delete_topic(const std::string& name) {
    wire::DeleteTopicsRequest request;
    request.topic_names = {name};
    request.timeout_ms = 30000;
    ASSERT_EQ(world_.ask<wire::DeleteTopicsApi>(request, 5)->responses.at(0).error_code, 0);
    world_.world().run_for(1s);
  }

  NodeWorld world_{{{"offsets.retention.minutes", "2"}, {"offsets.retention.check.interval.ms", "10000"}}};
};

TEST_F(Expiry, of_a_consumer_without_a_group_goes_by_the_age_of_each_commit) {
  commit("read");
  world_.world().run_for(1min);
  commit("left");
  world_.world().run_for(50s);
  EXPECT_EQ(topics(), "left read ");
  world_.world().run_for(21s);
  EXPECT_EQ(topics(), "left ");
  EXPECT_TRUE(listed());
  world_.world().run_for(1min);
  EXPECT_EQ(topics(), "");
  EXPECT_FALSE(listed()) << "an empty group goes with its last offset";
  restart();
  EXPECT_EQ(topics(), "") << "what is gone stays gone";
  EXPECT_FALSE(listed());
}

TEST_F(Expiry, a_running_group_keeps_what_it_subscribes_to_and_nothing_else) {
  Member member = join();
  commit("read", member);
  commit("left", member);
  live(member, 110s);
  EXPECT_EQ(topics(), "left read ");
  live(member, 25s);
  EXPECT_EQ(topics(), "read ");
  live(member, 10min);
  EXPECT_EQ(topics(), "read ");
}

TEST_F(Expiry, a_group_that_was_left_keeps_its_offsets_from_then_on) {
  Member member = join();
  commit("read", member);
  live(member, 5min);
  world_.world().run_for(10s);  // its session ends, the group is empty
  world_.world().run_for(110s);
  EXPECT_EQ(topics(), "read ");
  world_.world().run_for(30s);
  EXPECT_EQ(topics(), "");
  EXPECT_FALSE(listed());
}

TEST_F(Expiry, time_goes_on_while_the_node_is_down) {
  commit("read");
  ASSERT_TRUE(world_.stop());
  world_.world().run_for(5min);
  ASSERT_TRUE(world_.start()) << world_.error();
  world_.world().run_for(15s);
  EXPECT_EQ(topics(), "");
}

TEST_F(Expiry, an_old_client_says_itself_how_long) {
  commit("read", Member(), 30'000);
  world_.world().run_for(25s);
  EXPECT_EQ(topics(), "read ");
  world_.world().run_for(16s);
  EXPECT_EQ(topics(), "");
}

// The wall clock says how old an offset is, and nothing about who is alive.
TEST_F(Expiry, S7_a_jump_of_the_wall_clock_ends_no_session) {
  for (Duration jump : {days(30), days(-60), days(3)}) {
    Member member = join();
    commit("read", member);
    world_.world().run_for(3s);
    world_.machine().clock().jump_wall(jump);
    live(member, 30s);
    EXPECT_EQ(topics(), "read ");
    wire::LeaveGroupRequest leave;
    leave.group_id = "g";
    leave.members.emplace_back().member_id = member.id;
    ASSERT_EQ(world_.ask<wire::LeaveGroupApi>(leave, 4)->error_code, 0);
    world_.world().run_for(1min);
    EXPECT_EQ(topics(), "read ") << "empty for a minute only";
  }
  world_.world().run_for(75s);
  EXPECT_EQ(topics(), "");
}

TEST_F(Expiry, a_deleted_topic_takes_its_offsets_along) {
  Member member = join();
  commit("read", member);
  commit("left", member);
  delete_topic("read");
  EXPECT_EQ(topics(), "left ");
  world_.create_topic("read");
  EXPECT_EQ(topics(), "left ");
  EXPECT_EQ(heartbeat(member), 0);
  restart();
  EXPECT_EQ(topics(), "left ");
  world_.world().run_for(10s);  // the member is gone
  delete_topic("left");
  EXPECT_EQ(topics(), "");
  world_.world().run_for(15s);
  EXPECT_FALSE(listed());
}

}  // namespace
}  // namespace milena::broker
