#include "log/open_files.h"

#include <gmock/gmock.h>

#include "log/log_fixture.h"

namespace milena::log {
namespace {

LogOptions small_segments() {
  LogOptions options;
  options.segment_bytes = 700;
  options.index_interval_bytes = 100;
  return options;
}

TEST(OpenFilesOfLogs, never_exceed_the_limit_and_nobody_sees_it) {
  Machine machine;
  auto files = std::make_shared<OpenFiles>(2);
  std::vector<std::unique_ptr<Log>> logs;
  std::vector<std::string> written(5);
  for (int i = 0; i < 5; ++i) {
    OpenLog how = open_how(small_segments());
    how.path = "/data/u-" + std::to_string(i);
    ASSERT_TRUE(machine.disk.create_directories(how.path).has_value());
    logs.push_back(must_open(machine, how));
    logs.back()->use_files(files);
  }
  for (int round = 0; round < 12; ++round) {
    for (std::size_t i = 0; i < logs.size(); ++i) {
      Offset end = logs[i]->log_end_offset();
      must_append(*logs[i], {.count = 2, .timestamp = Timestamp(1000 + round), .value_size = 40});
      written[i] += read_all(*logs[i], end);
      EXPECT_LE(machine.disk.open_files(), 2U);
      EXPECT_LE(files->count(), 2U);
    }
  }
  for (std::size_t i = 0; i < logs.size(); ++i) {
    EXPECT_GT(logs[i]->segment_count(), 2U);
    EXPECT_EQ(read_all(*logs[i], Offset(0)), written[i]);
    ASSERT_TRUE(flush(machine, *logs[i]).has_value());
    ASSERT_TRUE(logs[i]->truncate_to(Offset(7), Timestamp(1)).has_value());
    EXPECT_EQ(read_all(*logs[i], Offset(0)), written[i].substr(0, read_all(*logs[i], Offset(0)).size()));
  }
  logs.clear();
  EXPECT_EQ(machine.disk.open_files(), 0U);
  EXPECT_EQ(files->count(), 0U);
}

TEST(OpenFilesOfLogs, those_that_nobody_uses_are_closed_after_a_while) {
  Machine machine;
  auto files = std::make_shared<OpenFiles>(100);
  auto log = must_open(machine, open_how());
  log->use_files(files);
  must_append(*log, {.count = 1});
  EXPECT_EQ(machine.disk.open_files(), 1U);
  files->end_period();
  EXPECT_EQ(machine.disk.open_files(), 1U) << "it was used in the last period";
  files->end_period();
  EXPECT_EQ(machine.disk.open_files(), 0U);
  must_append(*log, {.count = 1});
  EXPECT_EQ(machine.disk.open_files(), 1U);
  EXPECT_EQ(log->log_end_offset(), Offset(2));
}

TEST(OpenFilesOfLogs, a_log_keeps_its_place_when_it_sleeps_and_wakes) {
  Machine machine;
  auto files = std::make_shared<OpenFiles>(100);
  auto log = must_open(machine, open_how());
  must_append(*log, {.count = 1});
  log = must_open(machine, close_cleanly(machine, std::move(log)));
  log->use_files(files);
  ASSERT_TRUE(log->doze().value_or(false));
  EXPECT_EQ(files->count(), 0U);
  EXPECT_EQ(machine.disk.open_files(), 0U);
  EXPECT_EQ(must_append(*log, {.count = 1}).first_offset, Offset(1));
  EXPECT_EQ(files->count(), 1U);
}

}  // namespace
}  // namespace milena::log
