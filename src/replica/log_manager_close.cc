// Checkpoints, retention, and the order of a clean stop.
#include "replica/log_manager.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/coverage.h"
#include "io/when_all.h"
#include "replica/partition_settings.h"

namespace milena::replica {

namespace {

struct LogState {
  TopicIdPartition id;
  Offset recovery_point{0};
  Offset log_start{0};
  Offset high_watermark{0};
};

// Of those that have changed since the last time.
io::Task<std::vector<LogState>> changes_there(LoopPartitions* there) {
  std::vector<LogState> states;
  for (const auto& partition : std::exchange(there->changes().checkpoints, {})) {
    partition->taken_for_checkpoints();
    log::Log& log = partition->log();
    for (const std::string& note : log.take_notes()) there->loop().log().info("log", "{}", note);
    if (log.offline()) continue;
    states.push_back({partition->id(), log.recovery_point(), log.log_start_offset(), log.high_watermark()});
  }
  co_return std::move(states);
}

bool set_offset(log::OffsetCheckpoint& offsets, const log::PartitionName& name, Offset offset) {
  auto [it, added] = offsets.try_emplace(name, offset);
  bool changed = added || it->second != offset;
  it->second = offset;
  return changed;
}

// The partitions of a loop by when retention must look at them next.
class Deadlines {
 public:
  void set(const TopicIdPartition& id, Timestamp when) {
    if (auto it = when_.find(id); it != when_.end()) {
      by_time_.erase({it->second, id});
      when_.erase(it);
    }
    if (when.value() == INT64_MAX) return;
    when_.emplace(id, when);
    by_time_.emplace(when, id);
  }
  std::vector<TopicIdPartition> due(Timestamp now) const {
    std::vector<TopicIdPartition> ids;
    for (auto it = by_time_.begin(); it != by_time_.end() && it->first <= now; ++it)
      ids.push_back(it->second);
    return ids;
  }

 private:
  std::unordered_map<TopicIdPartition, Timestamp> when_;
  std::set<std::pair<Timestamp, TopicIdPartition>> by_time_;
};

}  // namespace

io::Task<void> LogManager::collect() {
  for (std::size_t i = 0; i < partitions_.loops(); ++i) {
    LoopPartitions* there = &partitions_.on_loop(i);
    auto work = [there] { return changes_there(there); };
    std::vector<LogState> states = co_await io::run_on(there->loop(), std::move(work));
    for (const LogState& state : states) {
      auto it = places_.find(state.id);
      if (it == places_.end()) continue;
      const log::PartitionName& name = it->second.name;
      DirectoryState& known = states_[it->second.directory];
      known.recovery_unsaved |= set_offset(known.recovery_points, name, state.recovery_point);
      known.marks_unsaved |= set_offset(known.high_watermarks, name, state.high_watermark);
      if (state.log_start > Offset(0))
        known.starts_unsaved |= set_offset(known.log_starts, name, state.log_start);
      else
        known.starts_unsaved |= known.log_starts.erase(name) > 0;
    }
  }
}

// The partition is no longer in the directory.
void LogManager::forget_checkpoints(const Place& place) {
  DirectoryState& state = states_[place.directory];
  std::size_t known = 0;
  for (auto* map : {&state.recovery_points, &state.log_starts, &state.high_watermarks})
    known += map->erase(place.name);
  if (known == 0) return;
  state.gone.insert(place.name);
  state.recovery_unsaved = state.starts_unsaved = state.marks_unsaved = true;
}

// REQUIRES: applying_ is held, so that the pool may read the offsets where they are.
io::Task<void> LogManager::write_checkpoints(bool all) {
  co_await collect();
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    DirectoryState& state = states_[i];
    if (state.failed || !state.holds_partitions) continue;
    bool was_full = std::exchange(state.full, false);
    bool recovery = all && state.recovery_unsaved;
    bool starts = all && state.starts_unsaved;
    bool marks = state.marks_unsaved;
    if (!recovery && !starts && !marks) continue;
    log::LogDirectory* dir = directories_[i].get();
    auto job = [dir, this, i, recovery, starts, marks]() -> log::LogResult<void> {
      const DirectoryState& from = states_[i];
      if (recovery) TRY(dir->write_checkpoint(log::CheckpointFile::kRecoveryPoint, from.recovery_points));
      if (starts) TRY(dir->write_checkpoint(log::CheckpointFile::kLogStart, from.log_starts));
      if (marks) TRY(dir->write_checkpoint(log::CheckpointFile::kReplication, from.high_watermarks));
      return {};
    };
    auto written = co_await io::offload(loop_, std::move(job));
    if (written.failed() && written.error().kind == log::LogErrorKind::kNoSpace) {
      MILENA_REACHED("disk.no_room_for_checkpoints");
      state.full = true;  // the next time tries again
      if (!was_full)
        loop_.log().warn("log", "{}: no room for checkpoints: {}", dir->path(), written.error().message);
      continue;
    }
    if (written.failed()) {
      directory_failed(i, written.error().message);
      continue;
    }
    state.recovery_unsaved = state.recovery_unsaved && !recovery;
    state.starts_unsaved = state.starts_unsaved && !starts;
    state.marks_unsaved = state.marks_unsaved && !marks;
    if (recovery && starts && marks) state.gone.clear();
  }
}

