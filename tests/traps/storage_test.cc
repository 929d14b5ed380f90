// S1 to S4, S6 and S7 of the traps: what a disk and a clock do to a log.
#include "base/crc32c.h"
#include "base/endian.h"
#include "log/log_fixture.h"
#include "trap_node.h"

namespace milena::traps {
namespace {

const TrapNode::Overrides kTwoDirectories{{"log.dirs", "/a,/b"}, {"metadata.log.dir", "/meta"}};

void damage(io::SimDisk& disk, const std::string& path, std::uint64_t at, std::string_view bytes) {
  auto file = disk.open(path, io::OpenMode::kWrite);
  ASSERT_TRUE(file.has_value()) << path;
  ASSERT_TRUE((*file)->write_at(at, as_bytes(bytes)).has_value());
}
void cut(io::SimDisk& disk, const std::string& path, std::uint64_t size) {
  auto file = disk.open(path, io::OpenMode::kWrite);
  ASSERT_TRUE(file.has_value()) << path;
  ASSERT_TRUE((*file)->truncate(size).has_value());
}

// After a failed sync the next one may succeed with the data gone: nothing is acknowledged in that directory any more,
// the others go on, and what comes back after a restart is what was acknowledged.
TEST(Trap_S1, a_failed_sync_is_never_tried_again) {
  TrapNode node(kTwoDirectories);
  node.world.create_topic("others");
  std::string directory = node.directory_of();
  ASSERT_NE(directory, node.directory_of("others"));
  ASSERT_EQ(node.produce(3).error, ErrorCode::NONE);
  node.disk().fail_next_sync(directory + "/orders-0");
  EXPECT_EQ(node.produce(2).error, ErrorCode::KAFKA_STORAGE_ERROR);
  for (int i = 0; i < 3; ++i) EXPECT_NE(node.produce(1).error, ErrorCode::NONE) << "the next sync would succeed";
  EXPECT_EQ(node.produce(broker::batch_of(1, 1000), "others").error, ErrorCode::NONE);
  ASSERT_TRUE(node.world.stop());
  EXPECT_FALSE(node.disk().exists(directory + "/.kafka_cleanshutdown")) << "it comes back as unclean";
  ASSERT_TRUE(node.world.start()) << node.world.error();
  ASSERT_GE(node.read(0).size(), 3u);
  Produced next = node.produce(1);
  EXPECT_EQ(next.error, ErrorCode::NONE);
  EXPECT_EQ(node.read(0), offsets(0, next.offset + 1));
}

// A tail that is torn goes, up to the last valid batch. A bad batch with valid ones behind it is never cut away.
TEST(Trap_S2, recovery_cuts_a_torn_tail_and_no_hole) {
  TrapNode node;
  std::string log = "/data/orders-0/00000000000000000000.log";
  for (int i = 0; i < 4; ++i) ASSERT_EQ(node.produce(2).error, ErrorCode::NONE);
  std::uint64_t batch = node.disk().stat(log)->size / 4;
  node.world.crash(io::SimCrash::kKill);
  cut(node.disk(), log, 4 * batch - 7);
  ASSERT_TRUE(node.world.start()) << node.world.error();
  EXPECT_EQ(node.read(0), offsets(0, 6)) << "all but the torn batch";
  EXPECT_EQ(node.produce(2).offset, 6);

  node.world.crash(io::SimCrash::kKill);
  damage(node.disk(), log, batch + 70, "XXXX");
  ASSERT_TRUE(node.world.start()) << node.world.error();
  EXPECT_EQ(node.produce(1).error, ErrorCode::KAFKA_STORAGE_ERROR);
  EXPECT_EQ(node.disk().stat(log)->size, 4 * batch) << "nothing of it was taken away";
  node.world.crash(io::SimCrash::kKill);
  EXPECT_EQ(node.disk().stat(log)->size, 4 * batch);
}

// Kafka trusts what it finds after a clean stop. Here an index, a snapshot and the epochs are made again when they are
// empty, missing or wrong.
TEST(Trap_S3, caches_are_made_again_after_a_clean_stop) {
  TrapNode node({}, {{"internal.segment.bytes", "2000"}, {"index.interval.bytes", "64"}});
  constexpr int kBatches = 40;
  for (int i = 0; i < kBatches; ++i) ASSERT_EQ(node.produce(numbered(5 * i, 5)).error, ErrorCode::NONE);
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(node.world.stop());
    auto entries = node.disk().list("/data/orders-0");
    ASSERT_TRUE(entries.has_value());
    int harmed = 0;
    for (const auto& entry : *entries) {
      std::string path = "/data/orders-0/" + entry.name;
      bool index = entry.name.ends_with(".index") || entry.name.ends_with(".timeindex");
      if (!index && !entry.name.ends_with(".snapshot") && entry.name != "leader-epoch-checkpoint") continue;
      ++harmed;
      std::uint64_t size = node.disk().stat(path)->size;
      if (round == 0) {
        cut(node.disk(), path, 0);
      } else if (round == 1) {
        ASSERT_TRUE(node.disk().remove_file(path).has_value());
      } else if (size >= 8) {
        damage(node.disk(), path, size - 8, std::string("\x00\x00\x00\x05\x00\x00\x00\x09", 8));
      }
    }
    ASSERT_GT(harmed, 4);
    ASSERT_TRUE(node.world.start()) << node.world.error();
    for (int from = 0; from < 5 * kBatches; from += 7)
      ASSERT_EQ(node.read(from), offsets(from, 5 * kBatches - from)) << "round " << round;
    EXPECT_EQ(node.offset(kBatchTime), 0) << "round " << round;
    Produced again = node.produce(numbered(5 * (kBatches - 1), 5));
    EXPECT_EQ(again.error, ErrorCode::NONE);
    EXPECT_EQ(again.offset, 5 * (kBatches - 1)) << "the producer is known: round " << round;
  }
}

// A full disk is not a broken one: the append that has no room leaves nothing behind, readers go on, and what was
// refused is taken as soon as there is room, without a restart.
TEST(Trap_S4, a_full_disk_recovers_without_a_restart) {
  TrapNode node;
  ASSERT_EQ(node.produce(numbered(0, 5)).error, ErrorCode::NONE);
  std::string log = "/data/orders-0/00000000000000000000.log";
  std::uint64_t size = node.disk().stat(log)->size;
  node.disk().faults().capacity = node.disk().used() + 60;  // room for a part of a batch
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(node.produce(numbered(5, 5)).error, ErrorCode::KAFKA_STORAGE_ERROR);
    EXPECT_EQ(node.disk().stat(log)->size, size) << "the partial append was cut";
    EXPECT_EQ(node.read(0), offsets(0, 5));
  }
  node.disk().faults().capacity = std::numeric_limits<std::uint64_t>::max();
  Produced next = node.produce(numbered(5, 5));
  EXPECT_EQ(next.error, ErrorCode::NONE);
  EXPECT_EQ(next.offset, 5);
  node.restart();
  EXPECT_EQ(node.read(0), offsets(0, 10));
}

