// Log: appending, reading, rolling, epochs, transactions, retention, truncation, failures.
#include "log/log.h"

#include <gmock/gmock.h>

#include "base/endian.h"
#include "log/log_fixture.h"

namespace milena::log {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

LogOptions small_segments() {
  LogOptions options;
  options.segment_bytes = 500;
  options.index_interval_bytes = 100;
  return options;
}

TEST(Log, gives_offsets_and_stamps_the_epoch_in_place) {
  Machine machine;
  auto log = must_open(machine, open_how());
  AppendResult first = must_append(*log, {.count = 3}, Epoch(4));
  EXPECT_EQ(first.first_offset, Offset(0));
  EXPECT_EQ(first.last_offset, Offset(2));
  EXPECT_EQ(first.log_append_time, kNoTimestamp);
  AppendResult second = must_append(*log, {.count = 2}, Epoch(5));
  EXPECT_EQ(second.first_offset, Offset(3));
  EXPECT_EQ(log->log_end_offset(), Offset(5));

  std::string expected(make_batch({.count = 3, .base = Offset(0), .epoch = Epoch(4)}).text());
  expected += make_batch({.count = 2, .base = Offset(3), .epoch = Epoch(5)}).text();
  EXPECT_EQ(read_all(*log, Offset(0)), expected);
  EXPECT_EQ(machine.read("00000000000000000000.log"), expected)
      << "the file holds the batches and nothing else";
  EXPECT_THAT(log->epochs(), ElementsAre(EpochEntry{Epoch(4), Offset(0)}, EpochEntry{Epoch(5), Offset(3)}));
  EXPECT_EQ(log->end_offset_for(Epoch(4)), (EpochEnd{Epoch(4), Offset(3)}));
  EXPECT_EQ(log->end_offset_for(Epoch(5)), (EpochEnd{Epoch(5), Offset(5)}));
  EXPECT_EQ(log->end_offset_for(Epoch(6)), EpochEnd{});
}

TEST(Log, stamps_the_append_time_where_the_topic_says_so) {
  Machine machine;
  LogOptions options;
  options.message_timestamp_type = wire::TimestampType::kLogAppendTime;
  auto log = must_open(machine, open_how(options));
  AppendResult result = must_append(*log, {.count = 2}, Epoch(0), Timestamp(777));
  EXPECT_EQ(result.log_append_time, Timestamp(777));
  std::string bytes = read_all(*log, Offset(0));
  auto batch = wire::BatchView::parse(as_bytes(bytes));
  ASSERT_TRUE(batch.has_value());
  EXPECT_EQ(batch->max_timestamp(), Timestamp(777));
  EXPECT_EQ(batch->timestamp_type(), wire::TimestampType::kLogAppendTime);
  EXPECT_TRUE(batch->crc_ok());
}

TEST(Log, reads_whole_batches_below_the_upper_bound) {
  Machine machine;
  auto log = must_open(machine, open_how());
  for (int i = 0; i < 10; ++i) must_append(*log, {.count = 3});
  std::size_t one = make_batch({.count = 3}).size();
  auto all = log->plan_read(Offset(0), 1 << 20, true, Offset(30));
  ASSERT_TRUE(all.has_value());
  EXPECT_EQ(all->size, 10 * one);
  auto middle = log->plan_read(Offset(4), 1 << 20, true, Offset(9));
  ASSERT_TRUE(middle.has_value());
  EXPECT_EQ(middle->slices.at(0).position, one) << "begins with the batch that contains offset 4";
  EXPECT_EQ(middle->size, 2 * one);
  auto inside = log->plan_read(Offset(3), 1 << 20, true, Offset(8));
  EXPECT_EQ(inside->size, one) << "the batch 6 to 8 reaches past 8";
  EXPECT_TRUE(log->plan_read(Offset(9), 1 << 20, true, Offset(9))->empty());
  EXPECT_TRUE(log->plan_read(Offset(30), 1 << 20, true, Offset(30))->empty());
  EXPECT_EQ(log->plan_read(Offset(31), 100, true, Offset(31)).error().kind, LogErrorKind::kOffsetOutOfRange);
  EXPECT_EQ(log->plan_read(Offset(-1), 100, true, Offset(31)).error().kind, LogErrorKind::kOffsetOutOfRange);
}

TEST(Log, an_oversized_first_batch_comes_whole_or_not_at_all) {
  Machine machine;
  auto log = must_open(machine, open_how());
  must_append(*log, {.value_size = 1000});
  must_append(*log, {.value_size = 1000});
  std::size_t one = make_batch({.value_size = 1000}).size();
  EXPECT_EQ(log->plan_read(Offset(0), 10, true, Offset(2))->size, one);
  EXPECT_TRUE(log->plan_read(Offset(0), 10, false, Offset(2))->empty());
  EXPECT_EQ(log->plan_read(Offset(0), one + 10, true, Offset(2))->size, one + 10)
      << "the last one may be cut";
}

TEST(Log, rolls_by_size_and_reads_across_segments) {
  Machine machine;
  auto log = must_open(machine, open_how(small_segments()));
  std::string expected;
  for (int i = 0; i < 40; ++i) {
    must_append(*log, {.count = 2, .value_size = 20});
    expected += make_batch({.count = 2, .value_size = 20, .base = Offset(2 * i), .epoch = Epoch(0)}).text();
  }
  EXPECT_GT(log->segment_count(), 5U);
  EXPECT_EQ(read_all(*log, Offset(0)), expected);
  for (int from = 0; from < 80; ++from) {
    auto plan = log->plan_read(Offset(from), 1, true, Offset(80));
    ASSERT_TRUE(plan.has_value());
    auto bytes = plan->load();
    auto batch = wire::BatchView::parse(bytes->view());
    ASSERT_TRUE(batch.has_value());
    EXPECT_EQ(batch->base_offset(), Offset(from / 2 * 2)) << from;
  }
  log->check_invariants();
}

TEST(Log, rolls_when_the_first_record_is_older_than_segment_ms) {
  Machine machine;
  LogOptions options;
  options.segment_ms = 1000;
  auto log = must_open(machine, open_how(options));
  must_append(*log, {.timestamp = Timestamp(10000)});
  must_append(*log, {.timestamp = Timestamp(11000)});
  EXPECT_EQ(log->segment_count(), 1U);
  must_append(*log, {.timestamp = Timestamp(11001)});
  EXPECT_EQ(log->segment_count(), 2U);
  EXPECT_TRUE(machine.has("00000000000000000002.log"));
  EXPECT_TRUE(machine.has("00000000000000000002.snapshot"));
}

TEST(Log, index_files_hold_what_kafka_writes) {
  Machine machine;
  LogOptions options;
  options.index_interval_bytes = 100;
  auto log = must_open(machine, open_how(options));
  std::size_t one = make_batch({.value_size = 40}).size();  // over 100 bytes
  ASSERT_GT(one, 100U);
  for (int i = 0; i < 3; ++i) must_append(*log, {.timestamp = Timestamp(1000 + i), .value_size = 40});
  ASSERT_TRUE(log->roll(Timestamp(1)).has_value());
  std::string index = machine.read("00000000000000000000.index");
  ASSERT_EQ(index.size(), 16U);
  const auto* at = reinterpret_cast<const std::uint8_t*>(index.data());
  EXPECT_EQ(load_be<std::int32_t>(at), 1);
  EXPECT_EQ(load_be<std::int32_t>(at + 4), static_cast<std::int32_t>(one));
  EXPECT_EQ(load_be<std::int32_t>(at + 8), 2);
  std::string times = machine.read("00000000000000000000.timeindex");
  ASSERT_EQ(times.size(), 24U);
  at = reinterpret_cast<const std::uint8_t*>(times.data());
  EXPECT_EQ(load_be<std::int64_t>(at), 1001);
  EXPECT_EQ(load_be<std::int32_t>(at + 8), 1);
  EXPECT_EQ(load_be<std::int64_t>(at + 12), 1002);
}

TEST(Log, a_duplicate_gets_its_first_answer) {
  Machine machine;
  auto log = must_open(machine, open_how());
  for (int i = 0; i < 6; ++i) {
    must_append(*log, {.count = 2, .timestamp = Timestamp(1000 + i), .producer_id = 7, .sequence = 2 * i});
  }
  for (int i = 1; i < 6; ++i) {
    AppendResult again =
        must_append(*log, {.count = 2, .timestamp = Timestamp(1), .producer_id = 7, .sequence = 2 * i});
    EXPECT_TRUE(again.duplicate);
    EXPECT_EQ(again.first_offset, Offset(2 * i));
    EXPECT_EQ(again.last_offset, Offset(2 * i + 1));
    EXPECT_EQ(again.log_append_time, Timestamp(1001 + i)) << "the batch's time in the log";
  }
  auto sixth = log->append_as_leader(make_batch({.count = 2, .producer_id = 7, .sequence = 0}), Epoch(0),
                                     Timestamp(1));
  EXPECT_EQ(sixth.error().kind, LogErrorKind::kOutOfOrderSequence) << "five batches are remembered";
  EXPECT_EQ(log->log_end_offset(), Offset(12));
}

TEST(Log, a_full_disk_leaves_nothing_behind_and_the_log_goes_on) {
  Machine machine;
  auto log = must_open(machine, open_how());
  must_append(*log, {.producer_id = 7, .sequence = 0});
  std::string before = machine.read("00000000000000000000.log");
  machine.disk.faults().capacity = machine.disk.used() + 40;
  auto failed = log->append_as_leader(make_batch({.producer_id = 7, .sequence = 1}), Epoch(0), Timestamp(1));
  EXPECT_EQ(failed.error().kind, LogErrorKind::kNoSpace);
  EXPECT_EQ(machine.read("00000000000000000000.log"), before) << "the partial write was cut";
  failed = log->append_as_leader(make_batch({.producer_id = 7, .sequence = 1}), Epoch(0), Timestamp(1));
  EXPECT_EQ(failed.error().kind, LogErrorKind::kNoSpace) << "no duplicate: it was not written";
  EXPECT_FALSE(log->offline());
  EXPECT_EQ(read_all(*log, Offset(0)), before) << "reads go on";
  machine.disk.faults().capacity = 1 << 30;
  AppendResult again = must_append(*log, {.producer_id = 7, .sequence = 1});
  EXPECT_FALSE(again.duplicate);
  EXPECT_EQ(again.first_offset, Offset(1));
}

TEST(Log, any_other_failed_write_takes_the_log_offline) {
  Machine machine;
  auto log = must_open(machine, open_how());
  must_append(*log, {});
  machine.disk.faults().write_error_one_in = 1;
  auto failed = log->append_as_leader(make_batch({}), Epoch(0), Timestamp(1));
  EXPECT_EQ(failed.error().kind, LogErrorKind::kIo);
  machine.disk.faults().write_error_one_in = 0;
  EXPECT_TRUE(log->offline());
  EXPECT_EQ(log->append_as_leader(make_batch({}), Epoch(0), Timestamp(1)).error().kind,
            LogErrorKind::kOffline);
  EXPECT_EQ(log->plan_read(Offset(0), 100, true, Offset(1)).error().kind, LogErrorKind::kOffline);
}

TEST(Log, appends_a_followers_batches_as_they_are) {
  Machine machine;
  auto log = must_open(machine, open_how());
  std::string records(make_batch({.count = 2, .base = Offset(0), .epoch = Epoch(1)}).text());
  records += make_batch({.count = 2, .base = Offset(5), .epoch = Epoch(3)}).text();  // compaction left a gap
  std::string cut = records + std::string(make_batch({.base = Offset(7)}).text().substr(0, 50));
  auto result = log->append_raw(Bytes::copy(cut), Timestamp(1));
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->bytes, records.size());
  EXPECT_EQ(log->log_end_offset(), Offset(7));
  EXPECT_EQ(read_all(*log, Offset(0)), records);
  EXPECT_EQ(log->plan_read(Offset(3), 10, true, Offset(7))->slices.at(0).position, records.size() / 2);
  EXPECT_THAT(log->epochs(), ElementsAre(EpochEntry{Epoch(1), Offset(0)}, EpochEntry{Epoch(3), Offset(5)}));
  EXPECT_EQ(log->append_raw(make_batch({.base = Offset(6)}), Timestamp(1)).error().kind,
            LogErrorKind::kUnexpectedOffset);
  std::string rotten(make_batch({.base = Offset(7)}).text());
  rotten[70] ^= 1;
  EXPECT_EQ(log->append_raw(Bytes::copy(rotten), Timestamp(1)).error().kind, LogErrorKind::kCorruptBatch);
  EXPECT_EQ(log->log_end_offset(), Offset(7));
}

