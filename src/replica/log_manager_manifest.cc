// Manifests: what a life of the node leaves to the next one, so that that need not open the logs to serve
// them.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/coverage.h"
#include "replica/log_manager.h"

namespace milena::replica {
namespace {

using log::Manifest;

constexpr std::uint64_t kManifestMax = 1ULL << 30;

struct Known {
  TopicIdPartition id;
  log::LogSummary summary;
  std::vector<log::EpochEntry> epochs;
};

// Of a loop's logs those that a manifest can tell of; `closed`: awake ones, too.
io::Task<std::vector<Known>> known_there(LoopPartitions* there, bool closed) {
  std::vector<Known> known;
  for (const auto& [id, partition] : there->all()) {
    log::Log& log = partition->log();
    if (log.offline() || (!log.asleep() && !closed)) continue;
    auto summary = log.summarize();
    if (summary.failed() || !summary->has_value()) continue;
    known.push_back({id, **summary, log.epochs()});
  }
  co_return std::move(known);
}

struct Numbered {
  TopicIdPartition id;
  std::size_t directory = 0;
  std::uint32_t index = 0;
};

// In the turn in which they were told of: nothing can be written between.
io::Task<std::vector<Known>> known_and_marked(
    LoopPartitions* there, std::shared_ptr<std::vector<std::shared_ptr<WriteMarks>>> marks,
    std::shared_ptr<std::vector<Numbered>> numbered,
    std::shared_ptr<const std::map<TopicIdPartition, std::size_t>> places,
    std::shared_ptr<std::vector<std::uint32_t>> next) {
  std::vector<Known> known = co_await known_there(there, false);
  for (const Known& one : known) {
    auto place = places->find(one.id);
    if (place == places->end()) continue;
    std::uint32_t index = (*next)[place->second]++;
    numbered->push_back({one.id, place->second, index});
    there->find(one.id)->known_as((*marks)[place->second], index);
  }
  co_return std::move(known);
}

io::Task<void> file_there(std::shared_ptr<WriteMarks> marks,
                          std::shared_ptr<std::unique_ptr<log::MarkFile>> file) {
  if (*file == nullptr)
    marks->end();
  else
    marks->file(std::move(*file));
  co_return;
}

void remove_manifest(io::Disk& disk, const std::string& path) {
  (void)disk.remove_file(log::manifest_path(path));
  for (std::size_t i = 0; i <= std::numeric_limits<std::uint8_t>::max(); ++i) {
    if (disk.remove_file(log::marks_path(path, i)).failed()) break;
  }
}

// The indexes that are marked in any of the files; an error: not to be believed.
log::LogResult<std::set<std::uint32_t>> read_marks(io::Disk& disk, const std::string& path,
                                                   const Manifest& manifest, std::uint32_t checksum) {
  std::set<std::uint32_t> marked;
  for (std::size_t i = 0; i < manifest.mark_files; ++i) {
    TRY_IO_ASSIGN(std::string content, disk.read_file(log::marks_path(path, i), kManifestMax));
    TRY_ASSIGN(auto here, log::parse_marks(content, checksum));
    marked.insert(here.begin(), here.end());
  }
  return marked;
}

}  // namespace

// Takes the manifest away: this life writes its own. What it told counts only if nobody else can have been at
// the logs.
void LogManager::read_manifest(LogManager* self, std::size_t directory, const image::Image& image,
                               const log::LogDirectory::CleanShutdown& mark, Epoch quorum_epoch) {
  log::LogDirectory& dir = *self->directories_[directory];
  DirectoryState& state = self->states_[directory];
  io::Disk& disk = dir.disk();
  auto content = disk.read_file(log::manifest_path(dir.path()), kManifestMax);
  if (content.failed() && content.error().kind == io::ErrorKind::kNotFound) return;
  auto read = [&]() -> log::LogResult<std::string> {
    if (content.failed()) return Err(log::from_io(content.error()));
    std::uint32_t checksum = 0;
    TRY_ASSIGN(Manifest manifest, log::parse_manifest(*content, &checksum));
    if (manifest.quorum_epoch != quorum_epoch) return std::string("the quorum has had another epoch since");
    std::set<std::uint32_t> marked;
    if (mark.clean) {
      bool same = manifest.kind == Manifest::Kind::kStopped && manifest.broker_epoch == mark.broker_epoch;
      if (!same) return std::string("another server has stopped here since");
    } else {
      if (manifest.kind != Manifest::Kind::kRunning)
        return std::string("it is of a stop, and the last one was none");
      TRY_IO_ASSIGN(io::DiskIdentity identity, disk.identity(dir.path()));
      if (identity != manifest.identity)
        return std::string("the machine was started anew, or the volume is another one");
      const image::Broker* own = image.broker(self->self_);
      if (own == nullptr || own->incarnation_id != manifest.incarnation)
        return std::string("another server has been this node since");
      TRY_ASSIGN(marked, read_marks(disk, dir.path(), manifest, checksum));
    }
    if (mark.clean)
      MILENA_REACHED("manifest.of_a_stop");
    else
      MILENA_REACHED("manifest.of_a_killed_process");
    state.manifest = std::move(manifest);
    for (std::uint32_t i = 0; i < state.manifest->entries.size(); ++i) {
      const log::ManifestEntry& entry = state.manifest->entries[i];
      state.known[entry.name] = &entry;
      if (marked.contains(i)) state.marked.insert(&entry);
    }
    return std::string();
  };
  auto refused = read();
  remove_manifest(disk, dir.path());
  std::string why = refused.failed() ? refused.error().message : *refused;
  if (!why.empty()) MILENA_REACHED("manifest.not_believed");
  if (!why.empty()) self->loop_.log().info("log", "{}: the manifest is not believed: {}", dir.path(), why);
}

// A log that is as the manifest tells is served without being opened. False: it is not.
bool LogManager::open_known(LogManager* self, const Work& work, Opened& result) {
  if (work.marked) {
    MILENA_REACHED("manifest.log_was_written_to");
    return false;
  }
  io::Disk& disk = self->directories_[work.place.directory]->disk();
  log::LogSummary summary = work.known->summary;
  if (!log::matches_files(disk, work.how.path, summary)) {
    MILENA_REACHED("manifest.log_is_another");
    return false;
  }
  summary.log_start_offset = std::max(summary.log_start_offset, work.how.log_start_offset);
  if (summary.log_start_offset > summary.log_end_offset || work.how.recovery_point > summary.log_end_offset)
    return false;
  log::EpochCache epochs;
  for (const log::EpochEntry& entry : work.known->epochs) epochs.assign(entry.epoch, entry.start_offset);
  bool saved = work.epochs_saved && !epochs.truncate_from_start(summary.log_start_offset);
  result.log = log::Log::open_asleep(disk, work.how, summary, std::move(epochs), saved);
  restore_epochs(work, *result.log);
  MILENA_REACHED("manifest.log_served_unopened");
  return true;
}

// ---- epochs

log::LogResult<void> LogManager::read_journal(LogManager* self, std::size_t directory) {
  log::LogDirectory& dir = *self->directories_[directory];
  auto content = dir.disk().read_file(log::epoch_journal_path(dir.path()), kManifestMax);
  if (content.failed() && content.error().kind == io::ErrorKind::kNotFound) return {};
  if (content.failed()) return Err(log::from_io(content.error()));
  std::vector<log::EpochStart> found = log::parse_epoch_starts(*content);
  // The newest of each partition is enough to go on with; a journal that only grew would never end.
  std::map<log::PartitionName, log::EpochStart>& newest = self->states_[directory].journal;
  for (log::EpochStart& start : found) {
    log::PartitionName name = start.name;
    newest.insert_or_assign(std::move(name), std::move(start));
  }
  std::vector<log::EpochStart> kept;
  for (const auto& [name, start] : newest) kept.push_back(start);
  std::string written = log::format_epoch_starts(kept);
  if (written.size() == content->size()) return {};
  MILENA_REACHED("epoch_journal.shortened");
  auto rewritten = dir.disk().write_file(log::epoch_journal_path(dir.path()), written);
  if (rewritten.failed() && rewritten.error().kind != io::ErrorKind::kNoSpace)
    return Err(log::from_io(rewritten.error()));
  return {};
}

// Those that can be: the log may have been another one since.
void LogManager::restore_epochs(const Work& work, log::Log& log) {
  std::vector<log::EpochEntry> all = work.epochs;
  if (work.known != nullptr) all.insert(all.begin(), work.known->epochs.begin(), work.known->epochs.end());
  for (const log::EpochEntry& entry : all) {
    bool newer = log.epochs().empty() || (entry.epoch > log.epochs().back().epoch &&
                                          entry.start_offset >= log.epochs().back().start_offset);
    if (!newer || entry.start_offset > log.log_end_offset()) continue;
    log.assign_epoch(entry.epoch, entry.start_offset);
    MILENA_REACHED("epoch_journal.epoch_restored");
  }
  log.epochs_journaled();
}

void LogManager::journal(const std::vector<Entered>& entered) {
  for (const Entered& one : entered) {
    auto place = places_.find(one.id);
    if (place == places_.end()) continue;
    states_[place->second.directory].unjournaled.push_back({place->second.name, one.id.topic_id, one.entry});
  }
  if (!entered.empty() && !std::exchange(journaling_, true)) loop_.spawn(run_journal(this));
}

// What is entered while one write is under way goes out with the next.
io::Task<void> LogManager::run_journal(LogManager* self) {
  bool any = true;
  while (std::exchange(any, false)) {
    for (std::size_t i = 0; i < self->states_.size(); ++i) {
      if (self->states_[i].unjournaled.empty() || self->states_[i].failed) continue;
      any = true;
      auto starts =
          std::make_shared<std::vector<log::EpochStart>>(std::exchange(self->states_[i].unjournaled, {}));
      log::LogDirectory* dir = self->directories_[i].get();
      auto job = [dir, starts] { return log::append_epoch_starts(dir->disk(), dir->path(), *starts); };
      auto written = co_await io::offload(self->loop_, std::move(job));
      if (written.has_value()) continue;
      // Without room the checkpoints of those that are used tell it, and the clean stop.
      if (written.error().kind == log::LogErrorKind::kNoSpace)
        self->loop_.log().warn("log", "{}: no room for the journal of epochs", dir->path());
      else
        self->directory_failed(i, written.error().message);
    }
  }
  self->journaling_ = false;
  self->stop_signal_.notify_all();
}

// The logs' own files tell all of it now.
io::Task<void> LogManager::end_journals() {
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    if (states_[i].failed || states_[i].unclean || !states_[i].holds_partitions) continue;
    log::LogDirectory* dir = directories_[i].get();
    auto job = [dir] { return dir->disk().remove_file(log::epoch_journal_path(dir->path())); };
    (void)co_await io::offload(loop_, std::move(job));
  }
}

