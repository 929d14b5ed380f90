#include "log/cold_read.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "log/log_fixture.h"
#include "log/segment.h"

namespace milena::log {
namespace {

constexpr int kBatches = 60;

LogOptions small_segments() {
  LogOptions options;
  options.segment_bytes = 1000;
  options.index_interval_bytes = 200;
  return options;
}

void append_batches(Log& log, Timestamp first) {
  for (int i = 0; i < kBatches; ++i) must_append(log, {.count = 2, .timestamp = first + 10 * i});
}

OpenLog written_and_closed(Machine& machine) {
  auto log = must_open(machine, open_how(small_segments()));
  append_batches(*log, Timestamp(1000));
  log->set_high_watermark(log->log_end_offset());
  EXPECT_GT(log->segment_count(), 4U);
  return close_cleanly(machine, std::move(log));
}

// After a clean stop, so that no index but the active segment's is in memory.
std::unique_ptr<Log> reopened(Machine& machine, const OpenLog& how) {
  auto log = must_open(machine, how);
  log->set_high_watermark(log->log_end_offset());
  return log;
}

// Makes the look-up again and again, as a log's owner does; counts in `lacked` how often it could not answer.
template <class LookUp>
auto answer(Machine& machine, Log& log, LookUp look_up, int& lacked) {
  auto found = look_up();
  for (int round = 0; found.failed() && found.error().kind == LogErrorKind::kCold && round < 1000; ++round) {
    ++lacked;
    auto cold = log.take_cold();
    auto outcome = cold->run(machine.disk);
    auto warmed = log.warmed(*cold, std::move(outcome));
    EXPECT_FALSE(warmed.failed()) << warmed.error().message;
    found = look_up();
  }
  return found;
}

TEST(ColdRead, look_ups_that_may_not_wait_answer_as_those_that_may) {
  Machine machine;
  OpenLog how = written_and_closed(machine);
  auto patient = reopened(machine, how);
  Machine other;
  auto log = reopened(other, written_and_closed(other));
  other.disk.faults().cold_read_one_in = 3;
  int lacked = 0;
  for (int t = 980; t < 1620; t += 3) {
    auto found =
        answer(other, *log, [&] { return log->offset_for_timestamp(Timestamp(t), Waits::kNever); }, lacked);
    ASSERT_FALSE(found.failed()) << found.error().message;
    EXPECT_EQ(*found, *patient->offset_for_timestamp(Timestamp(t))) << t;
  }
  auto newest = answer(other, *log, [&] { return log->offset_of_max_timestamp(Waits::kNever); }, lacked);
  EXPECT_EQ(*newest, *patient->offset_of_max_timestamp());
  Offset end = log->log_end_offset();
  for (Offset from(0); from < end; from = from + 5) {
    Offset upper = std::min(end, from + 9);
    auto plan =
        answer(other, *log, [&] { return log->plan_read(from, 300, true, upper, Waits::kNever); }, lacked);
    ASSERT_FALSE(plan.failed()) << plan.error().message;
    auto expected = patient->plan_read(from, 300, true, upper);
    EXPECT_EQ(as_text(plan->load()->view()), as_text(expected->load()->view())) << from.value();
  }
  EXPECT_GT(lacked, 20);
}

TEST(ColdRead, without_a_cold_page_only_indexes_are_lacked) {
  Machine machine;
  auto log = reopened(machine, written_and_closed(machine));
  auto plan = log->plan_read(Offset(0), 300, true, log->log_end_offset(), Waits::kNever);
  ASSERT_TRUE(plan.failed());
  EXPECT_EQ(plan.error().kind, LogErrorKind::kCold);
  EXPECT_FALSE(log->offline());
  auto cold = log->take_cold();
  EXPECT_TRUE(cold->wants_index);
  auto outcome = cold->run(machine.disk);
  EXPECT_FALSE(log->warmed(*cold, std::move(outcome)).failed());
  EXPECT_FALSE(log->plan_read(Offset(0), 300, true, log->log_end_offset(), Waits::kNever).failed());
  // Reading at the tail needs neither index nor file.
  must_append(*log, {});
  log->set_high_watermark(log->log_end_offset());
  machine.disk.faults().cold_read_one_in = 1;
  EXPECT_FALSE(
      log->plan_read(log->log_end_offset() - 1, 300, true, log->log_end_offset(), Waits::kNever).failed());
}

TEST(ColdRead, look_ups_that_wait_keep_few_segments_open) {
  Machine machine;
  auto log = reopened(machine, written_and_closed(machine));
  ASSERT_GT(log->segment_count(), 5U);
  const std::size_t before = machine.disk.open_files();
  ASSERT_TRUE(log->offset_of_max_timestamp().has_value());  // all their largest times are known now
  EXPECT_LE(machine.disk.open_files(), before + 2);
  for (int t = 1590; t >= 1000; t -= 10) {
    EXPECT_TRUE(log->offset_for_timestamp(Timestamp(t)).value_or(std::nullopt).has_value());
    EXPECT_LE(machine.disk.open_files(), before + 2) << t;
  }
}

TEST(ColdRead, an_index_that_was_lost_is_made_again_and_written_by_the_next_flush) {
  Machine machine;
  OpenLog how = written_and_closed(machine);
  const std::string name = segment_file_name(Offset(0), ".index");
  std::string whole = machine.read(name);
  auto log = reopened(machine, how);
  machine.write(name, "torn");
  int lacked = 0;
  auto found = answer(
      machine, *log, [&] { return log->offset_for_timestamp(Timestamp(1000), Waits::kNever); }, lacked);
  ASSERT_FALSE(found.failed()) << found.error().message;
  EXPECT_EQ((*found)->offset, Offset(0));
  EXPECT_EQ(machine.read(name), "torn");
  EXPECT_TRUE(log->wants_flush());
  ASSERT_TRUE(flush(machine, *log).has_value());
  EXPECT_EQ(machine.read(name), whole);
}

TEST(ColdRead, what_was_read_of_a_segment_that_is_gone_or_cut_is_dropped) {
  for (bool cut : {false, true}) {
    Machine machine;
    auto log = reopened(machine, written_and_closed(machine));
    ASSERT_TRUE(log->plan_read(Offset(0), 300, true, log->log_end_offset(), Waits::kNever).failed());
    auto cold = log->take_cold();
    if (cut) {
      ASSERT_FALSE(log->truncate_to(Offset(4), Timestamp(9000)).failed());
    } else {
      ASSERT_TRUE(log->advance_log_start_offset(log->high_watermark()).value_or(false));
      ASSERT_GT(log->delete_old_segments(Timestamp(9000)).value_or(0), 0U);
    }
    auto outcome = cold->run(machine.disk);
    EXPECT_FALSE(log->warmed(*cold, std::move(outcome)).failed()) << cut;
    EXPECT_FALSE(log->offline());
    log->check_invariants();
    Offset start = log->log_start_offset();
    EXPECT_EQ(log->plan_read(start, 300, true, log->log_end_offset())->empty(),
              start == log->log_end_offset());
  }
}

TEST(ColdRead, what_was_read_before_a_cut_is_dropped_though_the_segment_has_grown_as_long_again) {
  Machine machine;
  auto log = reopened(machine, written_and_closed(machine));
  ASSERT_TRUE(log->plan_read(Offset(0), 300, true, log->log_end_offset(), Waits::kNever).failed());
  auto cold = log->take_cold();
  auto outcome = cold->run(machine.disk);
  const std::uint64_t size = log->size_bytes();
  ASSERT_FALSE(log->truncate_to(Offset(0), Timestamp(9000)).failed());
  append_batches(*log, Timestamp(5000));
  ASSERT_EQ(log->size_bytes(), size);
  EXPECT_FALSE(log->warmed(*cold, std::move(outcome)).failed());
  auto found = log->offset_for_timestamp(Timestamp(5000));
  ASSERT_TRUE(found.has_value() && found->has_value());
  EXPECT_EQ((*found)->offset, Offset(0)) << "by the index of other records";
}

TEST(ColdRead, a_disk_that_fails_meanwhile_takes_the_log_offline) {
  Machine machine;
  auto log = reopened(machine, written_and_closed(machine));
  ASSERT_TRUE(log->plan_read(Offset(0), 300, true, log->log_end_offset(), Waits::kNever).failed());
  auto cold = log->take_cold();
  machine.disk.faults().read_error_one_in = 1;
  auto outcome = cold->run(machine.disk);
  ASSERT_TRUE(outcome.failed());
  EXPECT_EQ(log->warmed(*cold, std::move(outcome)).error().kind, LogErrorKind::kIo);
  EXPECT_TRUE(log->offline());
}

TEST(ColdRead, retention_that_may_not_wait_deletes_the_same) {
  Machine machine;
  auto log = reopened(machine, written_and_closed(machine));
  LogOptions options = small_segments();
  options.retention_ms = 300;
  log->set_options(options);
  int lacked = 0;
  std::size_t before = log->segment_count();
  auto deleted =
      answer(machine, *log, [&] { return log->delete_old_segments(Timestamp(1600), Waits::kNever); }, lacked);
  ASSERT_FALSE(deleted.failed()) << deleted.error().message;
  EXPECT_GT(*deleted, 1U);
  EXPECT_LT(*deleted, before);
  EXPECT_GT(lacked, 1);
  EXPECT_EQ(log->segment_count(), before - *deleted);
}

}  // namespace
}  // namespace milena::log