TEST(Log, transactions_hold_back_the_last_stable_offset_and_aborts_are_listed) {
  Machine machine;
  auto log = must_open(machine, open_how());
  auto marker = [&](std::int64_t producer, bool commit) {
    auto done = log->append_as_leader(make_marker(producer, commit), Epoch(0), Timestamp(1),
                                      AppendOrigin::kCoordinator);
    ASSERT_TRUE(done.has_value()) << done.error().message;
  };
  must_append(*log, {});                                                     // 0
  must_append(*log, {.count = 2, .producer_id = 1, .transactional = true});  // 1 2
  must_append(*log, {.producer_id = 2, .transactional = true});              // 3
  log->set_high_watermark(Offset(4));
  EXPECT_EQ(log->last_stable_offset(), Offset(1));
  auto plain = log->append_as_leader(make_batch({.producer_id = 1, .sequence = 2}), Epoch(0), Timestamp(1));
  EXPECT_EQ(plain.error().kind, LogErrorKind::kInvalidTxnState);
  marker(1, false);  // 4
  EXPECT_EQ(log->last_stable_offset(), Offset(1)) << "the marker is not below the high watermark";
  log->set_high_watermark(Offset(5));
  EXPECT_EQ(log->last_stable_offset(), Offset(3));
  marker(2, true);  // 5
  log->set_high_watermark(Offset(6));
  EXPECT_EQ(log->last_stable_offset(), Offset(6));
  AbortedTransaction expected{ProducerId(1), Offset(1), Offset(4), Offset(3)};
  EXPECT_THAT(*log->aborted_transactions(Offset(0), Offset(6)), ElementsAre(expected));
  EXPECT_THAT(*log->aborted_transactions(Offset(5), Offset(6)), ElementsAre());
  EXPECT_THAT(*log->aborted_transactions(Offset(0), Offset(1)), ElementsAre());

  OpenLog how = close_cleanly(machine, std::move(log));
  log = must_open(machine, how);
  EXPECT_THAT(*log->aborted_transactions(Offset(0), Offset(6)), ElementsAre(expected));
  machine.restart();
  how.clean = false;
  how.recovery_point = Offset(0);
  log = must_open(machine, how);
  EXPECT_THAT(*log->aborted_transactions(Offset(0), Offset(6)), ElementsAre(expected));
}