Manifest LogManager::new_manifest(Manifest::Kind kind, std::int64_t broker_epoch, Epoch quorum_epoch,
                                  Uuid incarnation) const {
  Manifest manifest;
  manifest.kind = kind;
  manifest.broker_epoch = broker_epoch;
  manifest.quorum_epoch = quorum_epoch;
  manifest.incarnation = incarnation;
  return manifest;
}

io::Task<void> LogManager::remember(std::int64_t broker_epoch, Epoch quorum_epoch, Uuid incarnation) {
  auto turn = co_await applying_.lock();
  if (partitions_.loops() > std::numeric_limits<std::uint8_t>::max()) co_return;
  Manifest blank = new_manifest(Manifest::Kind::kRunning, broker_epoch, quorum_epoch, incarnation);
  blank.mark_files = static_cast<std::uint8_t>(partitions_.loops());
  auto manifests = std::make_shared<std::vector<Manifest>>(directories_.size(), blank);
  auto places = std::make_shared<std::map<TopicIdPartition, std::size_t>>();
  for (const auto& [id, place] : places_) places->emplace(id, place.directory);
  auto next = std::make_shared<std::vector<std::uint32_t>>(directories_.size(), 0);
  using Marks = std::vector<std::shared_ptr<WriteMarks>>;  // by directory
  std::vector<std::shared_ptr<Marks>> marks;               // by loop
  for (std::size_t loop = 0; loop < partitions_.loops(); ++loop) {
    LoopPartitions* there = &partitions_.on_loop(loop);
    auto& here = marks.emplace_back(std::make_shared<Marks>());
    for (const auto& dir : directories_)
      here->push_back(std::make_shared<WriteMarks>(dir->disk(), dir->path()));
    auto numbered = std::make_shared<std::vector<Numbered>>();
    auto work = [there, here, numbered, places, next] {
      return known_and_marked(there, here, numbered, places, next);
    };
    std::vector<Known> known = co_await io::run_on(there->loop(), std::move(work));
    std::map<TopicIdPartition, const Known*> by_id;
    for (const Known& one : known) by_id.emplace(one.id, &one);
    for (const Numbered& one : *numbered) {
      const Known& from = *by_id.at(one.id);
      (*manifests)[one.directory].entries.push_back(
          {places_.at(one.id).name, one.id.topic_id, from.summary, from.epochs});
    }
  }
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    if (states_[i].failed || !states_[i].holds_partitions) continue;
    auto files = std::make_shared<std::vector<std::unique_ptr<log::MarkFile>>>(partitions_.loops());
    auto content = std::make_shared<std::string>();
    log::LogDirectory* dir = directories_[i].get();
    auto prepare = [dir, manifests, files, content, i]() -> log::LogResult<void> {
      Manifest& manifest = (*manifests)[i];
      TRY_IO_ASSIGN(manifest.identity, dir->disk().identity(dir->path()));
      std::uint32_t checksum = 0;
      *content = log::format_manifest(manifest, &checksum);
      for (std::size_t loop = 0; loop < files->size(); ++loop) {
        TRY_ASSIGN((*files)[loop],
                   log::MarkFile::create(dir->disk(), log::marks_path(dir->path(), loop), checksum));
      }
      return {};
    };
    auto prepared = co_await io::offload(loop_, std::move(prepare));
    for (std::size_t loop = 0; loop < partitions_.loops(); ++loop) {
      auto file = std::make_shared<std::unique_ptr<log::MarkFile>>();
      if (prepared.has_value()) *file = std::move((*files)[loop]);
      auto take = [there = (*marks[loop])[i], file] { return file_there(there, file); };
      co_await io::run_on(partitions_.on_loop(loop).loop(), std::move(take));
    }
    // Only now, when no first write goes unmarked, may the manifest be believed.
    auto write = [dir, content]() -> log::LogResult<void> {
      std::string path = log::manifest_path(dir->path());
      TRY_IO(dir->disk().write_unsynced(path + ".tmp", *content));
      TRY_IO(dir->disk().rename(path + ".tmp", path));
      return {};
    };
    if (prepared.has_value()) prepared = co_await io::offload(loop_, std::move(write));
    if (prepared.failed())
      loop_.log().warn("log", "{}: no manifest, the next start may take longer: {}", dir->path(),
                       prepared.error().message);
  }
}

