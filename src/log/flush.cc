#include <algorithm>

#include "base/check.h"
#include "log/log_impl.h"

namespace milena::log {

io::IoResult<void> FlushPlan::run(io::Disk& disk) {
  no_room = false;
  for (const auto& file : files) TRY(file->sync());
  for (const std::string& path : paths) {
    auto file = disk.open(path, io::OpenMode::kWrite);
    if (file.failed()) {
      if (file.error().kind == io::ErrorKind::kNotFound) continue;  // deleted meanwhile
      return Err(std::move(file.error()));
    }
    TRY((*file)->sync());
  }
  for (const std::string& directory : directories) TRY(disk.sync_directory(directory));
  for (const auto& [path, content] : replacements) {
    auto written = disk.write_file(path, content);
    if (written.failed() && written.error().kind != io::ErrorKind::kNoSpace) return written;
    no_room = no_room || written.failed();
  }
  return {};
}

io::IoResult<void> run_together(io::Disk& disk, const std::string& directory,
                                const std::vector<std::shared_ptr<FlushPlan>>& plans) {
  std::vector<const std::string*> written;
  for (const auto& plan : plans) {
    plan->no_room = false;
    for (const auto& [path, content] : plan->replacements) {
      auto one = disk.write_unsynced(path + ".tmp", content);
      if (one.failed() && one.error().kind != io::ErrorKind::kNoSpace) return one;
      if (one.has_value()) written.push_back(&path);
      else plan->no_room = true;
    }
  }
  TRY(disk.sync_all(directory));
  for (const std::string* path : written) TRY(disk.rename(*path + ".tmp", *path));
  if (!written.empty()) TRY(disk.sync_all(directory));
  return {};
}

void Log::Impl::save_unsaved() {
  auto save = [this]() -> LogResult<void> {
    for (Offset base : std::set<Offset>(context.unsaved)) {
      Segment& segment = *segments[floor(base)];
      if (segment.base() != base || &segment == &active()) {
        context.unsaved.erase(base);  // gone, or written when it is rolled
        continue;
      }
      TRY_ASSIGN(auto written, segment.write_indexes());
      unsynced_paths.insert(unsynced_paths.end(), written.begin(), written.end());
      segment.cool();
    }
    while (!unsaved_snapshots.empty()) {
      auto first = unsaved_snapshots.begin();
      TRY(write_snapshot(first->first, first->second));
      unsaved_snapshots.erase(first);
    }
    return {};
  };
  auto saved = save();
  if (saved.failed()) (void)note(std::move(saved.error()));
}

FlushPlan Log::Impl::begin_flush() {
  if (unsaved()) save_unsaved();
  FlushPlan plan;
  plan.up_to = next_offset;
  Offset saved = active().base();
  if (!context.unsaved.empty()) saved = std::min(saved, *context.unsaved.begin());
  if (!unsaved_snapshots.empty()) saved = std::min(saved, unsaved_snapshots.begin()->first);
  plan.recovery_point = std::max(recovery_point, saved);
  plan.truncations = truncations;
  for (std::size_t i = segments.size(); i-- > 0;) {
    Segment& segment = *segments[i];
    if (segment.synced_size < segment.size() || segment.cut_unsynced) {
      auto file = segment.file();
      if (file.failed()) {
        plan.paths.push_back(segment.path(".log"));  // the run will meet the error
      } else {
        plan.files.push_back(std::move(*file));
      }
      plan.segment_sizes.emplace_back(segment.base(), segment.size());
    } else if (segment.base() < recovery_point) {
      break;
    }
  }
  plan.paths.insert(plan.paths.end(), unsynced_paths.begin(), unsynced_paths.end());
  plan.epoch_version = epoch_version;
  if (epoch_version != epoch_version_saved) {
    plan.replacements.emplace_back(context.path + "/leader-epoch-checkpoint", epochs.format());
  }
  plan.directory_version = context.directory_version;
  if (context.directory_version != directory_version_synced) plan.directories.push_back(context.path);
  return plan;
}

void Log::Impl::complete_flush(const FlushPlan& plan) {
  if (!plan.no_room) epoch_version_saved = std::max(epoch_version_saved, plan.epoch_version);
  directory_version_synced = std::max(directory_version_synced, plan.directory_version);
  if (plan.truncations != truncations) return;
  for (const auto& [base, size] : plan.segment_sizes) {
    std::size_t i = floor(base);
    if (segments[i]->base() != base) continue;
    segments[i]->synced_size = std::max(segments[i]->synced_size, size);
    segments[i]->cut_unsynced = false;
  }
  std::erase_if(unsynced_paths, [&](const std::string& path) {
    return std::ranges::find(plan.paths, path) != plan.paths.end();
  });
  flushed = std::max(flushed, plan.up_to);
  if (!plan.no_room) recovery_point = std::max(recovery_point, plan.recovery_point);
}

LogResult<FlushPlan> Log::Impl::begin_close() {
  TRY(active().trim());
  TRY_ASSIGN(auto written, active().write_indexes());
  unsynced_paths.insert(unsynced_paths.end(), written.begin(), written.end());
  TRY(drop_snapshots_above(next_offset));
  if (next_offset > Offset(0)) TRY(write_snapshot(next_offset, producers.snapshot()));
  FlushPlan plan = begin_flush();
  if (unsaved()) return Err(LogError{LogErrorKind::kNoSpace, context.path + ": no room for its indexes"});
  plan.recovery_point = next_offset;
  return plan;
}

}  // namespace milena::log
