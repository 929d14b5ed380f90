#include "group/test_shard.h"

namespace milena::group {
namespace {

using wire::ErrorCode;
using wire::to_int16;

#define EXPECT_CODE(code, response) EXPECT_EQ(to_int16(ErrorCode::code), (response).error_code)

TEST(Sync, GivesEachMemberItsAssignmentOnceTheLeaderHasSent) {
  TestShard shard;
  auto a = shard.join_dynamic();
  auto b = shard.join_dynamic();
  shard.tick(6s);
  shard.tick(6s);
  RequestToken follower = shard.sync(b.id, 1);
  EXPECT_FALSE(shard.answered(follower));
  RequestToken leader = shard.sync(a.id, 1, {{a.id, "for a"}, {b.id, "for b"}});
  EXPECT_EQ(shard.synced(follower).assignment.text(), "for b");
  EXPECT_EQ(shard.synced(leader).assignment.text(), "for a");
  EXPECT_EQ(shard.synced(leader).protocol_name, "range");
  EXPECT_EQ(shard.synced(leader).protocol_type, "consumer");
  EXPECT_TRUE(shard.after_commit(follower));
  EXPECT_EQ(shard.state(), "Stable");
  // Who comes late or again reads it from the stable group.
  EXPECT_EQ(shard.synced(shard.sync(b.id, 1)).assignment.text(), "for b");

  auto value = parse_group_value(shard.log().back().first);
  EXPECT_EQ(value->generation, 1);
  EXPECT_EQ(value->leader, a.id);
  EXPECT_EQ(value->protocol, "range");
  ASSERT_EQ(value->members.size(), 2u);
  EXPECT_EQ(value->members[0].client_id, "client");
  EXPECT_EQ(value->members[0].client_host, "/10.0.0.1");
  EXPECT_EQ(value->members[0].session_timeout, 10000);
  EXPECT_EQ(value->members[0].subscription.text(), "meta-range");
}

TEST(Sync, MembersTheLeaderForgotGetNothing) {
  TestShard shard;
  auto a = shard.join_dynamic();
  shard.tick(3s);
  RequestToken t = shard.sync(a.id, 1);
  EXPECT_CODE(NONE, shard.synced(t));
  EXPECT_TRUE(shard.synced(t).assignment.empty());
}

TEST(Sync, Errors) {
  TestShard shard;
  EXPECT_CODE(INVALID_GROUP_ID, shard.synced(shard.sync("m", 1, {}, "")));
  EXPECT_CODE(UNKNOWN_MEMBER_ID, shard.synced(shard.sync("m", 1)));
  auto ids = shard.stable_group(2);
  EXPECT_CODE(UNKNOWN_MEMBER_ID, shard.synced(shard.sync("m", 1)));
  EXPECT_CODE(ILLEGAL_GENERATION, shard.synced(shard.sync(ids[0], 2)));
  wire::SyncGroupRequest request;
  request.group_id = "g";
  request.member_id = ids[0];
  request.generation_id = 1;
  request.protocol_name = "other";
  RequestInfo i = shard.info(5);
  shard.apply(shard.groups().sync_group(request, i, shard.now()));
  EXPECT_CODE(INCONSISTENT_GROUP_PROTOCOL, shard.synced(i.token));
  shard.join({.member_id = ids[0]});
  EXPECT_CODE(REBALANCE_IN_PROGRESS, shard.synced(shard.sync(ids[1], 1)));
}

TEST(Sync, MembersThatDoNotAskForTheirAssignmentAreRemoved) {
  TestShard shard;
  auto a = shard.join_dynamic({.session_ms = 100000});
  auto b = shard.join_dynamic({.session_ms = 100000});
  shard.tick(6s);
  shard.tick(6s);
  shard.sync(a.id, 1, {{a.id, "x"}, {b.id, "y"}});
  EXPECT_EQ(shard.state(), "Stable");
  for (int i = 0; i < 6; ++i) shard.tick(9s);
  EXPECT_EQ(shard.heartbeat(b.id, 1), ErrorCode::NONE);
  shard.tick(6s);
  EXPECT_EQ(shard.heartbeat(b.id, 1), ErrorCode::UNKNOWN_MEMBER_ID);
  EXPECT_EQ(shard.heartbeat(a.id, 1), ErrorCode::REBALANCE_IN_PROGRESS);
}

TEST(Sync, ARebalanceDuringSyncTellsThoseWhoWait) {
  TestShard shard;
  auto a = shard.join_dynamic();
  auto b = shard.join_dynamic();
  shard.tick(6s);
  shard.tick(6s);
  RequestToken waiting = shard.sync(b.id, 1);
  shard.join_dynamic();
  EXPECT_CODE(REBALANCE_IN_PROGRESS, shard.synced(waiting));
  EXPECT_EQ(shard.heartbeat(a.id, 1), ErrorCode::REBALANCE_IN_PROGRESS);
}

TEST(Heartbeat, Errors) {
  TestShard shard;
  EXPECT_EQ(shard.heartbeat("m", 1, ""), ErrorCode::INVALID_GROUP_ID);
  EXPECT_EQ(shard.heartbeat("m", 1), ErrorCode::UNKNOWN_MEMBER_ID);
  auto ids = shard.stable_group(1);
  EXPECT_EQ(shard.heartbeat(ids[0], 1), ErrorCode::NONE);
  EXPECT_EQ(shard.heartbeat(ids[0], 0), ErrorCode::ILLEGAL_GENERATION);
  EXPECT_EQ(shard.heartbeat(ids[0], 2), ErrorCode::ILLEGAL_GENERATION);
  EXPECT_EQ(shard.heartbeat("m", 1), ErrorCode::UNKNOWN_MEMBER_ID);
  EXPECT_EQ(shard.heartbeat(ids[0], 1, "g", "nobody"), ErrorCode::UNKNOWN_MEMBER_ID);
}

TEST(Session, AMemberWithoutHeartbeatsIsRemovedAndTheOthersRebalance) {
  TestShard shard;
  auto ids = shard.stable_group(2);
  shard.tick(6s);
  EXPECT_EQ(shard.heartbeat(ids[0], 1), ErrorCode::NONE);
  shard.tick(3999ms);
  EXPECT_EQ(shard.heartbeat(ids[0], 1), ErrorCode::NONE);
  shard.tick(1ms);
  EXPECT_EQ(shard.heartbeat(ids[0], 1), ErrorCode::REBALANCE_IN_PROGRESS);
  RequestToken t = shard.join({.member_id = ids[0]});
  EXPECT_EQ(shard.joined(t).generation_id, 2);
  EXPECT_EQ(shard.joined(t).members.size(), 1u);
}

TEST(Session, TheLastMembersEndLeavesAnEmptyGroupOnRecord) {
  TestShard shard;
  shard.stable_group(1);
  shard.tick(10s);
  EXPECT_EQ(shard.state(), "Empty");
  auto value = parse_group_value(shard.log().back().first);
  EXPECT_EQ(value->generation, 2);
  EXPECT_EQ(value->protocol_type, "consumer");
  EXPECT_EQ(value->protocol, std::nullopt);
  EXPECT_EQ(value->leader, std::nullopt);
  EXPECT_TRUE(value->members.empty());
  EXPECT_EQ(value->current_state_timestamp, shard.now().wall.value());
}

TEST(Session, AnIdHandedOutIsForgottenAfterTheSessionTimeout) {
  TestShard shard;
  std::string id = shard.joined(shard.join({})).member_id;
  shard.tick(10s);
  EXPECT_CODE(UNKNOWN_MEMBER_ID, shard.joined(shard.join({.member_id = id})));
}

TEST(Session, APendingIdHoldsTheRebalanceUpUntilItIsForgotten) {
  TestShard shard;
  auto ids = shard.stable_group(1);
  shard.join({});
  RequestToken t = shard.join({.member_id = ids[0]});
  EXPECT_FALSE(shard.answered(t));
  shard.tick(10s);
  EXPECT_EQ(shard.joined(t).generation_id, 2);
}

TEST(Session, ANewMemberThatWaitsMayWaitFiveMinutes) {
  TestShard shard;
  auto ids = shard.stable_group(1, {.rebalance_ms = 600000});
  auto late = shard.join_dynamic({.rebalance_ms = 600000});
  for (int i = 0; i < 49; ++i) {
    shard.tick(6s);
    EXPECT_EQ(shard.heartbeat(ids[0], 1), ErrorCode::REBALANCE_IN_PROGRESS);
  }
  EXPECT_FALSE(shard.answered(late.token));
  shard.tick(6s);
  EXPECT_CODE(UNKNOWN_MEMBER_ID, shard.joined(late.token));
}

TEST(Rebalance, MembersThatDoNotRejoinInTimeAreOut) {
  TestShard shard;
  auto ids = shard.stable_group(3, {.session_ms = 100000});
  RequestToken a = shard.join({.member_id = ids[0]});
  RequestToken b = shard.join({.member_id = ids[1]});
  shard.tick(59999ms);
  EXPECT_FALSE(shard.answered(a));
  shard.tick(1ms);
  EXPECT_EQ(shard.joined(a).generation_id, 2);
  EXPECT_EQ(shard.joined(a).members.size(), 2u);
  EXPECT_EQ(shard.joined(b).generation_id, 2);
  EXPECT_EQ(shard.heartbeat(ids[2], 2), ErrorCode::UNKNOWN_MEMBER_ID);
}

TEST(Rebalance, AnotherMemberLeadsWhenTheLeaderIsGone) {
  TestShard shard;
  auto ids = shard.stable_group(2, {.session_ms = 100000});
  auto third = shard.join_dynamic();
  RequestToken b = shard.join({.member_id = ids[1]});
  shard.tick(60s);
  EXPECT_NE(shard.joined(b).leader, ids[0]);
  EXPECT_EQ(shard.joined(b).leader, shard.joined(third.token).leader);
}

TEST(Rebalance, TheLongestRebalanceTimeoutCounts) {
  TestShard shard;
  auto a = shard.join_dynamic({.session_ms = 400000, .rebalance_ms = 10000});
  auto b = shard.join_dynamic({.session_ms = 400000, .rebalance_ms = 200000});
  shard.tick(6s);
  shard.tick(6s);
  shard.sync(b.id, 1);
  shard.sync(a.id, 1, {{a.id, "x"}});
  RequestToken again = shard.join({.member_id = a.id, .session_ms = 400000, .rebalance_ms = 10000});
  shard.tick(199s);
  EXPECT_FALSE(shard.answered(again));
  shard.tick(1s);
  EXPECT_CODE(NONE, shard.joined(again));
}

TEST(Leave, Errors) {
  TestShard shard;
  EXPECT_CODE(INVALID_GROUP_ID, shard.leave({{"m", {}}}, ""));
  auto absent = shard.leave({{"m", {}}, {"", "i"}});
  EXPECT_EQ(absent.error_code, 0);
  ASSERT_EQ(absent.members.size(), 2u);
  EXPECT_CODE(UNKNOWN_MEMBER_ID, absent.members[0]);
  EXPECT_CODE(UNKNOWN_MEMBER_ID, absent.members[1]);
  shard.join({.instance = "i"});
  auto result = shard.leave({{"m", {}}, {"", "nobody"}, {"wrong", "i"}});
  EXPECT_CODE(UNKNOWN_MEMBER_ID, result.members[0]);
  EXPECT_CODE(UNKNOWN_MEMBER_ID, result.members[1]);
  EXPECT_CODE(FENCED_INSTANCE_ID, result.members[2]);
}

TEST(Leave, TheRestRebalancesAndTheLastOneEmptiesTheGroup) {
  TestShard shard;
  auto ids = shard.stable_group(3);
  auto left = shard.leave({{ids[1], {}}, {ids[2], {}}});
  EXPECT_CODE(NONE, left.members[0]);
  EXPECT_CODE(NONE, left.members[1]);
  EXPECT_EQ(shard.state(), "PreparingRebalance");
  RequestToken t = shard.join({.member_id = ids[0]});
  EXPECT_EQ(shard.joined(t).members.size(), 1u);
  shard.leave({{ids[0], {}}});
  EXPECT_EQ(shard.state(), "Empty");
}

TEST(Leave, AStaticMemberByItsInstanceAloneAndAPendingIdByItself) {
  TestShard shard;
  RequestToken t = shard.join({.instance = "i"});
  EXPECT_CODE(NONE, shard.leave({{"", "i"}}).members[0]);
  EXPECT_CODE(UNKNOWN_MEMBER_ID, shard.joined(t));
  std::string pending = shard.joined(shard.join({.group = "p"})).member_id;
  EXPECT_CODE(NONE, shard.leave({{pending, {}}}, "p").members[0]);
  EXPECT_CODE(UNKNOWN_MEMBER_ID, shard.joined(shard.join({.group = "p", .member_id = pending})));
}

TEST(Leave, BeforeVersionThreeTheErrorIsTheResponses) {
  TestShard shard;
  auto ids = shard.stable_group(1);
  wire::LeaveGroupRequest request;
  request.group_id = "g";
  request.member_id = "who";
  RequestInfo i = shard.info(2);
  shard.apply(shard.groups().leave_group(request, i, shard.now()));
  EXPECT_CODE(UNKNOWN_MEMBER_ID, shard.reply<wire::LeaveGroupResponse>(i.token));
  EXPECT_TRUE(shard.reply<wire::LeaveGroupResponse>(i.token).members.empty());
  request.member_id = ids[0];
  RequestInfo j = shard.info(2);
  shard.apply(shard.groups().leave_group(request, j, shard.now()));
  EXPECT_CODE(NONE, shard.reply<wire::LeaveGroupResponse>(j.token));
  EXPECT_EQ(shard.state(), "Empty");
}

TEST(Failure, AnAssignmentThatIsNotStoredIsNotUsed) {
  TestShard shard;
  auto a = shard.join_dynamic();
  auto b = shard.join_dynamic();
  shard.tick(6s);
  shard.tick(6s);
  RequestToken follower = shard.sync(b.id, 1);
  wire::SyncGroupRequest request;
  request.group_id = "g";
  request.member_id = a.id;
  request.generation_id = 1;
  request.assignments.push_back({a.id, Bytes::copy("x")});
  RequestInfo i = shard.info(5);
  Effects effects = shard.groups().sync_group(request, i, shard.now());
  ASSERT_EQ(effects.records.size(), 1u);
  shard.apply(shard.groups().append_failed(std::move(effects), ErrorCode::NOT_ENOUGH_REPLICAS, shard.now()));
  EXPECT_CODE(COORDINATOR_NOT_AVAILABLE, shard.synced(i.token));
  EXPECT_CODE(COORDINATOR_NOT_AVAILABLE, shard.synced(follower));
  EXPECT_EQ(shard.state(), "PreparingRebalance");
  RequestToken ja = shard.join({.member_id = a.id});
  shard.join({.member_id = b.id});
  EXPECT_EQ(shard.joined(ja).generation_id, 2);
}

TEST(Failure, UnloadAnswersEverybodyWhoWaits) {
  TestShard shard;
  auto a = shard.join_dynamic();
  auto b = shard.join_dynamic();
  shard.tick(6s);
  shard.tick(6s);
  RequestToken sync = shard.sync(b.id, 1);
  RequestToken join = shard.join({.group = "h", .instance = "i"});
  shard.apply(shard.groups().unload());
  EXPECT_CODE(NOT_COORDINATOR, shard.synced(sync));
  EXPECT_CODE(NOT_COORDINATOR, shard.joined(join));
  EXPECT_EQ(shard.groups().next_deadline(), Instant::never());
}

TEST(Failover, TheGenerationGoesOnAndSessionsBeginAnew) {
  TestShard old;
  auto ids = old.stable_group(2);
  TestShard shard;
  for (const auto& [record, producer] : old.log()) shard.apply({.records = {record}, .replies = {}});
  shard.load();
  EXPECT_EQ(shard.state(), "Stable");
  EXPECT_EQ(shard.heartbeat(ids[0], 1), ErrorCode::NONE);
  EXPECT_EQ(shard.synced(shard.sync(ids[1], 1)).assignment.text(), "a-" + ids[1]);
  shard.tick(10s);
  EXPECT_EQ(shard.state(), "Empty");
}

}  // namespace
}  // namespace milena::group
