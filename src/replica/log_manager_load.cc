// Loading: what the log directories hold is compared with the metadata, and the logs are opened in the pool.
#include <fmt/format.h>

#include <algorithm>
#include <concepts>
#include <utility>

#include "base/mutant.h"
#include "io/when_all.h"
#include "replica/log_manager.h"
#include "replica/partition_settings.h"

namespace milena::replica {
namespace {

StoreError from_log(const log::LogError& error) {
  return {error.message};
}
std::string counted_partitions(std::integral auto count) {
  return fmt::format("{} {}", count, count == 1 ? "partition" : "partitions");
}
constexpr std::size_t kOpenChunks = 2;  // as many as the pool has threads
constexpr std::ptrdiff_t kSyncTogether = 8;

}  // namespace

// What stands in one directory: partitions to open, leftovers to remove, strays to put aside.
Result<void, StoreError> LogManager::check_found(LogManager* self, std::size_t directory,
                                                 const log::PartitionDirectory& found,
                                                 const image::Image& image, std::vector<Work>& work) {
  log::LogDirectory& dir = *self->directories_[directory];
  switch (found.kind) {
    case log::PartitionDirectoryKind::kDelete: {
      auto removed = dir.disk().remove_tree(found.path);
      if (removed.failed()) self->loop_.log().warn("log", "{}", removed.error().what);
      return {};
    }
    case log::PartitionDirectoryKind::kFuture: {
      if (!found.refusal.empty()) return {};
      if (!found.topic_id.has_value()) {  // nothing was copied yet, and nobody has been told of it
        auto removed = dir.disk().remove_tree(found.path);
        if (removed.failed()) self->loop_.log().warn("log", "{}", removed.error().what);
        return {};
      }
      TopicIdPartition id{*found.topic_id, found.name.partition};
      const image::Partition* state = image.partition(id);
      bool ours = state != nullptr && state->is_replica(self->self_);
      if (ours) self->leftovers_.push_back({id, found.name, directory, found.path});
      return {};
    }
    case log::PartitionDirectoryKind::kStray:
      return {};  // put aside earlier: left alone
    case log::PartitionDirectoryKind::kPartition:
      break;
  }
  if (found.name.topic == "__cluster_metadata") return {};
  if (!found.refusal.empty()) {
    const image::Topic* topic = image.topic(found.name.topic);
    const image::Partition* state = topic != nullptr ? topic->partition(found.name.partition) : nullptr;
    if (state == nullptr || !state->is_replica(self->self_)) {
      self->loop_.log().error("log", "{}: {}", found.path, found.refusal);
      return {};
    }
    Work one;
    one.id = {topic->id, found.name.partition};
    one.place = {directory, found.name};
    one.refusal = found.refusal;
    work.push_back(std::move(one));
    return {};
  }
  if (!found.topic_id.has_value()) return {};  // empty: made again when the partition is needed
  TopicIdPartition id{*found.topic_id, found.name.partition};
  const image::Partition* state = image.partition(id);
  bool ours = state != nullptr && state->is_replica(self->self_);
  if (ours == MILENA_MUTANT("good-ones-are-strays")) {
    Uuid unique = self->loop_.entropy().random_uuid();
    auto moved = dir.mark_stray(found.name, unique);
    if (moved.failed() && moved.error().kind == log::LogErrorKind::kNoSpace) {
      self->loop_.log().warn("log", "{} belongs to no topic of this cluster; no room to put it aside",
                             found.path);
      return {};
    }
    if (moved.failed()) return Err(from_log(moved.error()));
    self->loop_.log().warn("log", "{} belongs to no topic of this cluster; it was put aside as {}",
                           found.path, *moved);
    return {};
  }
  Work one;
  one.id = id;
  one.place = {directory, found.name};
  work.push_back(std::move(one));
  return {};
}

// Reads one directory's checkpoints and plans what to do with what it holds.
Result<void, StoreError> LogManager::load_directory(LogManager* self, std::size_t index,
                                                    const image::Image& image, std::vector<Work>& work) {
  log::LogDirectory& dir = *self->directories_[index];
  DirectoryState& state = self->states_[index];
  // One whose disk fails is left out where there is another.
  auto failed = [&](const log::LogError& error) -> Result<void, StoreError> {
    if (error.kind != log::LogErrorKind::kIo || !self->can_do_without(index)) return Err(from_log(error));
    state.failed = true;
    self->loop_.log().error("log", "log directory {} cannot be used: {}", dir.path(), error.message);
    return {};
  };
  auto recovery = dir.read_checkpoint(log::CheckpointFile::kRecoveryPoint);
  if (recovery.failed()) return failed(recovery.error());
  auto starts = dir.read_checkpoint(log::CheckpointFile::kLogStart);
  if (starts.failed()) return failed(starts.error());
  auto marks = dir.read_checkpoint(log::CheckpointFile::kReplication);
  if (marks.failed()) return failed(marks.error());
  state.recovery_points = std::move(*recovery);
  state.log_starts = std::move(*starts);
  state.high_watermarks = std::move(*marks);
  auto journal = read_journal(self, index);
  if (journal.failed()) return failed(journal.error());
  auto listing = dir.list();
  if (listing.failed()) return failed(listing.error());
  auto mark = dir.take_clean_shutdown();
  if (mark.failed()) return failed(mark.error());
  state.clean = mark->clean;
  state.stopped_epoch = mark->broker_epoch;
  for (const std::string& unknown : listing->unknown) {
    self->loop_.log().warn("log", "{} is no partition; Apache Kafka would refuse to start on this directory",
                           unknown);
  }
  for (const log::PartitionDirectory& found : listing->partitions)
    TRY(check_found(self, index, found, image, work));
  return {};
}

Result<std::vector<LogManager::Work>, StoreError> LogManager::plan_load(LogManager* self,
                                                                        const image::Image& image,
                                                                        BrokerId broker, Timestamp now,
                                                                        Epoch quorum_epoch) {
  std::vector<Work> work;
  self->self_ = broker;
  bool all_clean = true;
  std::int64_t epoch = -1;
  for (std::size_t i = 0; i < self->directories_.size(); ++i) {
    DirectoryState& state = self->states_[i];
    if (!state.holds_partitions || state.failed) continue;
    TRY(load_directory(self, i, image, work));
    if (state.failed) continue;
    all_clean = all_clean && state.clean && (epoch == -1 || epoch == state.stopped_epoch);
    epoch = state.stopped_epoch;
    read_manifest(self, i, image, {state.clean, state.stopped_epoch}, quorum_epoch);
  }
  TRY(settle_leftovers(self, image, work));
  TRY(check_unique(self, work));
  self->previous_broker_epoch_ = all_clean ? epoch : -1;
  sync_before_opening(self, work);
  for (Work& one : work) {
    one.how = self->how_to_open(one, now);
    one.how.options = partition_settings(*self->config_, image, one.place.name.topic).log;
    const DirectoryState& state = self->states_[one.place.directory];
    if (auto known = state.known.find(one.place.name); known != state.known.end()) {
      if (known->second->topic_id == one.id.topic_id) one.known = known->second;
      one.marked = state.marked.contains(known->second);
      one.epochs_saved = state.clean;
    }
    if (auto start = state.journal.find(one.place.name); start != state.journal.end()) {
      if (start->second.topic_id == one.id.topic_id) one.epochs.push_back(start->second.entry);
    }
    self->places_[one.id] = one.place;
  }
  return work;
}

// What a killed process left in the page cache is about to be served: a power loss must not take it back. Many logs
// are synced by one call.
void LogManager::sync_before_opening(LogManager* self, std::vector<Work>& work) {
  for (std::size_t i = 0; i < self->directories_.size(); ++i) {
    DirectoryState& state = self->states_[i];
    auto here = [i](const Work& one) { return one.place.directory == i; };
    if (state.clean || !state.holds_partitions || std::ranges::count_if(work, here) < kSyncTogether) continue;
    log::LogDirectory& dir = *self->directories_[i];
    auto synced = dir.disk().sync_all(dir.path());
    state.synced = synced.has_value();
    if (state.synced) continue;
    for (Work& one : work) {
      if (here(one) && one.refusal.empty()) one.refusal = synced.error().what;
    }
  }
}

// A copy for which its partition's log had made way takes the place now; the moves of the others begin anew.
Result<void, StoreError> LogManager::settle_leftovers(LogManager* self, const image::Image& image,
                                                      std::vector<Work>& work) {
  std::vector<Leftover> unfinished;
  for (Leftover& one : self->leftovers_) {
    auto same = [&](const Work& other) { return other.id == one.id; };
    if (std::ranges::any_of(work, same)) {
      unfinished.push_back(std::move(one));
      continue;
    }
    log::LogDirectory& dir = *self->directories_[one.directory];
    Uuid assigned = image.partition(one.id)->directory_of(self->self_);
    bool told = dir.meta() != nullptr && dir.meta()->directory_id == assigned;
    if (!told && image.metadata_version().directories()) {
      self->loop_.log().warn("log", "{} is left alone: it is an unfinished copy of a log that is not there", one.path);
      continue;
    }
    auto promoted = dir.promote_future(one.path, one.name);
    if (promoted.failed()) return Err(from_log(promoted.error()));
    self->loop_.log().info("log", "{} has its log in {} now: the move was nearly done", one.name.to_string(),
                           dir.path());
    Work next;
    next.id = one.id;
    next.place = {one.directory, one.name};
    work.push_back(std::move(next));
  }
  self->leftovers_ = std::move(unfinished);
  return {};
}

// A partition in two directories: which of them is right, only a person can tell.
Result<void, StoreError> LogManager::check_unique(const LogManager* self, const std::vector<Work>& work) {
  std::map<TopicIdPartition, std::size_t> seen;
  for (const Work& one : work) {
    auto [it, added] = seen.emplace(one.id, one.place.directory);
    if (added) continue;
    std::string first = self->directories_[it->second]->partition_path(one.place.name);
    std::string second = self->directories_[one.place.directory]->partition_path(one.place.name);
    return Err(StoreError{fmt::format("partition {} lies in two log directories, {} and {}; move the one that is not "
                                      "wanted out of log.dirs. Nothing was changed.",
                                      one.place.name.to_string(), first, second)});
  }
  return {};
}

log::OpenLog LogManager::how_to_open(const Work& work, Timestamp now) const {
  const DirectoryState& state = states_[work.place.directory];
  log::OpenLog how;
  how.path = directories_[work.place.directory]->partition_path(work.place.name);
  how.clean = state.clean;
  how.synced = state.synced;
  how.now = now;
  how.seed = seed_of(work.id);
  if (work.fresh) return how;
  if (auto it = state.recovery_points.find(work.place.name); it != state.recovery_points.end()) {
    how.recovery_point = it->second;
  }
  if (auto it = state.log_starts.find(work.place.name); it != state.log_starts.end()) {
    how.log_start_offset = it->second;
  }
  return how;
}

// Takes its place at once, so that the next one goes to another directory.
LogManager::Work LogManager::create_here(TopicIdPartition id, const std::string& topic, Timestamp now) {
  Work one;
  one.id = id;
  one.place = {least_loaded_directory(), log::PartitionName{topic, id.partition}};
  if (auto preferred = preferred_.find(one.place.name); preferred != preferred_.end()) {
    if (!states_[preferred->second].failed) one.place.directory = preferred->second;
    preferred_.erase(preferred);
  }
  one.create = one.fresh = true;
  one.how = how_to_open(one, now);
  places_[id] = one.place;
  return one;
}

LogManager::Opened LogManager::open_one(LogManager* self, const Work& work) {
  Opened result;
  result.id = work.id;
  result.place = work.place;
  result.fresh = work.fresh;
  if (!work.no_room.empty()) {
    result.error = work.no_room;
    result.no_room = true;
    return result;
  }
  if (!work.refusal.empty()) {
    result.error = work.refusal;
    return result;
  }
  log::LogDirectory& dir = *self->directories_[work.place.directory];
  if (work.create) {
    auto created = dir.create_partition(work.place.name, work.id.topic_id);
    if (created.failed()) {
      result.error = created.error().message;
      result.no_room = created.error().kind == log::LogErrorKind::kNoSpace;
      result.broken = created.error().kind == log::LogErrorKind::kIo;
      return result;
    }
  }
  if (work.known != nullptr && open_known(self, work, result)) return result;
  if (work.fresh && work.create) {
    // Its first file is made by its first record.
    result.log = log::Log::open_asleep(dir.disk(), work.how, log::LogSummary(), log::EpochCache());
    return result;
  }
  log::OpenLog how = work.how;
  if (work.known != nullptr && !how.clean) how.known = work.known->summary;
  auto opened = log::Log::open(dir.disk(), std::move(how), &result.report);
  if (opened.failed()) {
    result.error = opened.error().message;
    result.no_room = opened.error().kind == log::LogErrorKind::kNoSpace;
    result.broken = opened.error().kind == log::LogErrorKind::kIo;
  } else {
    result.log = std::move(*opened);
  }
  if (result.log != nullptr && !work.how.clean) {
    log::FlushPlan plan = result.log->begin_flush();
    bool only_epochs = plan.files.empty() && plan.paths.empty() && plan.directories.empty();
    auto synced = only_epochs ? io::IoResult<void>() : plan.run(dir.disk());
    if (synced.has_value()) {
      if (!only_epochs) result.log->complete_flush(plan);
    } else {
      result.error = synced.error().what;
      result.broken = true;
      result.log.reset();
    }
  }
  if (result.log != nullptr) {
    restore_epochs(work, *result.log);
    result.log->close_files();
    auto asleep = result.log->doze();
    if (asleep.failed()) {
      result.error = asleep.error().message;
      result.log.reset();
    }
  }
  return result;
}

io::Task<Result<void, StoreError>> LogManager::load(std::shared_ptr<const image::Image> image, BrokerId self,
                                                    std::shared_ptr<const config::KafkaConfig> config,
                                                    Epoch quorum_epoch) {
  set_config(std::move(config));
  image_ = image;
  Instant began = loop_.now();
  Timestamp now = loop_.wall_now();
  auto job = [this, image, self, now, quorum_epoch] { return plan_load(this, *image, self, now, quorum_epoch); };
  auto work = co_await io::offload(loop_, std::move(job));
  if (work.failed()) co_return Err(work.error());
  say_unclean(*work);
  for (std::size_t i = 0; i < states_.size(); ++i) {
    std::set<log::PartitionName> here;
    for (const auto& [id, place] : places_) {
      if (place.directory == i) here.insert(place.name);
    }
    std::vector<log::PartitionName> absent;
    for (const auto& [name, offset] : states_[i].high_watermarks) {
      if (!here.contains(name)) absent.push_back(name);
    }
    for (const auto& [name, offset] : states_[i].recovery_points) {
      if (!here.contains(name)) absent.push_back(name);
    }
    for (const log::PartitionName& name : absent) forget_checkpoints({i, name});
  }
  // What the metadata assigns to this broker and no directory holds is created empty.
  bool any_failed = std::ranges::any_of(states_, [](const DirectoryState& state) { return state.failed; });
  std::vector<TopicIdPartition> lost;
  for (const auto& [topic_id, topic] : image->topics) {
    for (const auto& [index, state] : topic->partitions) {
      TopicIdPartition id{topic_id, index};
      if (!state->is_replica(self) || places_.contains(id)) continue;
      // It may lie in the one that has failed: an empty log must not take its place (KIP-858).
      if (any_failed) lost.push_back(id);
      else work->push_back(create_here(id, topic->name, now));
    }
  }
  for (const TopicIdPartition& id : lost) {
    LoopPartitions* there = &partitions_.owning(id);
    there->loop().post([there, id] { there->refuse(id); });
    unserved_.insert(id);
  }
  if (!lost.empty()) {
    loop_.log().error("log", "{} partitions are not served: their logs are not in the log directories that work",
                      lost.size());
    publish_unserved();
  }
  co_await open_and_hand_over(std::move(*work), image);
  for (DirectoryState& state : states_) {
    state.known.clear();
    state.marked.clear();
    state.journal.clear();
    state.manifest.reset();
  }
  say_recovered(loop_.now() - began);
  co_await begin_leftover_moves();
  co_return Result<void, StoreError>();
}

// A directory without the mark and with logs: one line before they are checked, which may take long, one
// after.
void LogManager::say_unclean(const std::vector<Work>& work) const {
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    if (states_[i].clean || states_[i].failed || !states_[i].holds_partitions) continue;
    auto here = std::ranges::count_if(work, [i](const Work& one) { return one.place.directory == i; });
    auto known = std::ranges::count_if(
        work, [i](const Work& one) { return one.place.directory == i && one.known != nullptr && !one.marked; });
    if (here == 0) continue;
    if (known > 0) {
      loop_.log().warn("log", "{} was not stopped cleanly: checking {} of its {}; nobody wrote to the others",
                       directories_[i]->path(), here - known, counted_partitions(here));
    } else {
      loop_.log().warn("log", "{} was not stopped cleanly: checking its {}", directories_[i]->path(),
                       counted_partitions(here));
    }
  }
}

