// A scripted run is killed, or loses power, at each of its calls to the disk. Whatever was acknowledged as
// flushed is there afterwards, and what is there is a prefix of what was appended.
#include <gmock/gmock.h>

#include "log/log_fixture.h"

namespace milena::log {
namespace {

using ::testing::HasSubstr;

const Uuid kTopic{1, 1000};
const PartitionName kName{"t", PartitionId(0)};

LogOptions crash_options(bool preallocate) {
  LogOptions options;
  options.preallocate = preallocate;
  options.segment_bytes = 700;
  options.index_interval_bytes = 100;
  return options;
}

/// What a run has been promised, and what it wrote in all.
struct Story {
  std::string appended;      // all batches, in order
  std::int64_t end = 0;      // their end offset
  std::string acknowledged;  // durable
  std::int64_t acknowledged_end = 0;
  bool stopped_cleanly = false;
};

LogError failed(std::string what) {
  return {LogErrorKind::kIo, std::move(what)};
}

LogResult<void> flush_log(Machine& machine, LogDirectory& directory, Log& log, Story& story) {
  Story at_begin = story;
  FlushPlan plan = log.begin_flush();
  TRY_IO(plan.run(machine.disk));
  log.complete_flush(plan);
  story.acknowledged = at_begin.appended;
  story.acknowledged_end = at_begin.end;
  return directory.write_checkpoint(CheckpointFile::kRecoveryPoint, {{kName, log.recovery_point()}});
}

/// One life of a server: opens, appends `count` batches with a flush after every `flush_every`, stops
/// cleanly.
LogResult<void> live(Machine& machine, int count, int flush_every, bool preallocate, Story& story) {
  TRY_ASSIGN(auto directory, LogDirectory::open(machine.disk, "/data"));
  TRY_ASSIGN(auto checkpoint, directory->read_checkpoint(CheckpointFile::kRecoveryPoint));
  TRY_ASSIGN(auto shutdown, directory->take_clean_shutdown());
  TRY(directory->create_partition(kName, kTopic));
  OpenLog how = open_how(crash_options(preallocate));
  how.clean = shutdown.clean;
  how.recovery_point = checkpoint.contains(kName) ? checkpoint[kName] : Offset(0);
  TRY_ASSIGN(auto log, Log::open(machine.disk, how));
  log->check_invariants();
  // What is there: at least the acknowledged part, and no more than was written.
  std::string all = read_all(*log, Offset(0));
  if (!story.appended.starts_with(all)) return Err(failed("not a prefix of what was appended"));
  if (!all.starts_with(story.acknowledged)) return Err(failed("acknowledged records are gone"));
  story.appended = all;
  story.end = log->log_end_offset().value();
  for (int i = 0; i < count; ++i) {
    BatchSpec spec{.count = 2,
                   .timestamp = Timestamp(1000 + story.end),
                   .value_size = 40,
                   .producer_id = 5,
                   .sequence = static_cast<std::int32_t>(story.end),
                   .base = Offset(story.end),
                   .epoch = Epoch(0)};
    // A write that fails may have left it: it counts as appended, not as acknowledged.
    story.appended += make_batch(spec).text();
    story.end += 2;
    TRY_ASSIGN(AppendResult result, log->append_as_leader(make_batch(spec), Epoch(0), Timestamp(1)));
    if (result.first_offset != spec.base || result.duplicate) return Err(failed("wrong offset"));
    if ((i + 1) % flush_every == 0) TRY(flush_log(machine, *directory, *log, story));
  }
  TRY_ASSIGN(FlushPlan plan, log->begin_close());
  TRY_IO(plan.run(machine.disk));
  log->complete_flush(plan);
  story.acknowledged = story.appended;
  story.acknowledged_end = story.end;
  TRY(directory->write_checkpoint(CheckpointFile::kRecoveryPoint, {{kName, log->recovery_point()}}));
  TRY(directory->write_checkpoint(CheckpointFile::kLogStart, {}));
  return directory->write_clean_shutdown(1);
}

struct CrashCase {
  bool power;
  int flush_every;
  bool preallocate = false;
};

class LogCrash : public ::testing::TestWithParam<CrashCase> {};

TEST_P(LogCrash, at_every_call) {
  std::uint64_t calls = 0;
  {
    Machine machine;
    Story story;
    ASSERT_TRUE(live(machine, 12, GetParam().flush_every, GetParam().preallocate, story).has_value());
    machine.restart();
    ASSERT_TRUE(live(machine, 12, GetParam().flush_every, GetParam().preallocate, story).has_value());
    calls = machine.disk.calls();
    EXPECT_EQ(story.acknowledged_end, 48);
  }
  ASSERT_GT(calls, 100U);
  int refused = 0;
  for (std::uint64_t n = 1; n <= calls; ++n) {
    Machine machine(n);
    Story story;
    machine.disk.crash_at_call(n);
    auto first = live(machine, 12, GetParam().flush_every, GetParam().preallocate, story);
    if (!first.failed()) {
      machine.restart();
      first = live(machine, 12, GetParam().flush_every, GetParam().preallocate, story);
    }
    machine.disk.crash_at_call(0);
    if (GetParam().power) {
      machine.power_cycle();
    } else {
      machine.restart();
    }
    auto after = live(machine, 3, 1, GetParam().preallocate, story);
    if (after.failed() && GetParam().power && GetParam().flush_every > 1 &&
        after.error().message.find("a valid batch follows") != std::string::npos) {
      // Several writes were not durable, and the device kept a later one: kept as it is, for a person to
      // judge.
      ++refused;
      continue;
    }
    ASSERT_TRUE(after.has_value()) << "call " << n << ": " << after.error().message;
    machine.restart();
    auto last = live(machine, 1, 1, GetParam().preallocate, story);
    ASSERT_TRUE(last.has_value()) << "call " << n << ", once more: " << last.error().message;
  }
  if (!GetParam().power) {
    EXPECT_EQ(refused, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(, LogCrash,
                         ::testing::Values(CrashCase{false, 1}, CrashCase{false, 5}, CrashCase{true, 1},
                                           CrashCase{true, 5}, CrashCase{false, 5, true}, CrashCase{true, 1, true},
                                           CrashCase{true, 5, true}),
                         [](const auto& info) {
                           return std::string(info.param.power ? "power" : "kill") + "_flush_every_" +
                                  std::to_string(info.param.flush_every) +
                                  (info.param.preallocate ? "_preallocated" : "");
                         });

}  // namespace
}  // namespace milena::log