TEST(Log, finds_offsets_by_time) {
  Machine machine;
  auto log = must_open(machine, open_how(small_segments()));
  for (int i = 0; i < 30; ++i) {
    auto codec = i % 2 == 0 ? wire::Codec::kNone : wire::Codec::kGzip;
    must_append(*log, {.count = 3, .timestamp = Timestamp(1000 + 10 * i), .codec = codec}, Epoch(i / 10));
  }
  for (int i = 0; i < 30; ++i) {
    auto found = log->offset_for_timestamp(Timestamp(1000 + 10 * i + 1));
    ASSERT_TRUE(found.has_value() && found->has_value()) << i;
    EXPECT_EQ((*found)->offset, Offset(3 * i + 1));
    EXPECT_EQ((*found)->timestamp, Timestamp(1000 + 10 * i + 1));
    EXPECT_EQ((*found)->leader_epoch, Epoch(i / 10));
    found = log->offset_for_timestamp(Timestamp(1000 + 10 * i + 5));
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(*found ? (*found)->offset : kNoOffset, i < 29 ? Offset(3 * i + 3) : kNoOffset);
  }
  auto newest = log->offset_of_max_timestamp();
  ASSERT_TRUE(newest.has_value() && newest->has_value());
  EXPECT_EQ((*newest)->offset, Offset(89));
  EXPECT_EQ((*newest)->leader_epoch, Epoch(2));
  log->set_high_watermark(Offset(90));
  ASSERT_TRUE(log->advance_log_start_offset(Offset(31)).has_value());
  EXPECT_EQ((*log->offset_for_timestamp(Timestamp(0)))->offset, Offset(31)) << "never below the log start";
}