// What an orderly stop leaves. REQUIRES: all logs are closed.
io::Task<void> LogManager::write_stopped_manifests(std::int64_t broker_epoch, Epoch quorum_epoch) {
  auto manifests = std::make_shared<std::vector<Manifest>>(
      directories_.size(), new_manifest(Manifest::Kind::kStopped, broker_epoch, quorum_epoch, kZeroUuid));
  for (std::size_t loop = 0; loop < partitions_.loops(); ++loop) {
    LoopPartitions* there = &partitions_.on_loop(loop);
    auto work = [there] { return known_there(there, true); };
    std::vector<Known> known = co_await io::run_on(there->loop(), std::move(work));
    for (Known& one : known) {
      auto place = places_.find(one.id);
      if (place == places_.end()) continue;
      (*manifests)[place->second.directory].entries.push_back(
          {place->second.name, one.id.topic_id, one.summary, std::move(one.epochs)});
    }
  }
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    if (states_[i].failed || !states_[i].holds_partitions) continue;
    log::LogDirectory* dir = directories_[i].get();
    auto write = [dir, manifests, i]() -> log::LogResult<void> {
      remove_manifest(dir->disk(), dir->path());
      TRY_IO(dir->disk().write_file(log::manifest_path(dir->path()), log::format_manifest((*manifests)[i])));
      return {};
    };
    auto written = co_await io::offload(loop_, std::move(write));
    if (written.failed())
      loop_.log().warn("log", "{}: no manifest, the next start may take longer: {}", dir->path(),
                       written.error().message);
  }
}

}  // namespace milena::replica