void LogManager::say_recovered(Duration took) const {
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    const Recovered& found = states_[i].recovered;
    if (found.partitions == 0) continue;
    if (states_[i].clean) {
      loop_.log().info("log", "{}: {} opened after a clean stop, in {} ms", directories_[i]->path(),
                       counted_partitions(found.partitions), to_ms(took));
      continue;
    }
    loop_.log().info(
        "log", "{}: {} recovered, {} records checked, {} bytes of unfinished writes cut, in {} ms",
        directories_[i]->path(), counted_partitions(found.partitions), found.records, found.cut, to_ms(took));
  }
}

// A deleted topic leaves its checkpoints until the next ones are written. A new topic of its name must not be
// recovered by them: a log start or a recovery point that is not its own would lose or refuse records.
io::Task<void> LogManager::forget_earlier_topics(std::vector<Work>* work) {
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    DirectoryState& state = states_[i];
    auto kept = std::make_shared<DirectoryState>(state);
    std::size_t stale = 0;
    for (const Work& one : *work) {
      if (!one.fresh || one.place.directory != i) continue;
      stale += kept->gone.count(one.place.name);
      for (auto* map : {&kept->recovery_points, &kept->log_starts, &kept->high_watermarks})
        stale += map->erase(one.place.name);
    }
    if (stale == 0) continue;
    log::LogDirectory* dir = directories_[i].get();
    auto job = [dir, kept]() -> log::LogResult<void> {
      TRY(dir->write_checkpoint(log::CheckpointFile::kRecoveryPoint, kept->recovery_points));
      TRY(dir->write_checkpoint(log::CheckpointFile::kLogStart, kept->log_starts));
      return dir->write_checkpoint(log::CheckpointFile::kReplication, kept->high_watermarks);
    };
    auto written = co_await io::offload(loop_, std::move(job));
    if (written.has_value()) {
      state.recovery_points = std::move(kept->recovery_points);
      state.log_starts = std::move(kept->log_starts);
      state.high_watermarks = std::move(kept->high_watermarks);
      state.recovery_unsaved = state.starts_unsaved = state.marks_unsaved = false;
      state.gone.clear();
    } else if (written.error().kind != log::LogErrorKind::kNoSpace) {
      directory_failed(i, written.error().message);
    } else {
      for (Work& one : *work) {
        if (one.fresh && one.place.directory == i) one.no_room = written.error().message;
      }
    }
  }
}

io::Task<void> LogManager::open_and_hand_over(std::vector<Work> work,
                                              std::shared_ptr<const image::Image> image) {
  if (work.empty()) co_return;
  co_await forget_earlier_topics(&work);
  auto all = std::make_shared<std::vector<Work>>(std::move(work));
  auto opened = std::make_shared<std::vector<Opened>>(all->size());
  std::vector<io::Task<void>> chunks;
  for (std::size_t chunk = 0; chunk < kOpenChunks; ++chunk) {
    auto job = [this, all, opened, chunk] {
      for (std::size_t i = chunk; i < all->size(); i += kOpenChunks) {
        (*opened)[i] = open_one(this, (*all)[i]);
      }
    };
    chunks.push_back(io::offload(loop_, std::move(job)));
  }
  co_await io::when_all(loop_, std::move(chunks));
  co_await hand_over(std::move(*opened), image.get());
}

}  // namespace milena::replica