TEST(Log, deletes_whole_segments_by_time_size_and_log_start) {
  Machine machine;
  LogOptions options = small_segments();
  options.retention_ms = 1000;
  auto log = must_open(machine, open_how(options));
  for (int i = 0; i < 40; ++i) must_append(*log, {.timestamp = Timestamp(1000 + 100 * i), .value_size = 50});
  std::size_t segments = log->segment_count();
  EXPECT_EQ(*log->delete_old_segments(Timestamp(100000)), 0U) << "nothing at or above the high watermark";
  log->set_high_watermark(Offset(40));
  EXPECT_EQ(*log->delete_old_segments(Timestamp(1000 + 300 + 1000 + 1)), 1U);
  EXPECT_EQ(log->segment_count(), segments - 1);
  EXPECT_GT(log->log_start_offset(), Offset(0));
  auto files = log->take_deleted_files();
  EXPECT_THAT(files, ::testing::Contains(kDirectory + "/00000000000000000000.log.deleted"));
  EXPECT_EQ(log->plan_read(Offset(0), 10, true, Offset(40)).error().kind, LogErrorKind::kOffsetOutOfRange);

  options.retention_ms = -1;
  options.retention_bytes = 1000;
  log->set_options(options);
  ASSERT_TRUE(log->delete_old_segments(Timestamp(0)).has_value());
  EXPECT_GE(log->size_bytes(), 1000U);
  EXPECT_LT(log->size_bytes(), 1500U);

  options.retention_bytes = -1;
  options.retention_ms = 0;
  log->set_options(options);
  ASSERT_TRUE(log->delete_old_segments(Timestamp(1000000)).has_value());
  EXPECT_EQ(log->segment_count(), 1U);
  EXPECT_EQ(log->size_bytes(), 0U) << "the active segment is rolled away too";
  EXPECT_EQ(log->log_start_offset(), Offset(40));
  EXPECT_EQ(must_append(*log, {}).first_offset, Offset(40));
  log->check_invariants();
}

