// A disk that is full at one call, or for a while, or for the whole of a recovery. Nothing goes offline,
// reads go on, nothing half-made is left behind, and once there is room all is as it would have been.
#include <gmock/gmock.h>

#include <limits>
#include <map>

#include "log/log_fixture.h"

namespace milena::log {
namespace {

using ::testing::HasSubstr;

const Uuid kTopic{1, 1000};
const PartitionName kName{"t", PartitionId(0)};
constexpr std::uint64_t kForever = std::numeric_limits<std::uint64_t>::max();

LogOptions small_segments() {
  LogOptions options;
  options.segment_bytes = 700;
  options.index_interval_bytes = 100;
  return options;
}

using Tree = std::map<std::string, std::string>;

void collect(io::Disk& disk, const std::string& directory, Tree& tree) {
  auto entries = disk.list(directory);
  ASSERT_TRUE(entries.has_value());
  for (const io::DirectoryEntry& entry : *entries) {
    std::string path = directory + "/" + entry.name;
    if (entry.is_directory)
      collect(disk, path, tree);
    else
      tree[path] = disk.read_file(path).value_or("<unreadable>");
  }
}

/// One life of a log directory. Each step that finds the disk full is tried again, up to `tries` times.
class Life {
 public:
  Life(io::SimDisk& disk, std::uint64_t tries) : disk_(disk), tries_(tries) {}

  void run() {
    ASSERT_TRUE(disk_.remove_directory(kDirectory).has_value());
    step("open", [&] { return open_directory(); });
    MetaProperties meta;
    meta.cluster_id = "c";
    meta.node_id = 1;
    step("format", [&] { return directory_->format(meta); });
    step("create", [&] { return directory_->create_partition(kName, kTopic); });
    step("log", [&] { return open_log(); });
    for (int i = 0; i < 24 && !HasFatalFailure(); ++i) {
      BatchSpec spec{.timestamp = Timestamp(1000 + i), .value_size = 60, .producer_id = 5, .sequence = i};
      step("append", [&] { return append(spec); });
      if (i % 7 == 3) step("epoch", [&] { return new_epoch(); });
      step("flush", [&] { return flush_log(); });
      if (i % 5 == 4) step("checkpoint", [&] { return checkpoint(); });
    }
    BatchSpec begun{.value_size = 30, .producer_id = 9, .sequence = 0, .transactional = true};
    step("append", [&] { return append(begun); });
    step("abort", [&] { return abort_transaction(); });
    step("retain", [&] { return retain(); });
    step("close", [&] { return close_log(); });
    step("stop", [&] { return stop(); });
  }

  std::uint64_t refusals() const { return refusals_; }

 private:
  static bool HasFatalFailure() { return ::testing::Test::HasFatalFailure(); }

  void step(const char* what, const std::function<LogResult<void>()>& act) {
    if (HasFatalFailure()) return;
    for (std::uint64_t i = 0; i <= tries_; ++i) {
      std::string before = readable();
      auto done = act();
      if (log_ != nullptr) {
        ASSERT_FALSE(log_->offline()) << what << ": " << log_->offline_reason();
        log_->check_invariants();
      }
      if (!done.failed()) return;
      ASSERT_EQ(done.error().kind, LogErrorKind::kNoSpace) << what << ": " << done.error().message;
      ++refusals_;
      EXPECT_EQ(readable(), before) << what << ": reads go on";
      Tree tree;
      collect(disk_, "/data", tree);
      for (const auto& [path, content] : tree) EXPECT_THAT(path, Not(HasSubstr(".tmp"))) << what;
    }
    FAIL() << what << " never succeeds";
  }