io::Task<void> LogManager::write_log_starts(std::size_t directory, log::OffsetCheckpoint starts) {
  log::LogDirectory* dir = directories_[directory].get();
  auto content = std::make_shared<const log::OffsetCheckpoint>(std::move(starts));
  auto job = [dir, content] { return dir->write_checkpoint(log::CheckpointFile::kLogStart, *content); };
  auto written = co_await io::offload(loop_, std::move(job));
  if (written.has_value()) {
    states_[directory].log_starts = *content;
    states_[directory].starts_unsaved = false;
  } else if (written.error().kind == log::LogErrorKind::kNoSpace) {
    // Deleting is how room is made: what is deleted stays so in memory, and the next checkpoints tell it.
    loop_.log().warn("log", "{}: no room for log start offsets: {}", dir->path(), written.error().message);
  } else {
    directory_failed(directory, written.error().message);
  }
}

io::Task<std::vector<TopicIdPartition>> LogManager::save_log_starts(std::vector<LogStart> starts) {
  unsaved_starts_.insert(unsaved_starts_.end(), starts.begin(), starts.end());
  auto turn = co_await applying_.lock();
  // Whoever had the turn before may have written these, too.
  std::vector<LogStart> unsaved = std::exchange(unsaved_starts_, {});
  std::map<std::size_t, log::OffsetCheckpoint> changed;  // by directory
  for (const LogStart& start : unsaved) {
    auto place = places_.find(start.id);
    if (place == places_.end()) continue;
    std::size_t directory = place->second.directory;
    auto known = states_[directory].log_starts.find(place->second.name);
    bool saved = !states_[directory].starts_unsaved && known != states_[directory].log_starts.end();
    if (saved && known->second >= start.offset) continue;
    if (states_[directory].failed || start.offset <= Offset(0)) continue;
    auto [content, added] = changed.try_emplace(directory);
    if (added) content->second = states_[directory].log_starts;
    Offset& offset = content->second[place->second.name];
    offset = std::max(offset, start.offset);
  }
  for (auto& [directory, content] : changed) co_await write_log_starts(directory, std::move(content));
  std::vector<TopicIdPartition> failed;
  for (const LogStart& start : starts) {
    auto place = places_.find(start.id);
    if (place != places_.end() && states_[place->second.directory].failed) failed.push_back(start.id);
  }
  co_return failed;
}

void LogManager::start_background() {
  loop_.spawn(run_checkpoints(this));
  for (std::size_t i = 0; i < partitions_.loops(); ++i) {
    LoopPartitions* there = &partitions_.on_loop(i);
    there->loop().post([there] { there->loop().spawn(run_file_closing(there)); });
  }
  for (std::size_t i = 0; i < partitions_.loops(); ++i) {
    LoopPartitions* there = &partitions_.on_loop(i);
    there->loop().post([this, there] {
      there->loop().spawn(run_retention(this, there));
      if (options_.flush_interval != Duration::max()) there->loop().spawn(run_timed_flushes(this, there));
    });
  }
}

