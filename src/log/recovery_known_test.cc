// Recovery where the process alone was killed: what was known of the log is not read again.
#include <gmock/gmock.h>

#include "log/log_fixture.h"

namespace milena::log {
namespace {

constexpr const char* kLogFile = "00000000000000000000.log";

struct Known {
  LogSummary summary;
  OpenLog how;
};

BatchSpec batch(int sequence) {
  return {.count = 2, .timestamp = Timestamp(1000 + sequence), .value_size = 40, .producer_id = 5, .sequence = sequence};
}

// Ten batches and a clean stop; then `more` batches, and the process is killed.
Known killed(Machine& machine, int more, std::string* all) {
  LogOptions options;
  options.index_interval_bytes = 100;
  auto log = must_open(machine, open_how(options));
  for (int i = 0; i < 10; ++i) must_append(*log, batch(2 * i));
  log = must_open(machine, close_cleanly(machine, std::move(log)));
  Known known;
  auto summary = log->summarize();
  EXPECT_TRUE(summary.has_value() && summary->has_value());
  known.summary = **summary;
  for (int i = 10; i < 10 + more; ++i) must_append(*log, batch(2 * i));
  if (all != nullptr) *all = read_all(*log, Offset(0));
  log.reset();
  machine.restart();
  known.how = open_how(options);
  known.how.synced = machine.disk.sync_all("/data").has_value();
  known.how.recovery_point = Offset(20);
  known.how.known = known.summary;
  return known;
}

TEST(KnownLog, is_read_from_its_known_end_on) {
  Machine machine;
  std::string all;
  Known known = killed(machine, 3, &all);
  RecoveryReport report;
  auto log = must_open(machine, known.how, &report);
  EXPECT_EQ(report.scanned_records, 6U);
  EXPECT_EQ(log->log_end_offset(), Offset(26));
  EXPECT_EQ(log->flushed_offset(), Offset(26)) << "it was synced before";
  EXPECT_TRUE(log->begin_flush().files.empty());
  EXPECT_EQ(read_all(*log, Offset(0)), all);
  EXPECT_EQ(log->offset_for_timestamp(Timestamp(1004)).value_or(std::nullopt)->offset, Offset(4));
  EXPECT_EQ(log->offset_for_timestamp(Timestamp(1024)).value_or(std::nullopt)->offset, Offset(24));
  for (int sequence : {18, 24}) {
    auto again = log->append_as_leader(make_batch(batch(sequence)), Epoch(0), Timestamp(1));
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_TRUE(again->duplicate) << sequence;
  }
  EXPECT_EQ(must_append(*log, batch(26)).first_offset, Offset(26));
  // Its index is as good as one that was never lost.
  OpenLog clean = close_cleanly(machine, std::move(log));
  log = must_open(machine, clean, &report);
  EXPECT_EQ(read_all(*log, Offset(0)).substr(0, all.size()), all);
}

TEST(KnownLog, loses_the_write_that_was_torn_and_nothing_else) {
  std::size_t batch_size = make_batch(batch(0)).size();
  for (std::size_t torn : {std::size_t{1}, std::size_t{30}, batch_size - 1}) {
    Machine machine;
    Known known = killed(machine, 3, nullptr);
    auto file = machine.disk.open(kDirectory + "/" + kLogFile, io::OpenMode::kWrite);
    ASSERT_TRUE((*file)->truncate((*file)->size().value_or(0) - torn).has_value());
    RecoveryReport report;
    auto log = must_open(machine, known.how, &report);
    EXPECT_EQ(log->log_end_offset(), Offset(24)) << torn;
    EXPECT_EQ(report.truncated_bytes, batch_size - torn);
    EXPECT_EQ(must_append(*log, batch(24)).first_offset, Offset(24));
  }
}

TEST(KnownLog, is_read_whole_where_the_files_do_not_agree) {
  for (int change = 0; change < 4; ++change) {
    Machine machine;
    std::string all;
    Known known = killed(machine, 3, &all);
    if (change == 0) known.how.known->inode += 1;
    if (change == 1) known.how.known->active_size -= 1;
    if (change == 2) known.how.known->log_end_offset = Offset(18);
    if (change == 3) {
      ASSERT_TRUE(machine.disk.remove_file(kDirectory + "/leader-epoch-checkpoint").has_value());
    }
    RecoveryReport report;
    auto log = must_open(machine, known.how, &report);
    EXPECT_EQ(report.scanned_records, 26U) << change;
    EXPECT_EQ(read_all(*log, Offset(0)), all);
    EXPECT_EQ(log->epochs().size(), 1U);
  }
}

TEST(KnownLog, whose_index_is_lost_is_read_whole) {
  Machine machine;
  std::string all;
  Known known = killed(machine, 3, &all);
  ASSERT_TRUE(machine.disk.remove_file(kDirectory + "/00000000000000000000.timeindex").has_value());
  RecoveryReport report;
  auto log = must_open(machine, known.how, &report);
  EXPECT_EQ(report.scanned_records, 26U);
  EXPECT_EQ(log->offset_for_timestamp(Timestamp(1004)).value_or(std::nullopt)->offset, Offset(4));
}

}  // namespace
}  // namespace milena::log