TEST(Log, truncates_to_a_batch_boundary_and_forgets_epochs_and_producers_behind_it) {
  Machine machine;
  auto log = must_open(machine, open_how(small_segments()));
  for (int i = 0; i < 20; ++i) {
    must_append(*log, {.count = 2, .value_size = 20, .producer_id = 7, .sequence = 2 * i}, Epoch(i / 5));
  }
  std::string all = read_all(*log, Offset(0));
  EXPECT_EQ(*log->truncate_to(Offset(100), Timestamp(5000)), Offset(40));
  EXPECT_EQ(*log->truncate_to(Offset(21), Timestamp(5000)), Offset(20)) << "a batch goes whole";
  EXPECT_EQ(log->log_end_offset(), Offset(20));
  log->check_invariants();
  EXPECT_EQ(read_all(*log, Offset(0)), all.substr(0, all.size() / 2));
  EXPECT_EQ(log->epochs().back().epoch, Epoch(1));
  EXPECT_EQ(log->producers().find(ProducerId(7))->last_sequence(), 19);
  EXPECT_EQ(must_append(*log, {.count = 2, .producer_id = 7, .sequence = 20}).first_offset, Offset(20));
  ASSERT_TRUE(log->truncate_fully_and_start_at(Offset(1000), Timestamp(5000)).has_value());
  EXPECT_EQ(log->log_start_offset(), Offset(1000));
  EXPECT_EQ(log->log_end_offset(), Offset(1000));
  EXPECT_TRUE(log->epochs().empty());
  EXPECT_EQ(must_append(*log, {}).first_offset, Offset(1000));
  log->check_invariants();
}