  /// What a reader gets.
  std::string readable() { return log_ != nullptr ? read_all(*log_, log_->log_start_offset()) : ""; }
  LogResult<void> open_directory() {
    TRY_ASSIGN(directory_, LogDirectory::open(disk_, "/data"));
    return {};
  }
  LogResult<void> open_log() {
    OpenLog how = open_how(small_segments());
    TRY_ASSIGN(log_, Log::open(disk_, how));
    return {};
  }
  LogResult<void> append(const BatchSpec& spec) {
    TRY_ASSIGN(AppendResult result, log_->append_as_leader(make_batch(spec), Epoch(epoch_), Timestamp(1)));
    EXPECT_FALSE(result.duplicate);
    return {};
  }
  LogResult<void> new_epoch() {
    log_->assign_epoch(Epoch(++epoch_), log_->log_end_offset());
    return {};
  }
  /// The records are safe even where the disk has no room for the epochs.
  LogResult<void> flush_log() {
    FlushPlan plan = log_->begin_flush();
    TRY_IO(plan.run(disk_));
    log_->complete_flush(plan);
    EXPECT_EQ(log_->flushed_offset(), log_->log_end_offset());
    if (!plan.no_room) return {};
    EXPECT_TRUE(log_->wants_flush());
    return Err(LogError{LogErrorKind::kNoSpace, "the epochs"});
  }
  LogResult<void> checkpoint() {
    return directory_->write_checkpoint(CheckpointFile::kRecoveryPoint, {{kName, log_->recovery_point()}});
  }
  LogResult<void> abort_transaction() {
    TRY_ASSIGN([[maybe_unused]] AppendResult marked,
               log_->append_as_leader(make_marker(9, false), Epoch(epoch_), Timestamp(1),
                                      AppendOrigin::kCoordinator));
    return {};
  }
  LogResult<void> retain() {
    log_->set_high_watermark(log_->log_end_offset());
    LogOptions options = small_segments();
    options.retention_bytes = 2000;
    log_->set_options(options);
    TRY_ASSIGN([[maybe_unused]] std::size_t count, log_->delete_old_segments(Timestamp(5000)));
    EXPECT_GT(log_->log_start_offset(), Offset(0)) << "the room comes from here";
    for (const std::string& path : log_->take_deleted_files()) TRY_IO(disk_.remove_file(path));
    return {};
  }
  LogResult<void> close_log() {
    TRY_ASSIGN(last_plan_, log_->begin_close());
    end_ = log_->log_end_offset();
    log_.reset();
    return {};
  }
  LogResult<void> stop() {
    TRY_IO(last_plan_.run(disk_));
    if (last_plan_.no_room) return Err(LogError{LogErrorKind::kNoSpace, "the epochs"});
    TRY(directory_->write_checkpoint(CheckpointFile::kRecoveryPoint, {{kName, end_}}));
    TRY(directory_->write_clean_shutdown(7));
    directory_.reset();
    return {};
  }