// A batch with some of its header changed and its checksum made right again.
template <class T>
Bytes patched(std::size_t at, T value, int records = 3) {
  Bytes batch = broker::batch_of(records, 1000);
  std::string bytes(as_text(batch.view()));
  auto* data = reinterpret_cast<std::uint8_t*>(bytes.data());
  store_be(data + at, value);
  store_be(data + 17, crc32c(as_bytes(std::string_view(bytes).substr(21))));
  return Bytes::copy(bytes);
}

constexpr std::size_t kLastOffsetDelta = 23;
constexpr std::size_t kRecordsCount = 57;
constexpr std::size_t kFirstRecord = 61;

// Counts, deltas, lengths and decompressed sizes are what somebody wrote there. A follower's append looks, too.
TEST(Trap_S6, sizes_in_batches_are_not_believed) {
  TrapNode node;
  EXPECT_NE(node.produce(patched<std::int32_t>(kRecordsCount, 0x7fffffff)).error, ErrorCode::NONE);
  EXPECT_NE(node.produce(patched<std::int32_t>(kRecordsCount, -2)).error, ErrorCode::NONE);
  EXPECT_NE(node.produce(patched<std::int32_t>(kLastOffsetDelta, 100)).error, ErrorCode::NONE);
  EXPECT_NE(node.produce(patched<std::int32_t>(kLastOffsetDelta, -5)).error, ErrorCode::NONE);
  EXPECT_NE(node.produce(patched<std::uint8_t>(kFirstRecord, 0xff)).error, ErrorCode::NONE) << "a record's length";
  EXPECT_EQ(node.produce(3).offset, 0) << "none of them was appended";

  log::Machine machine;
  log::OpenLog how;
  how.path = log::kDirectory;
  auto opened = log::Log::open(machine.disk, how);
  ASSERT_TRUE(opened.has_value());
  log::Log& follower = **opened;
  log::BatchSpec spec;
  spec.count = 3;
  spec.epoch = Epoch(1);
  ASSERT_TRUE(follower.append_raw(log::make_batch(spec), Timestamp(1)).has_value());
  spec.base = Offset(3);
  std::string bytes(as_text(log::make_batch(spec).view()));
  bytes[70] = static_cast<char>(bytes[70] ^ 1);
  EXPECT_TRUE(follower.append_raw(Bytes::copy(bytes), Timestamp(1)).failed()) << "checksum";
  spec.base = Offset(1);
  EXPECT_TRUE(follower.append_raw(log::make_batch(spec), Timestamp(1)).failed()) << "offsets that are there";
  EXPECT_EQ(follower.log_end_offset(), Offset(3));
}

// The wall clock goes days forth and back: sessions, producers and leaders stay.
TEST(Trap_S7, a_clock_jump_expires_nothing) {
  TrapNode node({{"log.retention.check.interval.ms", "1000"}}, {{"retention.ms", "-1"}, {"message.timestamp.after.max.ms", "9223372036854775807"}});
  Membership member = node.join("g");
  for (std::int32_t i = 0; i < 3; ++i) ASSERT_EQ(node.produce(numbered(i, 1)).offset, i);
  for (auto by : {std::chrono::hours(72), std::chrono::hours(-150), std::chrono::hours(1000)}) {
    node.world.machine().clock().jump_wall(by);
    for (int i = 0; i < 4; ++i) {
      node.world.world().run_for(std::chrono::seconds(2));
      ASSERT_EQ(node.heartbeat(member), ErrorCode::NONE) << "after " << by.count() << " hours";
    }
    Produced again = node.produce(numbered(2, 1));
    EXPECT_EQ(again.error, ErrorCode::NONE);
    EXPECT_EQ(again.offset, 2) << "the producer was forgotten after " << by.count() << " hours";
    EXPECT_EQ(node.offset(-1), 3);
  }
}

}  // namespace
}  // namespace milena::traps