TEST(Log, a_flush_moves_the_flushed_offset_and_a_roll_the_recovery_point) {
  Machine machine;
  auto log = must_open(machine, open_how());
  must_append(*log, {.count = 5});
  EXPECT_EQ(log->unflushed_messages(), 5);
  FlushPlan plan = log->begin_flush();
  must_append(*log, {});
  ASSERT_TRUE(plan.run(machine.disk).has_value());
  log->complete_flush(plan);
  EXPECT_EQ(log->flushed_offset(), Offset(5));
  EXPECT_EQ(log->recovery_point(), Offset(0)) << "the indexes are in memory";
  EXPECT_EQ(log->unflushed_messages(), 1);
  EXPECT_FALSE(log->wants_flush());
  ASSERT_TRUE(log->roll(Timestamp(1)).has_value());
  EXPECT_TRUE(log->wants_flush());
  ASSERT_TRUE(flush(machine, *log).has_value());
  EXPECT_EQ(log->recovery_point(), Offset(6));
  EXPECT_EQ(machine.read("leader-epoch-checkpoint"), "0\n1\n0 0\n");

  plan = log->begin_flush();
  must_append(*log, {});
  ASSERT_TRUE(log->truncate_to(Offset(2), Timestamp(1)).has_value());
  log->complete_flush(plan);
  EXPECT_LE(log->flushed_offset(), Offset(2)) << "a plan from before a truncation moves nothing";
  log->check_invariants();
}

// A bit of an entry in the middle flips: nothing tells when the index is read, and what it is asked must be right.
TEST(Log, an_index_that_is_wrong_in_the_middle_is_made_again) {
  for (std::uint64_t bit = 0; bit < 64; ++bit) {
    Machine machine;
    LogOptions options;
    options.segment_bytes = 4000;
    options.index_interval_bytes = 100;
    auto log = must_open(machine, open_how(options));
    for (int i = 0; i < 100; ++i) must_append(*log, {.count = 2, .timestamp = Timestamp(1000 + 10 * i), .value_size = 40});
    OpenLog how = close_cleanly(machine, std::move(log));
    std::string name = "00000000000000000000.index";
    std::string content = machine.read(name);
    ASSERT_GT(content.size(), 64U);
    std::size_t at = 32 + bit / 8;
    content[at] = static_cast<char>(content[at] ^ (1 << (bit % 8)));
    machine.write(name, content);
    log = must_open(machine, how);
    log->set_high_watermark(log->log_end_offset());
    for (std::int64_t offset = 0; offset < 60; ++offset) {
      auto plan = log->plan_read(Offset(offset), 1, true, log->log_end_offset());
      ASSERT_TRUE(plan.has_value()) << "bit " << bit << " offset " << offset;
      auto bytes = plan->load();
      ASSERT_TRUE(bytes.has_value());
      auto batch = wire::BatchView::parse(bytes->view());
      ASSERT_TRUE(batch.has_value());
      EXPECT_LE(batch->base_offset(), Offset(offset)) << "bit " << bit;
      EXPECT_GE(batch->last_offset(), Offset(offset)) << "bit " << bit;
      auto found = log->offset_for_timestamp(Timestamp(1000 + 10 * (offset / 2)));
      ASSERT_TRUE(found.has_value());
      ASSERT_TRUE(found->has_value());
      EXPECT_EQ((*found)->offset, Offset(offset / 2 * 2)) << "bit " << bit;
    }
  }
}

}  // namespace
}  // namespace milena::log
