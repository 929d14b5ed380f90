#include "base/endian.h"
#include "group/test_shard.h"

namespace milena::group {
namespace {

using wire::ErrorCode;
using wire::to_int16;

Bytes subscription(const std::string& topic) {
  Buffer b;
  b.append(std::string_view("\0\1\0\0\0\1\0", 7));
  b.push_back(static_cast<std::uint8_t>(topic.size()));
  b.append(topic);
  b.append(std::string_view("\xff\xff\xff\xff", 4));
  return b.freeze();
}

/// A member subscribed to `topic`, alone in its stable group.
std::string subscribed_member(TestShard& shard, const std::string& topic, std::string protocol_type = "consumer") {
  wire::JoinGroupRequest request;
  request.group_id = "g";
  request.protocol_type = std::move(protocol_type);
  request.session_timeout_ms = 10000;
  request.rebalance_timeout_ms = 10000;
  request.protocols.push_back({"range", subscription(topic)});
  RequestInfo i = shard.info(3);
  shard.apply(shard.groups().join_group(request, i, shard.now()));
  shard.tick(3s);
  std::string id = shard.joined(i.token).member_id;
  shard.sync(id, shard.joined(i.token).generation_id, {{id, "x"}});
  return id;
}

TEST(OffsetCommit, OfASimpleConsumerMakesAGroup) {
  TestShard shard;
  EXPECT_EQ(shard.fetch().committed_offset, -1);
  EXPECT_EQ(shard.commit("", -1, 42, "g", "t", 0, "note"), ErrorCode::NONE);
  auto fetched = shard.fetch();
  EXPECT_EQ(fetched.committed_offset, 42);
  EXPECT_EQ(fetched.committed_leader_epoch, 7);
  EXPECT_EQ(fetched.metadata, "note");
  EXPECT_EQ(fetched.error_code, 0);
  EXPECT_EQ(shard.fetch("g", "t", 1).committed_offset, -1);
  EXPECT_EQ(shard.fetch("g", "t", 1).metadata, "");
  EXPECT_EQ(shard.state(), "Empty");
}

TEST(OffsetCommit, IsFencedByMemberAndGeneration) {
  TestShard shard;
  EXPECT_EQ(shard.commit("m", 1, 5), ErrorCode::GROUP_ID_NOT_FOUND);
  EXPECT_EQ(shard.commit("m", 1, 5, "g", "t", 0, "", 8), ErrorCode::ILLEGAL_GENERATION);
  auto ids = shard.stable_group(2);
  EXPECT_EQ(shard.commit(ids[0], 1, 5), ErrorCode::NONE);
  EXPECT_EQ(shard.commit(ids[0], 0, 5), ErrorCode::ILLEGAL_GENERATION);
  EXPECT_EQ(shard.commit(ids[0], -1, 5), ErrorCode::ILLEGAL_GENERATION);
  EXPECT_EQ(shard.commit("who", 1, 5), ErrorCode::UNKNOWN_MEMBER_ID);
  EXPECT_EQ(shard.commit("", -1, 5), ErrorCode::UNKNOWN_MEMBER_ID);
  shard.join({.member_id = ids[0]});
  EXPECT_EQ(shard.commit(ids[1], 1, 6), ErrorCode::NONE) << "while the group prepares, commits still count";
  shard.join({.member_id = ids[1]});
  EXPECT_EQ(shard.commit(ids[1], 2, 7), ErrorCode::REBALANCE_IN_PROGRESS);
  EXPECT_EQ(shard.fetch().committed_offset, 6);
}

TEST(OffsetCommit, OfAnEmptyGroupByAnAdministrator) {
  TestShard shard;
  shard.stable_group(1);
  shard.tick(10s);
  ASSERT_EQ(shard.state(), "Empty");
  EXPECT_EQ(shard.commit("", -1, 9), ErrorCode::NONE);
  EXPECT_EQ(shard.commit("who", 1, 9), ErrorCode::UNKNOWN_MEMBER_ID);
}

TEST(OffsetCommit, IsASignOfLife) {
  TestShard shard;
  auto ids = shard.stable_group(1);
  for (int i = 0; i < 5; ++i) {
    shard.tick(9s);
    EXPECT_EQ(shard.commit(ids[0], 1, i), ErrorCode::NONE);
  }
  EXPECT_EQ(shard.state(), "Stable");
}

TEST(OffsetCommit, MetadataIsLimitedInCharactersOfJava) {
  TestShard shard;
  EXPECT_EQ(shard.commit("", -1, 1, "g", "t", 0, std::string(4096, 'a')), ErrorCode::NONE);
  EXPECT_EQ(shard.commit("", -1, 2, "g", "t", 0, std::string(4097, 'a')), ErrorCode::OFFSET_METADATA_TOO_LARGE);
  std::string umlauts, emoji;
  for (int i = 0; i < 4096; ++i) umlauts += "ü";
  for (int i = 0; i < 2049; ++i) emoji += "😀";
  EXPECT_EQ(shard.commit("", -1, 3, "g", "t", 0, umlauts), ErrorCode::NONE);
  EXPECT_EQ(shard.commit("", -1, 4, "g", "t", 0, emoji), ErrorCode::OFFSET_METADATA_TOO_LARGE);
  EXPECT_EQ(shard.fetch().committed_offset, 3);
}

TEST(OffsetCommit, RecordsAreOfTheVersionsThatKafkaWrites) {
  TestShard shard;
  shard.commit("", -1, 1);
  EXPECT_EQ(load_be<std::int16_t>(shard.log().back().first.value->data()), 4);
  shard.commit("", -1, 1, "g", "t", 0, "", 4, 5000);
  EXPECT_EQ(load_be<std::int16_t>(shard.log().back().first.value->data()), 1);
  EXPECT_EQ(parse_offset_value(shard.log().back().first)->expire_timestamp, shard.now().wall.value() + 5000);
}

TEST(OffsetCommit, ATopicThatWasMadeAnewHasNoOffsets) {
  TestShard shard;
  Uuid first{1, 2}, second{3, 4};
  EXPECT_EQ(shard.commit("", -1, 8, "g", "t", 0, "", 10, -1, first), ErrorCode::NONE);
  EXPECT_EQ(shard.fetch("g", "t", 0, false, first).committed_offset, 8);
  EXPECT_EQ(shard.fetch("g", "t", 0, false, second).committed_offset, -1);
  EXPECT_EQ(shard.fetch().committed_offset, 8);
}

TEST(OffsetFetch, AllTopicsWhenNoneAreNamed) {
  TestShard shard;
  shard.commit("", -1, 1, "g", "b", 0);
  shard.commit("", -1, 2, "g", "a", 5);
  shard.commit("", -1, 3, "g", "a", 1);
  wire::OffsetFetchRequest::OffsetFetchRequestGroup request;
  request.group_id = "g";
  request.topics = std::nullopt;
  auto all = shard.groups().offset_fetch(request, true);
  ASSERT_EQ(all.topics.size(), 2u);
  EXPECT_EQ(all.topics[0].name, "a");
  ASSERT_EQ(all.topics[0].partitions.size(), 2u);
  EXPECT_EQ(all.topics[0].partitions[0].partition_index, 1);
  EXPECT_EQ(all.topics[0].partitions[0].committed_offset, 3);
  request.group_id = "nobody";
  EXPECT_TRUE(shard.groups().offset_fetch(request, true).topics.empty());
}

/// A transactional commit of `offset` by `producer`.
void txn_commit(TestShard& shard, std::int64_t producer, std::int64_t offset, std::int32_t generation = -1,
                const std::string& member = "", ErrorCode expected = ErrorCode::NONE) {
  wire::TxnOffsetCommitRequest request;
  request.group_id = "g";
  request.producer_id = producer;
  request.generation_id = generation;
  request.member_id = member;
  auto& topic = request.topics.emplace_back();
  topic.name = "t";
  topic.partitions.emplace_back().committed_offset = offset;
  RequestInfo i = shard.info(4);
  shard.apply(shard.groups().txn_offset_commit(request, i, shard.now()), ProducerId(producer));
  EXPECT_EQ(shard.reply<wire::TxnOffsetCommitResponse>(i.token).topics[0].partitions[0].error_code,
            to_int16(expected));
}

TEST(Transaction, OffsetsArePendingUntilItEnds) {
  TestShard shard;
  shard.commit("", -1, 10);
  txn_commit(shard, 77, 20);
  EXPECT_EQ(shard.fetch().committed_offset, 10);
  EXPECT_EQ(shard.fetch("g", "t", 0, true).error_code, to_int16(ErrorCode::UNSTABLE_OFFSET_COMMIT));
  EXPECT_EQ(shard.fetch("g", "t", 0, true).committed_offset, -1);
  shard.groups().replay_end_transaction(ProducerId(77), false);
  EXPECT_EQ(shard.fetch("g", "t", 0, true).committed_offset, 10);
  txn_commit(shard, 77, 30);
  shard.groups().replay_end_transaction(ProducerId(78), true);
  EXPECT_EQ(shard.fetch("g", "t", 0, true).error_code, to_int16(ErrorCode::UNSTABLE_OFFSET_COMMIT));
  shard.groups().replay_end_transaction(ProducerId(77), true);
  EXPECT_EQ(shard.fetch("g", "t", 0, true).committed_offset, 30);
  shard.groups().check_invariants();
}

TEST(Transaction, TheLaterRecordWinsWhateverEndsFirst) {
  TestShard shard;
  txn_commit(shard, 1, 100);
  txn_commit(shard, 2, 200);
  shard.groups().replay_end_transaction(ProducerId(2), true);
  EXPECT_EQ(shard.fetch("g", "t", 0, true).error_code, to_int16(ErrorCode::UNSTABLE_OFFSET_COMMIT));
  shard.groups().replay_end_transaction(ProducerId(1), true);
  EXPECT_EQ(shard.fetch("g", "t", 0, true).committed_offset, 200);
}

TEST(Transaction, IsFencedByTheGroup) {
  TestShard shard;
  txn_commit(shard, 1, 1, 3, "m", ErrorCode::ILLEGAL_GENERATION);
  auto ids = shard.stable_group(1);
  txn_commit(shard, 1, 1, 1, ids[0]);
  txn_commit(shard, 1, 1, 0, ids[0], ErrorCode::ILLEGAL_GENERATION);
  txn_commit(shard, 1, 1, 1, "who", ErrorCode::UNKNOWN_MEMBER_ID);
  txn_commit(shard, 1, 1, -1, "");
}

ErrorCode delete_offset(TestShard& shard, const std::string& topic, ErrorCode* at_partition = nullptr) {
  wire::OffsetDeleteRequest request;
  request.group_id = "g";
  auto& t = request.topics.emplace_back();
  t.name = topic;
  t.partitions.emplace_back().partition_index = 0;
  RequestInfo i = shard.info(0);
  shard.apply(shard.groups().offset_delete(request, i, shard.now()));
  const auto& response = shard.reply<wire::OffsetDeleteResponse>(i.token);
  if (at_partition != nullptr) {
    *at_partition = wire::error_code_from(response.topics.at(0).partitions.at(0).error_code);
  }
  return wire::error_code_from(response.error_code);
}

TEST(OffsetDelete, SparesSubscribedTopics) {
  TestShard shard;
  EXPECT_EQ(delete_offset(shard, "t"), ErrorCode::GROUP_ID_NOT_FOUND);
  std::string id = subscribed_member(shard, "t");
  shard.commit(id, 1, 5, "g", "t");
  shard.commit(id, 1, 6, "g", "u");
  ErrorCode code{};
  EXPECT_EQ(delete_offset(shard, "t", &code), ErrorCode::NONE);
  EXPECT_EQ(code, ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC);
  EXPECT_EQ(delete_offset(shard, "u", &code), ErrorCode::NONE);
  EXPECT_EQ(code, ErrorCode::NONE);
  EXPECT_EQ(shard.fetch("g", "t").committed_offset, 5);
  EXPECT_EQ(shard.fetch("g", "u").committed_offset, -1);
}

TEST(OffsetDelete, OfARunningGroupOfOtherProtocolTypesIsRefused) {
  TestShard shard;
  subscribed_member(shard, "t", "connect");
  EXPECT_EQ(delete_offset(shard, "t"), ErrorCode::NON_EMPTY_GROUP);
  shard.tick(10s);
  EXPECT_EQ(delete_offset(shard, "t"), ErrorCode::NONE);
}

TEST(Expiry, OffsetsOfASimpleGroupGoByTheirOwnAgeAndTheGroupWithThem) {
  TestShard shard;
  shard.load();
  shard.commit("", -1, 1, "g", "t", 0);
  shard.tick(std::chrono::hours(100));
  shard.commit("", -1, 2, "g", "t", 1);
  EXPECT_EQ(shard.apply(shard.groups().expire_offsets(shard.now())), 0u);
  shard.tick(std::chrono::hours(68));
  EXPECT_EQ(shard.apply(shard.groups().expire_offsets(shard.now())), 1u);
  EXPECT_EQ(shard.fetch("g", "t", 0).committed_offset, -1);
  EXPECT_EQ(shard.fetch("g", "t", 1).committed_offset, 2);
  shard.tick(std::chrono::hours(100));
  EXPECT_EQ(shard.apply(shard.groups().expire_offsets(shard.now())), 2u) << "the offset, and the group";
  EXPECT_EQ(shard.groups().group_count(), 0u);
  EXPECT_EQ(shard.state(), "Dead");
}

TEST(Expiry, AGroupThatEmptiedKeepsItsOffsetsFromThenOn) {
  TestShard shard;
  shard.load();
  std::string id = subscribed_member(shard, "t");
  shard.commit(id, 1, 5);
  for (int i = 0; i < 3; ++i) {  // alive, subscribed: never expires
    for (int h = 0; h < 100 * 3600 / 9; ++h) {
      shard.tick(9s);
      ASSERT_EQ(shard.heartbeat(id, 1), ErrorCode::NONE);
    }
    EXPECT_EQ(shard.apply(shard.groups().expire_offsets(shard.now())), 0u);
  }
  shard.leave({{id, {}}});
  shard.tick(std::chrono::hours(168) - 1ms);
  EXPECT_EQ(shard.apply(shard.groups().expire_offsets(shard.now())), 0u);
  shard.tick(1ms);
  EXPECT_EQ(shard.apply(shard.groups().expire_offsets(shard.now())), 2u);
  EXPECT_EQ(shard.groups().group_count(), 0u);
}

TEST(Expiry, AnExpiryOfItsOwnComesFirst) {
  TestShard shard;
  shard.load();
  shard.commit("", -1, 1, "g", "t", 0, "", 3, 1000);
  shard.tick(999ms);
  EXPECT_EQ(shard.apply(shard.groups().expire_offsets(shard.now())), 0u);
  shard.tick(1ms);
  EXPECT_EQ(shard.apply(shard.groups().expire_offsets(shard.now())), 2u);
}

TEST(Expiry, PendingOffsetsHoldTheGroup) {
  TestShard shard;
  shard.load();
  shard.commit("", -1, 1);
  txn_commit(shard, 5, 2);
  shard.tick(std::chrono::hours(200));
  EXPECT_EQ(shard.apply(shard.groups().expire_offsets(shard.now())), 0u);
  shard.groups().replay_end_transaction(ProducerId(5), false);
  EXPECT_EQ(shard.apply(shard.groups().expire_offsets(shard.now())), 2u);
}

TEST(Expiry, WhatCouldNotBeAppendedIsLookedAtAgain) {
  TestShard shard;
  shard.load();
  shard.commit("", -1, 1);
  shard.tick(std::chrono::hours(200));
  EXPECT_EQ(shard.groups().expire_offsets(shard.now()).records.size(), 2u);  // and the disk was full
  EXPECT_EQ(shard.fetch().committed_offset, 1);
  EXPECT_EQ(shard.apply(shard.groups().expire_offsets(shard.now())), 2u);
  EXPECT_EQ(shard.groups().group_count(), 0u);
  EXPECT_EQ(shard.apply(shard.groups().expire_offsets(shard.now())), 0u);
}

TEST(TopicsDeleted, TakesTheirOffsetsPendingOnesTooButNotThoseOfANewTopicOfTheName) {
  TestShard shard;
  shard.load();
  Uuid first{1, 2}, second{3, 4};
  shard.commit("", -1, 8, "with id", "t", 0, "", 10, -1, first);
  shard.commit("", -1, 8, "without", "t", 1);
  shard.commit("", -1, 8, "other topic", "u", 0);
  shard.commit("", -1, 8, "new topic", "t", 0, "", 10, -1, second);
  txn_commit(shard, 5, 2);
  EXPECT_EQ(shard.apply(shard.groups().topics_deleted({{first, "t"}, {Uuid{9, 9}, "v"}})), 3u);
  EXPECT_EQ(shard.fetch("with id").committed_offset, -1);
  EXPECT_EQ(shard.fetch("without", "t", 1).committed_offset, -1);
  EXPECT_EQ(shard.fetch("other topic", "u").committed_offset, 8);
  EXPECT_EQ(shard.fetch("new topic").committed_offset, 8);
  shard.groups().replay_end_transaction(ProducerId(5), true);
  EXPECT_EQ(shard.fetch().committed_offset, -1) << "the transaction's end brings nothing back";
  EXPECT_EQ(shard.apply(shard.groups().topics_deleted({{first, "t"}})), 0u);
}

}  // namespace
}  // namespace milena::group
