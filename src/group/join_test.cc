#include "group/test_shard.h"

namespace milena::group {
namespace {

using wire::ErrorCode;
using wire::to_int16;

#define EXPECT_CODE(code, response) EXPECT_EQ(to_int16(ErrorCode::code), (response).error_code)

TEST(Join, RefusesAnEmptyGroupIdAndSessionTimeoutsOutOfBounds) {
  TestShard shard;
  EXPECT_CODE(INVALID_GROUP_ID, shard.joined(shard.join({.group = ""})));
  EXPECT_CODE(INVALID_SESSION_TIMEOUT, shard.joined(shard.join({.session_ms = 5999})));
  EXPECT_CODE(INVALID_SESSION_TIMEOUT, shard.joined(shard.join({.session_ms = 1800001})));
  EXPECT_CODE(MEMBER_ID_REQUIRED, shard.joined(shard.join({.session_ms = 6000})));
  EXPECT_CODE(MEMBER_ID_REQUIRED, shard.joined(shard.join({.session_ms = 1800000})));
}

TEST(Join, HandsOutAMemberIdFromVersionFourOn) {
  TestShard shard;
  const auto& response = shard.joined(shard.join({.version = 4}));
  EXPECT_CODE(MEMBER_ID_REQUIRED, response);
  EXPECT_TRUE(response.member_id.starts_with("client-"));
  EXPECT_EQ(response.member_id.size(), std::string("client-").size() + 36);
  // Before, the member is in at once and waits for the initial delay.
  RequestToken old = shard.join({.group = "old", .version = 3});
  EXPECT_FALSE(shard.answered(old));
  shard.tick(3s);
  EXPECT_CODE(NONE, shard.joined(old));
}

TEST(Join, RecordsAnEmptyGroupWhenTheFirstMemberAsks) {
  TestShard shard;
  shard.join({});
  ASSERT_EQ(shard.log().size(), 1u);
  auto value = parse_group_value(shard.log()[0].first);
  ASSERT_FALSE(value.failed());
  EXPECT_EQ(value->generation, 0);
  EXPECT_EQ(value->protocol_type, "");
  EXPECT_EQ(value->protocol, std::nullopt);
  EXPECT_EQ(value->leader, std::nullopt);
  EXPECT_TRUE(value->members.empty());
  shard.join({});
  EXPECT_EQ(shard.log().size(), 1u);
}

TEST(Join, AnUnknownMemberIsRefused) {
  TestShard shard;
  EXPECT_CODE(UNKNOWN_MEMBER_ID, shard.joined(shard.join({.member_id = "who"})));
  shard.stable_group(1);
  EXPECT_CODE(UNKNOWN_MEMBER_ID, shard.joined(shard.join({.member_id = "who"})));
  EXPECT_CODE(UNKNOWN_MEMBER_ID, shard.joined(shard.join({.member_id = "who", .instance = "i"})));
}

TEST(Join, CompletesAfterTheInitialDelayWithOneLeaderWhoSeesAllMembers) {
  TestShard shard;
  auto a = shard.join_dynamic();
  auto b = shard.join_dynamic();
  EXPECT_EQ(shard.state(), "PreparingRebalance");
  shard.tick(2999ms);
  EXPECT_FALSE(shard.answered(a.token));
  // b came during the first delay: it is extended once by another.
  shard.tick(1ms);
  EXPECT_FALSE(shard.answered(a.token));
  shard.tick(3s);
  const auto& leader = shard.joined(a.token);
  const auto& follower = shard.joined(b.token);
  EXPECT_CODE(NONE, leader);
  EXPECT_EQ(leader.leader, a.id);
  EXPECT_EQ(leader.generation_id, 1);
  EXPECT_EQ(leader.protocol_name, "range");
  EXPECT_EQ(leader.protocol_type, "consumer");
  ASSERT_EQ(leader.members.size(), 2u);
  EXPECT_EQ(leader.members[0].metadata.text(), "meta-range");
  EXPECT_EQ(follower.leader, a.id);
  EXPECT_EQ(follower.generation_id, 1);
  EXPECT_TRUE(follower.members.empty());
  EXPECT_FALSE(leader.skip_assignment);
  EXPECT_EQ(shard.state(), "CompletingRebalance");
}

TEST(Join, TheInitialDelayNeverExceedsTheRebalanceTimeout) {
  TestShard shard;
  auto first = shard.join_dynamic({.rebalance_ms = 8000});
  std::vector<TestShard::Member> more;
  for (int i = 0; i < 3; ++i) {
    shard.tick(1s);
    shard.tick(1s);
    more.push_back(shard.join_dynamic({.rebalance_ms = 8000}));
  }
  shard.tick(1s);
  EXPECT_FALSE(shard.answered(first.token));
  shard.tick(1s);
  EXPECT_CODE(NONE, shard.joined(first.token));
}

TEST(Join, OpaqueProtocolTypesAreAsGoodAsConsumer) {
  TestShard shard;
  auto ids = shard.stable_group(2, {.protocols = {"sessioned", "compatible"}, .protocol_type = "connect"});
  EXPECT_EQ(shard.groups().describe_group("g", 6).protocol_type, "connect");
  EXPECT_EQ(shard.groups().describe_group("g", 6).protocol_data, "sessioned");
}

TEST(Join, PicksTheProtocolThatAllHaveWithMostFirstVotes) {
  TestShard shard;
  auto a = shard.join_dynamic({.protocols = {"x", "roundrobin", "range"}});
  auto b = shard.join_dynamic({.protocols = {"range", "roundrobin"}});
  auto c = shard.join_dynamic({.protocols = {"roundrobin", "y", "range"}});
  shard.tick(3s);
  shard.tick(3s);
  EXPECT_EQ(shard.joined(a.token).protocol_name, "roundrobin");
  EXPECT_EQ(shard.joined(b.token).protocol_name, "roundrobin");
  EXPECT_EQ(shard.joined(c.token).protocol_name, "roundrobin");
}

TEST(Join, InconsistentProtocolsAreRefused) {
  TestShard shard;
  EXPECT_CODE(INCONSISTENT_GROUP_PROTOCOL, shard.joined(shard.join({.group = "n", .protocols = {}})));
  EXPECT_CODE(INCONSISTENT_GROUP_PROTOCOL, shard.joined(shard.join({.group = "n", .protocol_type = ""})));
  auto ids = shard.stable_group(1);
  EXPECT_CODE(INCONSISTENT_GROUP_PROTOCOL, shard.joined(shard.join({.protocols = {"sticky"}})));
  EXPECT_CODE(INCONSISTENT_GROUP_PROTOCOL, shard.joined(shard.join({.protocol_type = "connect"})));
  EXPECT_CODE(INCONSISTENT_GROUP_PROTOCOL, shard.joined(shard.join({.member_id = ids[0], .protocols = {"sticky"}})));
}

TEST(Join, ProtocolsNamedTwiceCountOnce) {
  TestShard shard;
  auto a = shard.join_dynamic({.protocols = {"range", "range"}});
  shard.tick(3s);
  EXPECT_EQ(shard.joined(a.token).protocol_name, "range");
}

TEST(Join, TheGroupHasAMaximumSize) {
  GroupOptions options;
  options.group_max_size = 2;
  TestShard shard(options);
  auto a = shard.join_dynamic();
  auto b = shard.join_dynamic();
  EXPECT_CODE(GROUP_MAX_SIZE_REACHED, shard.joined(shard.join({})));
  shard.tick(3s);
  shard.tick(3s);
  EXPECT_CODE(NONE, shard.joined(a.token));
  EXPECT_CODE(GROUP_MAX_SIZE_REACHED, shard.joined(shard.join({})));
  EXPECT_CODE(NONE, shard.joined(b.token));
}

TEST(Join, ALoadedGroupAboveTheMaximumRebalancesDownToIt) {
  TestShard big;
  auto ids = big.stable_group(3);
  GroupOptions options;
  options.group_max_size = 2;
  TestShard shard(options);
  for (const auto& [record, producer] : big.log()) shard.apply({.records = {record}, .replies = {}});
  shard.load();
  EXPECT_EQ(shard.state(), "PreparingRebalance");
  RequestToken a = shard.join({.member_id = ids[0]});
  RequestToken b = shard.join({.member_id = ids[1]});
  EXPECT_CODE(GROUP_MAX_SIZE_REACHED, shard.joined(shard.join({.member_id = ids[2]})));
  shard.tick(60s);
  EXPECT_CODE(NONE, shard.joined(a));
  EXPECT_CODE(NONE, shard.joined(b));
}

TEST(Join, AMemberOfACompletingGenerationGetsTheSameAnswerAgain) {
  TestShard shard;
  auto a = shard.join_dynamic();
  shard.tick(3s);
  RequestToken again = shard.join({.member_id = a.id});
  EXPECT_CODE(NONE, shard.joined(again));
  EXPECT_EQ(shard.joined(again).generation_id, 1);
  EXPECT_EQ(shard.joined(again).members.size(), 1u);
  // With other protocols it starts over.
  RequestToken other = shard.join({.member_id = a.id, .protocols = {"range", "sticky"}});
  EXPECT_EQ(shard.joined(other).generation_id, 2);
}

TEST(Join, InAStableGroupTheLeaderRebalancesAndAFollowerIsTold) {
  TestShard shard;
  auto ids = shard.stable_group(2);
  RequestToken follower = shard.join({.member_id = ids[1]});
  EXPECT_CODE(NONE, shard.joined(follower));
  EXPECT_EQ(shard.joined(follower).generation_id, 1);
  EXPECT_TRUE(shard.joined(follower).members.empty());
  EXPECT_EQ(shard.state(), "Stable");
  RequestToken leader = shard.join({.member_id = ids[0]});
  EXPECT_FALSE(shard.answered(leader));
  EXPECT_EQ(shard.state(), "PreparingRebalance");
  RequestToken rejoined = shard.join({.member_id = ids[1]});
  EXPECT_EQ(shard.joined(leader).generation_id, 2);
  EXPECT_EQ(shard.joined(rejoined).generation_id, 2);
}

TEST(Join, ASecondJoinOfTheSameMemberReplacesTheFirst) {
  TestShard shard;
  auto a = shard.join_dynamic();
  RequestToken again = shard.join({.member_id = a.id});
  EXPECT_CODE(REBALANCE_IN_PROGRESS, shard.joined(a.token));
  shard.tick(6s);
  shard.tick(6s);
  EXPECT_CODE(NONE, shard.joined(again));
}

TEST(Join, OldVersionsGetAnEmptyProtocolNameInsteadOfNull) {
  TestShard shard;
  auto ids = shard.stable_group(1);
  EXPECT_EQ(shard.joined(shard.join({.member_id = "who", .version = 5})).protocol_name, "");
  EXPECT_EQ(shard.joined(shard.join({.member_id = "who", .version = 7})).protocol_name, std::nullopt);
}

TEST(Join, VersionZeroRebalancesWithinTheSessionTimeout) {
  TestShard shard;
  RequestToken a = shard.join({.session_ms = 7000, .rebalance_ms = -1, .version = 0});
  shard.tick(3s);
  auto id = shard.joined(a).member_id;
  shard.sync(id, 1, {{id, "x"}}, "g", {}, 0);
  auto value = parse_group_value(shard.log().back().first);
  EXPECT_EQ(value->members.at(0).rebalance_timeout, 7000);
}

// ---- static members (KIP-345, KIP-814)

struct StaticGroup {
  TestShard shard;
  std::string leader, follower;
  explicit StaticGroup() {
    RequestToken a = shard.join({.instance = "ia"});
    RequestToken b = shard.join({.instance = "ib"});
    shard.tick(3s);
    shard.tick(3s);
    leader = shard.joined(a).member_id;
    follower = shard.joined(b).member_id;
    shard.sync(follower, 1, {}, "g", "ib");
    shard.sync(leader, 1, {{leader, "one"}, {follower, "two"}}, "g", "ia");
  }
};

TEST(StaticMember, JoinsWithoutAskingForAnIdFirst) {
  StaticGroup s;
  EXPECT_TRUE(s.leader.starts_with("ia-"));
  EXPECT_EQ(s.shard.state(), "Stable");
  auto value = parse_group_value(s.shard.log().back().first);
  EXPECT_EQ(value->members.at(0).group_instance_id, "ia");
}

TEST(StaticMember, AReturningFollowerKeepsTheGenerationAndFencesItsPast) {
  StaticGroup s;
  std::size_t records = s.shard.log().size();
  RequestToken back = s.shard.join({.instance = "ib"});
  const auto& response = s.shard.joined(back);
  EXPECT_CODE(NONE, response);
  EXPECT_TRUE(s.shard.after_commit(back));
  EXPECT_NE(response.member_id, s.follower);
  EXPECT_EQ(response.generation_id, 1);
  EXPECT_EQ(response.leader, s.leader);
  EXPECT_FALSE(response.skip_assignment);
  EXPECT_EQ(s.shard.log().size(), records + 1);
  EXPECT_EQ(s.shard.synced(s.shard.sync(response.member_id, 1, {}, "g", "ib")).assignment.text(), "two");

  EXPECT_EQ(s.shard.heartbeat(s.follower, 1, "g", "ib"), ErrorCode::FENCED_INSTANCE_ID);
  EXPECT_EQ(s.shard.heartbeat(s.follower, 1, "g"), ErrorCode::UNKNOWN_MEMBER_ID);
  EXPECT_CODE(FENCED_INSTANCE_ID, s.shard.joined(s.shard.join({.member_id = s.follower, .instance = "ib"})));
  EXPECT_CODE(FENCED_INSTANCE_ID, s.shard.synced(s.shard.sync(s.follower, 1, {}, "g", "ib")));
}

TEST(StaticMember, AReturningLeaderSkipsTheAssignment) {
  StaticGroup s;
  const auto& response = s.shard.joined(s.shard.join({.instance = "ia"}));
  EXPECT_EQ(response.leader, response.member_id);
  EXPECT_TRUE(response.skip_assignment);
  EXPECT_EQ(response.members.size(), 2u);
  EXPECT_EQ(response.generation_id, 1);
}

TEST(StaticMember, BeforeVersionNineAReturningLeaderIsToldOfItsPast) {
  StaticGroup s;
  const auto& response = s.shard.joined(s.shard.join({.instance = "ia", .version = 8}));
  EXPECT_EQ(response.leader, s.leader);
  EXPECT_FALSE(response.skip_assignment);
  EXPECT_TRUE(response.members.empty());
}

TEST(StaticMember, OtherProtocolsOfAReturningMemberRebalance) {
  StaticGroup s;
  RequestToken a = s.shard.join({.instance = "ia", .protocols = {"sticky", "range"}});
  EXPECT_TRUE(s.shard.answered(a)) << "range is still the choice";
  TestShard shard;
  RequestToken first = shard.join({.instance = "only", .protocols = {"x", "y"}});
  shard.tick(3s);
  auto id = shard.joined(first).member_id;
  shard.sync(id, 1, {{id, "z"}}, "g", "only");
  RequestToken changed = shard.join({.instance = "only", .protocols = {"y"}});
  EXPECT_EQ(shard.joined(changed).generation_id, 2);
  EXPECT_EQ(shard.joined(changed).protocol_name, "y");
}

TEST(StaticMember, ParkedRequestsOfThePastAreFenced) {
  TestShard shard;
  RequestToken first = shard.join({.instance = "i"});
  RequestToken second = shard.join({.instance = "i"});
  EXPECT_CODE(FENCED_INSTANCE_ID, shard.joined(first));
  shard.tick(6s);
  shard.tick(6s);
  EXPECT_CODE(NONE, shard.joined(second));
}

TEST(StaticMember, StaysThroughARebalanceItMissesUntilItsSessionEnds) {
  StaticGroup s;
  TestShard& shard = s.shard;
  RequestToken leader = shard.join({.member_id = s.leader, .instance = "ia", .session_ms = 100000});
  for (int i = 0; i < 6; ++i) {
    shard.heartbeat(s.follower, 1, "g", "ib");
    shard.tick(9s);
  }
  EXPECT_FALSE(shard.answered(leader));
  shard.heartbeat(s.follower, 1, "g", "ib");
  shard.tick(6s);
  EXPECT_EQ(shard.joined(leader).generation_id, 2);
  EXPECT_EQ(shard.joined(leader).members.size(), 2u) << "absent, but its session goes on";
}

}  // namespace
}  // namespace milena::group
