#include "group/test_shard.h"
#include "wire/messages/consumer_group_current_member_assignment_value.h"
#include "wire/messages/consumer_group_member_metadata_value.h"
#include "wire/messages/consumer_group_metadata_value.h"
#include "wire/writer.h"

namespace milena::group {
namespace {

using wire::ErrorCode;
using wire::to_int16;

/// A record of another protocol: key type, group id and, where the type has one, member id.
template <class Value>
GroupRecord other_record(std::int16_t type, const std::string& group, const std::string& member, const Value& value) {
  wire::Writer key, body;
  key.write_int16(type);
  key.write_string(group, false);
  if (!member.empty()) key.write_string(member, false);
  body.write_int16(0);
  value.encode(body, 0);
  return {key.to_bytes(), body.to_bytes()};
}

/// A KIP-848 group with one member "m" at epoch 3, subscribed to "t".
void load_consumer_group(TestShard& shard, bool with_member) {
  wire::ConsumerGroupMetadataValue group;
  group.epoch = 3;
  Effects records;
  records.records.push_back(other_record(3, "new", "", group));
  if (with_member) {
    wire::ConsumerGroupMemberMetadataValue member;
    member.subscribed_topic_names.push_back("t");
    wire::ConsumerGroupCurrentMemberAssignmentValue assignment;
    assignment.member_epoch = 3;
    records.records.push_back(other_record(5, "new", "m", member));
    records.records.push_back(other_record(8, "new", "m", assignment));
  }
  shard.apply(std::move(records));
}

TEST(ListGroups, FiltersByStateAndType) {
  TestShard shard;
  load_consumer_group(shard, true);
  shard.load();
  shard.stable_group(1);
  shard.commit("", -1, 1, "simple");
  auto ids = [](const auto& list) {
    std::string text;
    for (const auto& g : list) text += g.group_id + " ";
    return text;
  };
  auto all = shard.groups().list_groups({}, {});
  ASSERT_EQ(ids(all), "g new simple ");
  EXPECT_EQ(all[0].protocol_type, "consumer");
  EXPECT_EQ(all[0].group_state, "Stable");
  EXPECT_EQ(all[0].group_type, "classic");
  EXPECT_EQ(all[1].protocol_type, "consumer");
  EXPECT_EQ(all[1].group_type, "consumer");
  EXPECT_EQ(all[2].protocol_type, "");
  EXPECT_EQ(all[2].group_state, "Empty");
  std::vector<std::string> stable{"stable"}, empty{"Empty", "Dead"}, classic{"Classic"}, consumer{"consumer"};
  EXPECT_EQ(ids(shard.groups().list_groups(stable, {})), "g new ");
  EXPECT_EQ(ids(shard.groups().list_groups(empty, {})), "simple ");
  EXPECT_EQ(ids(shard.groups().list_groups(stable, classic)), "g ");
  EXPECT_EQ(ids(shard.groups().list_groups({}, consumer)), "new ");
  std::vector<std::string> nonsense{"nonsense"};
  EXPECT_EQ(ids(shard.groups().list_groups({}, nonsense)), "");
}

TEST(DescribeGroups, ShowsMetadataOnlyOfAStableGroup) {
  TestShard shard;
  auto member = shard.join_dynamic();
  auto joining = shard.groups().describe_group("g", 6);
  EXPECT_EQ(joining.group_state, "PreparingRebalance");
  EXPECT_EQ(joining.protocol_data, "");
  ASSERT_EQ(joining.members.size(), 1u);
  EXPECT_TRUE(joining.members[0].member_metadata.empty());
  shard.tick(3s);
  shard.sync(member.id, 1, {{member.id, "mine"}});
  auto stable = shard.groups().describe_group("g", 6);
  EXPECT_EQ(stable.protocol_data, "range");
  EXPECT_EQ(stable.members[0].member_id, member.id);
  EXPECT_EQ(stable.members[0].client_id, "client");
  EXPECT_EQ(stable.members[0].client_host, "/10.0.0.1");
  EXPECT_EQ(stable.members[0].member_metadata.text(), "meta-range");
  EXPECT_EQ(stable.members[0].member_assignment.text(), "mine");
}

TEST(DescribeGroups, AnUnknownGroupIsDead) {
  TestShard shard;
  load_consumer_group(shard, false);
  auto old = shard.groups().describe_group("nobody", 5);
  EXPECT_EQ(old.group_state, "Dead");
  EXPECT_EQ(old.error_code, 0);
  auto now = shard.groups().describe_group("nobody", 6);
  EXPECT_EQ(now.group_state, "Dead");
  EXPECT_EQ(now.error_code, to_int16(ErrorCode::GROUP_ID_NOT_FOUND));
  EXPECT_EQ(now.error_message, "Group nobody not found.");
  EXPECT_EQ(shard.groups().describe_group("new", 6).error_message, "Group new is not a classic group.");
}

ErrorCode delete_group(TestShard& shard, const std::string& group) {
  wire::DeleteGroupsRequest request;
  request.groups_names.push_back(group);
  RequestInfo i = shard.info(2);
  shard.apply(shard.groups().delete_groups(request, i));
  return wire::error_code_from(shard.reply<wire::DeleteGroupsResponse>(i.token).results.at(0).error_code);
}

TEST(DeleteGroups, TakesGroupsWithoutMembersAndTheirOffsets) {
  TestShard shard;
  EXPECT_EQ(delete_group(shard, "g"), ErrorCode::GROUP_ID_NOT_FOUND);
  auto ids = shard.stable_group(1);
  shard.commit(ids[0], 1, 5);
  EXPECT_EQ(delete_group(shard, "g"), ErrorCode::NON_EMPTY_GROUP);
  shard.leave({{ids[0], {}}});
  EXPECT_EQ(delete_group(shard, "g"), ErrorCode::NONE);
  EXPECT_EQ(shard.groups().dump_durable(), "");
  EXPECT_EQ(shard.groups().group_count(), 0u);
  EXPECT_EQ(shard.groups().next_deadline(), Instant::never());
  EXPECT_EQ(delete_group(shard, "g"), ErrorCode::GROUP_ID_NOT_FOUND);
}

TEST(OtherProtocols, AClassicMemberCannotJoinARunningGroup) {
  TestShard shard;
  load_consumer_group(shard, true);
  shard.load();
  EXPECT_EQ(shard.joined(shard.join({.group = "new"})).error_code, to_int16(ErrorCode::INCONSISTENT_GROUP_PROTOCOL));
  EXPECT_EQ(shard.heartbeat("m", 3, "new"), ErrorCode::UNKNOWN_MEMBER_ID);
  EXPECT_EQ(delete_group(shard, "new"), ErrorCode::NON_EMPTY_GROUP);
}

TEST(OtherProtocols, AnEmptyConsumerGroupBecomesClassicWhenOneJoins) {
  TestShard shard;
  load_consumer_group(shard, false);
  shard.commit("", -1, 11, "new");
  shard.load();
  auto ids = shard.stable_group(1, {.group = "new"});
  EXPECT_EQ(shard.state("new"), "Stable");
  EXPECT_EQ(shard.fetch("new").committed_offset, 11);
  EXPECT_EQ(shard.groups().list_groups({}, {}).at(0).group_type, "classic");
}

TEST(OtherProtocols, OffsetsAreReadAndCommitsAreFencedByTheRecordedEpoch) {
  TestShard shard;
  load_consumer_group(shard, true);
  shard.load();
  EXPECT_EQ(shard.commit("m", 3, 21, "new"), ErrorCode::NONE);
  EXPECT_EQ(shard.fetch("new").committed_offset, 21);
  EXPECT_EQ(shard.commit("m", 2, 22, "new"), ErrorCode::STALE_MEMBER_EPOCH);
  EXPECT_EQ(shard.commit("m", 2, 22, "new", "t", 0, "", 8), ErrorCode::UNSUPPORTED_VERSION);
  EXPECT_EQ(shard.commit("x", 3, 22, "new"), ErrorCode::UNKNOWN_MEMBER_ID);
  EXPECT_EQ(shard.commit("", -1, 22, "new"), ErrorCode::UNKNOWN_MEMBER_ID);
  wire::OffsetFetchRequest::OffsetFetchRequestGroup request;
  request.group_id = "new";
  request.member_id = "m";
  request.member_epoch = 2;
  EXPECT_EQ(shard.groups().offset_fetch(request, false).error_code, to_int16(ErrorCode::STALE_MEMBER_EPOCH));
  request.member_epoch = 3;
  EXPECT_EQ(shard.groups().offset_fetch(request, false).error_code, 0);
}

TEST(OtherProtocols, NeverExpire) {
  TestShard shard;
  load_consumer_group(shard, false);
  shard.commit("", -1, 21, "new");
  shard.load();
  shard.tick(std::chrono::hours(1000));
  EXPECT_EQ(shard.apply(shard.groups().expire_offsets(shard.now())), 0u);
  EXPECT_EQ(shard.fetch("new").committed_offset, 21);
}

}  // namespace
}  // namespace milena::group
