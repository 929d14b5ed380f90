#include "group/record.h"

#include <gtest/gtest.h>

#include "group/groups.h"
#include "group/partition.h"
#include "group/test_shard.h"
#include "group/timers.h"
#include "wire/writer.h"

namespace milena::group {
namespace {

TEST(Partition, HashesAsJavaDoes) {
  EXPECT_EQ(java_hash_code(""), 0);
  EXPECT_EQ(java_hash_code("abc"), 96354);
  EXPECT_EQ(java_hash_code("polygenelubricants"), INT32_MIN);
  EXPECT_EQ(java_hash_code("é"), 0xe9);
  EXPECT_EQ(java_hash_code("€"), 0x20ac);
  EXPECT_EQ(java_hash_code("😀"), 0xd83d * 31 + 0xde00);
  EXPECT_EQ(java_hash_code("\xff"), 0xfffd);
  EXPECT_EQ(java_hash_code("\xe2\x82"), 0xfffd);
  EXPECT_EQ(java_hash_code("\xed\xa0\x80"), java_hash_code("\xff\xff\xff"));
  EXPECT_EQ(partition_for("polygenelubricants", 50), PartitionId(0));
  EXPECT_EQ(partition_for("abc", 50), PartitionId(96354 % 50));
  EXPECT_EQ(partition_for("abc", 1), PartitionId(0));
  // A negative hash: its absolute value counts, not its lower 31 bits.
  EXPECT_EQ(java_hash_code("two-classic"), -991505903);
  EXPECT_EQ(partition_for("two-classic", 7), PartitionId(991505903 % 7));
}

TEST(Record, OffsetCommitBytesAreKafkas) {
  wire::OffsetCommitValue value;
  value.offset = 5;
  value.leader_epoch = 2;
  value.metadata = "m";
  value.commit_timestamp = 16;
  GroupRecord record = make_offset_record("g", "t", PartitionId(3), value);
  EXPECT_EQ(to_hex(record.key), "0001" "000167" "000174" "00000003");
  EXPECT_EQ(to_hex(*record.value), "0004" "0000000000000005" "00000002" "026d" "0000000000000010" "00");
  value.expire_timestamp = 17;
  EXPECT_EQ(to_hex(*make_offset_record("g", "t", PartitionId(3), value).value),
            "0001" "0000000000000005" "00016d" "0000000000000010" "0000000000000011");
  EXPECT_EQ(parse_offset_key(record)->topic, "t");
  EXPECT_EQ(parse_offset_value(record)->leader_epoch, 2);
  EXPECT_EQ(group_id_of(record), "g");
}

TEST(Record, GroupBytesAreKafkas) {
  wire::GroupMetadataValue value;
  value.protocol_type = "c";
  value.generation = 1;
  value.protocol = std::nullopt;
  value.leader = std::nullopt;
  value.current_state_timestamp = 9;
  GroupRecord record = make_group_record("g", value);
  EXPECT_EQ(to_hex(record.key), "0002" "000167");
  EXPECT_EQ(to_hex(*record.value), "0003" "000163" "00000001" "ffff" "ffff" "0000000000000009" "00000000");
  EXPECT_EQ(*parse_group_value(record), value);
}

TEST(Record, UnreadableOnesAreErrorsAndChangeNothing) {
  TestShard shard;
  auto replay = [&](GroupRecord record) { return shard.groups().replay(record, Offset(0)); };
  auto bytes = [](std::string_view text) { return Bytes::copy(text); };
  EXPECT_EQ(replay({bytes(""), std::nullopt}).error(), RecordError::malformed_key);
  EXPECT_EQ(replay({bytes(std::string_view("\0", 1)), std::nullopt}).error(), RecordError::malformed_key);
  EXPECT_EQ(replay({bytes(std::string_view("\0\2\0\5ab", 6)), bytes("x")}).error(), RecordError::malformed_key);
  EXPECT_EQ(replay({bytes(std::string_view("\0\1\0\1a", 5)), bytes("x")}).error(), RecordError::malformed_key);
  GroupRecord good = make_group_record("g", {});
  for (std::size_t n = 0; n < good.value->size(); ++n) {
    EXPECT_EQ(replay({good.key, good.value->slice(0, n)}).error(), RecordError::malformed_value) << n;
  }
  EXPECT_EQ(replay({good.key, bytes(std::string_view("\0\5....", 6))}).error(),
            RecordError::unsupported_value_version);
  EXPECT_EQ(shard.groups().dump_durable(), "");
  EXPECT_FALSE(replay(good).failed());
}

TEST(Record, UnknownTypesAreKept) {
  TestShard shard;
  GroupRecord strange{Bytes::copy(std::string_view("\0\x63what", 6)), Bytes::copy("ever")};
  ASSERT_FALSE(shard.groups().replay(strange, Offset(0)).failed());
  EXPECT_NE(shard.groups().dump_durable().find(to_hex(strange.key)), std::string::npos);
  EXPECT_EQ(shard.groups().group_count(), 0u);
  strange.value = std::nullopt;
  ASSERT_FALSE(shard.groups().replay(strange, Offset(1)).failed());
  EXPECT_EQ(shard.groups().dump_durable(), "");
}

TEST(Record, HostileGroupsLoadWithoutHarm) {
  wire::GroupMetadataValue value;
  value.protocol_type = "consumer";
  value.protocol = std::nullopt;
  value.leader = "nobody";
  for (int i = 0; i < 3; ++i) {
    auto& m = value.members.emplace_back();
    m.member_id = i == 2 ? "b" : "a";
    m.group_instance_id = "same";
    m.session_timeout = 10000;
  }
  TestShard shard;
  shard.apply({.records = {make_group_record("g", value)}, .replies = {}});
  shard.load();
  EXPECT_EQ(shard.state(), "Stable");
  shard.tick(20s);
  EXPECT_EQ(shard.state(), "Empty");
}

TEST(Timers, FireInOrderAndMoveBothWays) {
  TimerTable timers;
  TimerKey a{TimerKind::session, "g", "a"}, b{TimerKind::session, "g", "b"}, c{TimerKind::join, "g", ""};
  timers.set(a, Instant(10s));
  timers.set(b, Instant(20s));
  timers.set(c, Instant(20s));
  EXPECT_EQ(timers.next_deadline(), Instant(10s));
  timers.set(a, Instant(30s));
  EXPECT_EQ(timers.take_due(Instant(15s)), std::nullopt);
  EXPECT_EQ(timers.next_deadline(), Instant(20s));
  EXPECT_EQ(timers.take_due(Instant(20s)), b);
  timers.set(a, Instant(5s));
  EXPECT_EQ(timers.take_due(Instant(20s)), a);
  timers.cancel(c);
  EXPECT_EQ(timers.take_due(Instant(100s)), std::nullopt);
  EXPECT_EQ(timers.next_deadline(), Instant::never());
  EXPECT_EQ(timers.size(), 0u);
}

}  // namespace
}  // namespace milena::group