  io::SimDisk& disk_;
  std::uint64_t tries_;
  std::uint64_t refusals_ = 0;
  std::unique_ptr<LogDirectory> directory_;
  std::unique_ptr<Log> log_;
  std::int32_t epoch_ = 0;
  FlushPlan last_plan_;
  Offset end_{0};
};

Tree tree_of(Machine& machine) {
  Tree tree;
  collect(machine.disk, "/data", tree);
  return tree;
}

TEST(FullDisk, at_every_single_call_that_needs_room) {
  Machine healthy;
  Life whole(healthy.disk, 0);
  whole.run();
  ASSERT_FALSE(HasFatalFailure());
  Tree expected = tree_of(healthy);
  std::uint64_t calls = healthy.disk.room_calls();
  ASSERT_GT(calls, 80u);
  std::uint64_t noticed = 0;
  for (std::uint64_t length : {1, 2}) {
    for (std::uint64_t at = 0; at < calls; ++at) {
      SCOPED_TRACE("no room at call " + std::to_string(at) + ", " + std::to_string(length) + " times");
      Machine machine;
      machine.disk.no_room_at(at + machine.disk.room_calls(), length);
      Life life(machine.disk, 3);
      life.run();
      ASSERT_FALSE(HasFatalFailure());
      noticed += life.refusals();
      for (const auto& [path, content] : tree_of(machine)) {
        EXPECT_TRUE(expected.contains(path) && expected[path] == content) << path;
      }
      EXPECT_EQ(tree_of(machine).size(), expected.size()) << "all is as it would have been";
    }
  }
  EXPECT_GT(noticed, calls);
}

/// A log whose process was killed with several segments that recovery reads again.
void leave_unclean(Machine& machine, std::string& content) {
  auto directory = LogDirectory::open(machine.disk, "/data");
  ASSERT_TRUE(directory.has_value());
  ASSERT_TRUE((*directory)->create_partition(kName, kTopic).has_value());
  auto log = must_open(machine, open_how(small_segments()));
  for (int i = 0; i < 24; ++i) {
    must_append(*log, {.timestamp = Timestamp(1000 + i), .value_size = 60, .producer_id = 5, .sequence = i},
                Epoch(i / 10));
  }
  content = read_all(*log, Offset(0));
  for (const char* name : {"00000000000000000000.index", "00000000000000000000.timeindex"}) {
    ASSERT_TRUE(machine.disk.remove_file(kDirectory + "/" + name).has_value());
  }
}

// How the log opens and is served while no call finds room, and what is on disk when there is room again.
void recover_without_room(Machine& machine, const std::string& content) {
  machine.restart();
  machine.disk.no_room_at(machine.disk.room_calls(), kForever);
  RecoveryReport report;
  auto log = must_open(machine, open_how(small_segments()), &report);
  ASSERT_NE(log, nullptr);
  EXPECT_THAT(::testing::PrintToString(report.notes), HasSubstr("no room"));
  log->set_high_watermark(log->log_end_offset());
  EXPECT_EQ(read_all(*log, Offset(0)), content);
  auto found = log->offset_for_timestamp(Timestamp(1004));
  ASSERT_TRUE(found.has_value() && found->has_value());
  EXPECT_EQ((*found)->offset, Offset(4));
  FlushPlan plan = log->begin_flush();
  ASSERT_TRUE(plan.run(machine.disk).has_value());
  log->complete_flush(plan);
  EXPECT_EQ(log->flushed_offset(), log->log_end_offset()) << "the records are safe";
  EXPECT_EQ(log->recovery_point(), Offset(0)) << "their indexes are not";
  EXPECT_TRUE(log->wants_flush());
  EXPECT_EQ(read_all(*log, Offset(0)), content);
  EXPECT_EQ(log->append_as_leader(make_batch({.value_size = 300}), Epoch(3), Timestamp(1)).error().kind,
            LogErrorKind::kNoSpace);
  EXPECT_EQ(log->begin_close().error().kind, LogErrorKind::kNoSpace);
  EXPECT_FALSE(log->offline());

  machine.disk.no_room_at(0, 0);
  ASSERT_TRUE(flush(machine, *log).has_value());
  EXPECT_FALSE(log->wants_flush());
  EXPECT_GT(log->recovery_point(), Offset(0));
  must_append(*log, {.value_size = 300}, Epoch(3));
  close_cleanly(machine, std::move(log));
}

TEST(FullDisk, a_recovery_without_any_room_serves_the_records_and_writes_the_indexes_later) {
  Machine healthy;
  std::string content;
  leave_unclean(healthy, content);
  healthy.restart();
  auto log = must_open(healthy, open_how(small_segments()));
  ASSERT_TRUE(flush(healthy, *log).has_value());
  must_append(*log, {.value_size = 300}, Epoch(3));
  close_cleanly(healthy, std::move(log));

  Machine machine;
  leave_unclean(machine, content);
  recover_without_room(machine, content);
  ASSERT_FALSE(HasFatalFailure());
  EXPECT_TRUE(tree_of(machine) == tree_of(healthy));
}

TEST(FullDisk, an_index_that_must_be_rebuilt_is_kept_in_memory) {
  Machine machine;
  std::string content;
  leave_unclean(machine, content);
  machine.restart();
  OpenLog how = close_cleanly(machine, must_open(machine, open_how(small_segments())));
  ASSERT_TRUE(machine.disk.remove_file(kDirectory + "/00000000000000000000.timeindex").has_value());
  auto log = must_open(machine, how);
  machine.disk.no_room_at(machine.disk.room_calls(), kForever);
  EXPECT_EQ(read_all(*log, Offset(0)), content);
  EXPECT_FALSE(machine.has("00000000000000000000.timeindex")) << "none rather than a part";
  EXPECT_TRUE(log->wants_flush());
  machine.disk.no_room_at(0, 0);
  ASSERT_TRUE(flush(machine, *log).has_value());
  EXPECT_TRUE(machine.has("00000000000000000000.timeindex"));
  EXPECT_FALSE(log->wants_flush());
}

TEST(FullDisk, a_log_that_starts_anew_gets_its_file_with_the_first_append) {
  Machine machine;
  auto log = must_open(machine, open_how());
  must_append(*log, {.count = 3});
  machine.disk.no_room_at(machine.disk.room_calls(), kForever);
  ASSERT_TRUE(log->truncate_fully_and_start_at(Offset(10), Timestamp(1)).has_value());
  log->check_invariants();
  EXPECT_EQ(read_all(*log, Offset(10)), "");
  BatchSpec spec{.base = Offset(10), .epoch = Epoch(0)};
  EXPECT_EQ(log->append_raw(make_batch(spec), Timestamp(1)).error().kind, LogErrorKind::kNoSpace);
  machine.disk.no_room_at(0, 0);
  EXPECT_TRUE(log->append_raw(make_batch(spec), Timestamp(1)).has_value());
  ASSERT_TRUE(flush(machine, *log).has_value());
  machine.power_cycle();
  OpenLog how = open_how();
  how.log_start_offset = Offset(10);
  log = must_open(machine, how);
  EXPECT_EQ(log->log_end_offset(), Offset(11));
}

TEST(FullDisk, a_failed_sync_is_no_full_disk) {
  for (std::uint64_t seed = 1; seed < 8; ++seed) {  // with either errno
    Machine machine(seed);
    auto log = must_open(machine, open_how());
    must_append(*log, {});
    machine.disk.fail_next_sync("00000000000000000000.log");
    EXPECT_EQ(flush(machine, *log).error().kind, io::ErrorKind::kIo);
  }
}

}  // namespace
}  // namespace milena::log