io::Task<void> LogManager::run_checkpoints(LogManager* self) {
  Instant next_all = self->loop_.now() + self->options_.checkpoint_interval;
  while (!self->stopping_) {
    co_await self->stop_signal_.wait(self->loop_.now() + self->options_.high_watermark_interval);
    if (self->stopping_) break;
    auto turn = co_await self->applying_.lock();
    bool all = self->loop_.now() >= next_all;
    if (all) next_all = self->loop_.now() + self->options_.checkpoint_interval;
    co_await self->write_checkpoints(all);
  }
}

io::Task<void> LogManager::run_file_closing(LoopPartitions* there) {
  constexpr Duration kPeriod = 30s;
  while (true) {
    co_await io::sleep_for(there->loop(), kPeriod);
    there->files().end_period();
  }
}

// flush.ms: a partition with unsynced records whose last flush is that long ago is synced, looked at each
// scheduler interval.
io::Task<void> LogManager::run_timed_flushes(LogManager* self, LoopPartitions* there) {
  io::Loop& loop = there->loop();
  while (true) {
    co_await io::sleep_for(loop, self->options_.flush_interval);
    for (const auto& partition : std::exchange(there->changes().unflushed, {})) {
      partition->taken_for_flush();
      partition->flush_if_old(loop.now());
      partition->note_unflushed();  // until it has been synced
    }
  }
}

io::Task<void> LogManager::run_retention(LogManager* self, LoopPartitions* there) {
  io::Loop& loop = there->loop();
  Duration interval = self->options_.retention_check_interval;
  Deadlines deadlines;
  while (true) {
    co_await io::sleep_for(loop, interval);
    std::vector<std::shared_ptr<Partition>> due = std::exchange(there->changes().retention, {});
    for (const auto& partition : due) partition->taken_for_retention();
    for (const TopicIdPartition& id : deadlines.due(loop.wall_now())) {
      deadlines.set(id, Timestamp(INT64_MAX));
      if (auto partition = there->find(id); partition != nullptr) due.push_back(std::move(partition));
    }
    for (const auto& partition : due) {
      std::vector<std::string> paths = co_await Partition::retain(partition, loop.wall_now());
      bool goes_on = !partition->retired() && !partition->log().offline();
      deadlines.set(partition->id(), goes_on ? partition->log().next_retention() : Timestamp(INT64_MAX));
      Duration delay = from_ms(partition->settings().file_delete_delay_ms);
      if (!paths.empty()) loop.spawn(remove_later(&loop, std::move(paths), delay));
    }
  }
}

// ---- stopping
// ----------------------------------------------------------------------------------------------

namespace {

constexpr std::size_t kCloseTogether = 512;  // each holds its descriptors until it is synced
constexpr std::size_t kCloseOneByOne = 8;

struct Closing {
  std::shared_ptr<Partition> partition;
  std::shared_ptr<log::FlushPlan> plan;
};

io::IoResult<void> run_plans(io::Disk& disk, const std::string& directory,
                             const std::vector<std::shared_ptr<log::FlushPlan>>& plans) {
  if (plans.size() > kCloseOneByOne) return log::run_together(disk, directory, plans);
  for (const auto& plan : plans) TRY(plan->run(disk));
  return {};
}

// Logs of one directory.
io::Task<void> sync_closed(LoopPartitions* there, std::string directory, std::vector<Closing> closing,
                           std::shared_ptr<std::vector<TopicIdPartition>> unclean) {
  auto plans = std::make_shared<std::vector<std::shared_ptr<log::FlushPlan>>>();
  for (const Closing& one : closing) plans->push_back(one.plan);
  io::Disk* disk = &there->loop().disk();
  auto job = [plans, disk, directory] { return run_plans(*disk, directory, *plans); };
  auto synced = co_await io::offload(there->loop(), std::move(job));
  for (const Closing& one : closing) {
    if (synced.failed()) {
      one.partition->go_offline(synced.error().what);
      continue;
    }
    one.partition->log().complete_flush(*one.plan);
    there->changes().checkpoints.push_back(one.partition);
    if (one.plan->no_room) unclean->push_back(one.partition->id());
  }
}

}  // namespace

