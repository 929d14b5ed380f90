#include <algorithm>

#include "base/check.h"
#include "log/log_impl.h"

namespace milena::log {

io::IoResult<void> FlushPlan::run(io::Disk& disk) const {
  for (const auto& file : files) TRY(file->sync());
  for (const std::string& path : paths) {
    auto file = disk.open(path, io::OpenMode::kWrite);
    if (file.failed()) {
      if (file.error().kind == io::ErrorKind::kNotFound) continue;  // deleted meanwhile
      return Err(std::move(file.error()));
    }
    TRY((*file)->sync());
  }
  for (const auto& [path, content] : replacements) TRY(disk.write_file(path, content));
  for (const std::string& directory : directories) TRY(disk.sync_directory(directory));
  return {};
}

FlushPlan Log::Impl::begin_flush() {
  FlushPlan plan;
  plan.up_to = next_offset;
  plan.recovery_point = std::max(recovery_point, active().base());
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
  epoch_version_saved = std::max(epoch_version_saved, plan.epoch_version);
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
  recovery_point = std::max(recovery_point, plan.recovery_point);
}

LogResult<FlushPlan> Log::Impl::begin_close() {
  TRY_ASSIGN(auto written, active().write_indexes());
  unsynced_paths.insert(unsynced_paths.end(), written.begin(), written.end());
  TRY(drop_snapshots_above(next_offset));
  if (next_offset > Offset(0)) TRY(write_snapshot(next_offset));
  FlushPlan plan = begin_flush();
  plan.recovery_point = next_offset;
  return plan;
}

}  // namespace milena::log
