// Logs that are known from their summary: what they answer asleep, and that waking is seen by nobody.
#include <gmock/gmock.h>

#include "log/log_fixture.h"

namespace milena::log {
namespace {

using ::testing::HasSubstr;

LogOptions small_segments() {
  LogOptions options;
  options.segment_bytes = 700;
  options.index_interval_bytes = 100;
  return options;
}

// A log of `batches` batches that was stopped cleanly and opened again.
std::unique_ptr<Log> reopened(Machine& machine, int batches, LogOptions options = small_segments()) {
  auto log = must_open(machine, open_how(options));
  for (int i = 0; i < batches; ++i) {
    must_append(*log, {.count = 2, .timestamp = Timestamp(1000 + i), .value_size = 40}, Epoch(3));
  }
  return must_open(machine, close_cleanly(machine, std::move(log)));
}

bool wake(Log& log) {
  auto waking = log.begin_wake(Timestamp(7000));
  waking->run();
  return log.complete_wake(*waking).has_value();
}

TEST(SleepingLog, answers_as_it_did_awake_and_reads_no_file_for_it) {
  Machine machine;
  auto log = reopened(machine, 12);
  ASSERT_GT(log->segment_count(), 2U);
  log->set_high_watermark(log->log_end_offset());
  Offset end = log->log_end_offset();
  std::uint64_t size = log->size_bytes();
  std::string all = read_all(*log, Offset(0));
  ASSERT_TRUE(log->doze().value_or(false));
  std::uint64_t calls = machine.disk.calls();
  EXPECT_EQ(log->log_start_offset(), Offset(0));
  EXPECT_EQ(log->log_end_offset(), end);
  EXPECT_EQ(log->recovery_point(), end);
  EXPECT_EQ(log->high_watermark(), end);
  EXPECT_EQ(log->last_stable_offset(), end);
  EXPECT_EQ(log->size_bytes(), size);
  EXPECT_EQ(log->epoch_at(Offset(0)), Epoch(3));
  EXPECT_EQ(log->end_offset_for(Epoch(3)).end_offset, end);
  auto nothing = log->plan_read(end, 1000, true, end, Waits::kNever);
  ASSERT_TRUE(nothing.has_value()) << "who waits at the end of a log does not wake it";
  EXPECT_TRUE(nothing->empty());
  auto cold = log->plan_read(Offset(0), 1000, true, end, Waits::kNever);
  ASSERT_TRUE(cold.failed());
  EXPECT_EQ(cold.error().kind, LogErrorKind::kCold);
  EXPECT_TRUE(log->asleep());
  EXPECT_EQ(machine.disk.calls(), calls);
  ASSERT_TRUE(wake(*log));
  EXPECT_FALSE(log->asleep());
  EXPECT_EQ(log->high_watermark(), end);
  EXPECT_EQ(read_all(*log, Offset(0)), all);
}

TEST(SleepingLog, keeps_what_happens_to_it_asleep) {
  Machine machine;
  auto log = reopened(machine, 12);
  Offset end = log->log_end_offset();
  log->set_high_watermark(end);
  ASSERT_TRUE(log->doze().value_or(false));
  log->assign_epoch(Epoch(9), end);
  ASSERT_TRUE(log->advance_log_start_offset(Offset(5)).value_or(false));
  EXPECT_TRUE(log->advance_log_start_offset(end + 1).failed());
  LogOptions options = small_segments();
  options.segment_bytes = 12345;
  log->set_options(options);
  EXPECT_EQ(log->end_offset_for(Epoch(3)).end_offset, end);
  ASSERT_TRUE(wake(*log));
  EXPECT_EQ(log->log_start_offset(), Offset(5));
  EXPECT_EQ(log->epochs().back(), (EpochEntry{Epoch(9), end}));
  EXPECT_EQ(log->options().segment_bytes, 12345);
  EXPECT_TRUE(log->wants_flush()) << "the epoch is not on disk yet";
  EXPECT_EQ(must_append(*log, {.count = 1}, Epoch(9)).first_offset, end);
}

TEST(SleepingLog, is_closed_with_its_epochs_and_without_being_woken) {
  Machine machine;
  auto log = reopened(machine, 3);
  ASSERT_TRUE(log->doze().value_or(false));
  log->assign_epoch(Epoch(9), log->log_end_offset());
  Offset end = log->log_end_offset();
  OpenLog how = close_cleanly(machine, std::move(log));
  EXPECT_EQ(how.recovery_point, end);
  EXPECT_THAT(machine.read("leader-epoch-checkpoint"), HasSubstr("9 6\n"));
}

// A producer sends two batches, and there is no room to wake for the first: the second must not begin its row.
TEST(SleepingLog, awaits_the_batch_that_it_could_not_wake_for) {
  Machine machine;
  auto log = reopened(machine, 3);
  ASSERT_TRUE(log->doze().value_or(false));
  Bytes first = make_batch({.producer_id = 7, .sequence = 0});
  Bytes second = make_batch({.producer_id = 7, .sequence = 1});
  log->note_refused(*wire::BatchView::parse(first.view()));
  log->note_refused(*wire::BatchView::parse(second.view()));
  ASSERT_TRUE(wake(*log));
  auto early = log->append_as_leader(second, Epoch(3), Timestamp(1));
  ASSERT_TRUE(early.failed());
  EXPECT_EQ(early.error().kind, LogErrorKind::kOutOfOrderSequence);
  ASSERT_TRUE(log->doze().value_or(false)) << "nothing was written";
  ASSERT_TRUE(wake(*log));
  EXPECT_TRUE(log->append_as_leader(second, Epoch(3), Timestamp(1)).failed()) << "not forgotten over a sleep";
  EXPECT_TRUE(log->append_as_leader(first, Epoch(3), Timestamp(1)).has_value());
  EXPECT_TRUE(log->append_as_leader(second, Epoch(3), Timestamp(1)).has_value());
}

TEST(SleepingLog, does_not_fall_asleep_over_what_is_in_memory_only) {
  Machine machine;
  auto log = reopened(machine, 3);
  must_append(*log, {.count = 1}, Epoch(3));
  EXPECT_FALSE(log->doze().value_or(true));
  ASSERT_TRUE(flush(machine, *log).has_value());
  EXPECT_FALSE(log->doze().value_or(true)) << "its index is newer than the files";
}

TEST(SleepingLog, does_not_fall_asleep_without_what_a_clean_stop_leaves) {
  Machine machine;
  auto log = reopened(machine, 3, LogOptions());
  OpenLog how = close_cleanly(machine, std::move(log));
  ASSERT_TRUE(machine.disk.remove_file(kDirectory + "/00000000000000000006.snapshot").has_value());
  log = must_open(machine, how);
  EXPECT_FALSE(log->doze().value_or(true)) << "Kafka would forget the producers";
  how = close_cleanly(machine, std::move(log));
  EXPECT_TRUE(machine.has("00000000000000000006.snapshot"));
  log = must_open(machine, how);
  EXPECT_TRUE(log->doze().value_or(false));
}

TEST(SleepingLog, an_append_or_a_patient_look_up_wakes_it_at_once) {
  Machine machine;
  auto log = reopened(machine, 3);
  ASSERT_TRUE(log->doze().value_or(false));
  EXPECT_EQ(must_append(*log, {.count = 1}, Epoch(3)).first_offset, Offset(6));
  EXPECT_FALSE(log->asleep());
}

TEST(SleepingLog, remembers_producers_and_open_transactions) {
  Machine machine;
  auto log = must_open(machine, open_how());
  BatchSpec spec{.count = 2, .producer_id = 7, .sequence = 0, .transactional = true};
  must_append(*log, spec);
  log = must_open(machine, close_cleanly(machine, std::move(log)));
  log->set_high_watermark(log->log_end_offset());
  ASSERT_TRUE(log->doze().value_or(false));
  EXPECT_EQ(log->last_stable_offset(), Offset(0)) << "the transaction is open";
  auto again = log->append_as_leader(make_batch(spec), Epoch(0), Timestamp(1));
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(again->duplicate);
}

// A snapshot holds a producer's last batch alone. A log that took the place of another knows what that one knew, also
// after it slept.
TEST(SleepingLog, knows_what_it_was_told_of_producers) {
  for (bool sleeps : {false, true}) {
    Machine machine;
    auto log = reopened(machine, 1);
    BatchSpec spec{.count = 1, .value_size = 300, .producer_id = 7};
    std::vector<Offset> offsets;
    for (spec.sequence = 0; spec.sequence < 5; ++spec.sequence)
      offsets.push_back(must_append(*log, spec, Epoch(3)).first_offset);
    auto plan = log->begin_close();
    ASSERT_TRUE(plan.has_value());
    ASSERT_TRUE(plan->run(machine.disk).has_value());
    log->complete_flush(*plan);
    OpenLog how = open_how(log->options());
    how.clean = true;
    how.recovery_point = log->recovery_point();
    auto next = must_open(machine, how);
    next->adopt_producers(*log);
    log.reset();
    if (sleeps) {
      ASSERT_TRUE(flush(machine, *next).has_value());
      ASSERT_TRUE(next->doze().value_or(false));
    }
    for (spec.sequence = 0; spec.sequence < 5; ++spec.sequence) {
      auto again = next->append_as_leader(make_batch(spec), Epoch(3), Timestamp(1));
      ASSERT_TRUE(again.has_value()) << spec.sequence;
      EXPECT_TRUE(again->duplicate) << spec.sequence;
      EXPECT_EQ(again->first_offset, offsets[static_cast<std::size_t>(spec.sequence)]);
    }
  }
}

TEST(SleepingLog, files_that_end_elsewhere_are_refused) {
  for (bool longer : {false, true}) {
    Machine machine;
    auto log = reopened(machine, 3, LogOptions());
    ASSERT_TRUE(log->doze().value_or(false));
    std::string path = kDirectory + "/00000000000000000000.log";
    auto file = machine.disk.open(path, io::OpenMode::kWrite);
    ASSERT_TRUE(file.has_value());
    std::uint64_t size = (*file)->size().value_or(0);
    if (longer) {
      std::string content = machine.read("00000000000000000000.log");
      content = content.substr(content.size() / 3 * 2);
      content[7] = 6;  // its base offset
      ASSERT_TRUE((*file)->write_at(size, as_bytes(content)).has_value());
    } else {
      ASSERT_TRUE((*file)->truncate(size / 3 * 2).has_value());
    }
    EXPECT_FALSE(wake(*log)) << longer;
    EXPECT_TRUE(log->offline());
    EXPECT_EQ((*file)->size().value_or(0), longer ? size / 3 * 4 : size / 3 * 2) << "nothing is repaired by itself";
  }
}

TEST(SleepingLog, retention_wakes_it_only_when_something_is_due) {
  Machine machine;
  LogOptions options = small_segments();
  options.retention_ms = 10'000;
  auto log = reopened(machine, 12, options);
  std::size_t segments = log->segment_count();
  log->set_high_watermark(log->log_end_offset());
  (void)log->delete_old_segments(Timestamp(2000));  // has looked at the first segment
  ASSERT_TRUE(log->doze().value_or(false));
  EXPECT_EQ(log->delete_old_segments(Timestamp(9000), Waits::kNever).value_or(99), 0U);
  EXPECT_TRUE(log->asleep());
  auto due = log->delete_old_segments(Timestamp(20'000), Waits::kNever);
  ASSERT_TRUE(due.failed());
  EXPECT_EQ(due.error().kind, LogErrorKind::kCold);
  ASSERT_TRUE(wake(*log));
  EXPECT_EQ(log->delete_old_segments(Timestamp(20'000)).value_or(0), segments);
}

TEST(SleepingLog, a_new_one_has_no_file_until_its_first_record) {
  Machine machine;
  auto log = Log::open_asleep(machine.disk, open_how(), LogSummary(), EpochCache());
  log->assign_epoch(Epoch(0), Offset(0));
  EXPECT_FALSE(machine.has("00000000000000000000.log"));
  EXPECT_EQ(must_append(*log, {.count = 2}).last_offset, Offset(1));
  EXPECT_TRUE(machine.has("00000000000000000000.log"));
  ASSERT_TRUE(flush(machine, *log).has_value());
  log.reset();
  machine.power_cycle();
  EXPECT_EQ(must_open(machine, open_how())->log_end_offset(), Offset(2));
}

}  // namespace
}  // namespace milena::log