io::Task<void> LogManager::close_loop(LoopPartitions* there,
                                      std::shared_ptr<std::vector<TopicIdPartition>> unclean) {
  std::vector<std::shared_ptr<Partition>> partitions;
  for (const auto& [id, partition] : there->all()) partitions.push_back(partition);
  for (const auto& partition : partitions) partition->retire();
  std::map<std::string, std::vector<Closing>> by_directory;
  for (const auto& partition : partitions) {
    co_await partition->flushes_done();
    if (partition->log().offline()) continue;
    auto plan = partition->log().begin_close();
    if (plan.failed() && plan.error().kind == log::LogErrorKind::kNoSpace) {
      // The records are made safe at least; the next start reads them again.
      unclean->push_back(partition->id());
      plan = partition->log().begin_flush();
    }
    if (plan.failed()) {
      partition->go_offline(plan.error().message);
      continue;
    }
    auto shared = std::make_shared<log::FlushPlan>(std::move(*plan));
    if (shared->empty()) {
      partition->log().complete_flush(*shared);
      there->changes().checkpoints.push_back(partition);
      continue;
    }
    std::string directory = io::parent_path(partition->log().path());
    std::vector<Closing>& closing = by_directory[directory];
    closing.push_back({partition, std::move(shared)});
    if (closing.size() < kCloseTogether) continue;
    std::vector<Closing> full = std::exchange(closing, {});
    co_await sync_closed(there, directory, std::move(full), unclean);
  }
  for (auto& [directory, closing] : by_directory) {
    if (!closing.empty()) co_await sync_closed(there, directory, std::move(closing), unclean);
  }
}

io::Task<void> LogManager::stop(std::int64_t broker_epoch, Epoch quorum_epoch) {
  stopping_ = true;
  stop_signal_.notify_all();
  auto turn = co_await applying_.lock();
  while (journaling_) co_await stop_signal_.wait();
  std::vector<io::Task<void>> closing;
  std::vector<std::shared_ptr<std::vector<TopicIdPartition>>> unclean;
  for (std::size_t i = 0; i < partitions_.loops(); ++i) {
    LoopPartitions* there = &partitions_.on_loop(i);
    unclean.push_back(std::make_shared<std::vector<TopicIdPartition>>());
    auto work = [there, list = unclean.back()] { return close_loop(there, list); };
    closing.push_back(io::run_on(there->loop(), std::move(work)));
  }
  co_await io::when_all(loop_, std::move(closing));
  for (const auto& list : unclean) {
    for (const TopicIdPartition& id : *list) {
      if (auto place = places_.find(id); place != places_.end())
        states_[place->second.directory].unclean = true;
    }
  }
  // Kafka loads them once more before it removes them, and misses their indexes where the stop was clean.
  std::vector<std::string> deleted(deleted_.begin(), deleted_.end());
  co_await remove_later(&loop_, std::move(deleted), Duration::zero());
  co_await write_checkpoints(true);
  co_await write_stopped_manifests(broker_epoch, quorum_epoch);
  co_await end_journals();
  co_await mark_clean(broker_epoch);
}

// A mark says that no log needs a look: it stands for all partitions of its directory or not at all.
io::Task<void> LogManager::mark_clean(std::int64_t broker_epoch) {
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    const DirectoryState& state = states_[i];
    if (state.failed || !state.holds_partitions) continue;
    log::LogDirectory* dir = directories_[i].get();
    bool waiting = std::ranges::any_of(no_room_, [&](const auto& entry) {
      auto place = places_.find(entry.first);
      return place != places_.end() && place->second.directory == i;
    });
    if (state.unclean || state.full || waiting) {
      loop_.log().warn("log", "{}: not marked as cleanly stopped: the next start checks its logs",
                       dir->path());
      continue;
    }
    auto job = [dir, broker_epoch] { return dir->write_clean_shutdown(broker_epoch); };
    auto written = co_await io::offload(loop_, std::move(job));
    if (written.failed()) {
      loop_.log().warn("log", "{}: {}", dir->path(), written.error().message);
      continue;
    }
    loop_.log().info("log", "{}: all synced and marked as cleanly stopped", dir->path());
  }
}

}  // namespace milena::replica
