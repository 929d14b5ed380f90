#include <algorithm>

#include "base/mutant.h"
#include "log/log_impl.h"

namespace milena::log {

LogResult<bool> Log::Impl::advance_start(Offset offset) {
  if (offset > high_watermark) {
    return Err(LogError{LogErrorKind::kOffsetOutOfRange,
                        fmt::format("log start {} above the high watermark {}", offset, high_watermark)});
  }
  if (offset <= log_start) return false;
  log_start = offset;
  if (epochs.truncate_from_start(offset)) ++epoch_version;
  producers.high_watermark_moved(std::min(offset, high_watermark));
  return true;
}

LogResult<std::size_t> Log::Impl::count_old(Timestamp now) {
  const LogOptions& options = context.options;
  std::uint64_t total = 0;
  for (const auto& segment : segments) total += segment->size();
  bool by_policy = options.delete_old_segments;
  std::size_t count = 0;
  for (; count < segments.size(); ++count) {
    Segment& segment = *segments[count];
    bool last = count + 1 == segments.size();
    Offset end = segment_end(count);
    if (end > high_watermark || (last && segment.size() == 0)) break;
    bool given_up = !last && end <= log_start;
    if (!given_up && by_policy && options.retention_bytes >= 0) {
      std::uint64_t kept = total - segment.size();
      given_up = kept >= static_cast<std::uint64_t>(options.retention_bytes) && total >= segment.size();
      if (MILENA_MUTANT("greedy-retention")) given_up = !last;
    }
    if (!given_up && by_policy && options.retention_ms >= 0) {
      TRY_ASSIGN(Timestamp newest, segment.retention_timestamp());
      keep_warm(count);
      given_up = now - newest > options.retention_ms;
    }
    if (!given_up) break;
    total -= segment.size();
  }
  return count;
}

LogResult<std::size_t> Log::Impl::delete_old(std::size_t count, Timestamp now) {
  if (count == segments.size()) {
    auto rolled = roll(next_offset, now);
    if (rolled.failed() && rolled.error().kind != LogErrorKind::kNoSpace)
      return Err(std::move(rolled.error()));
    // A full disk gets its room from the segments before.
    if (rolled.failed() && --count == 0) return Err(std::move(rolled.error()));
  }
  // Readers stop first, files go after.
  Offset start = segments[count]->base();
  if (start > log_start) {
    log_start = start;
    if (epochs.truncate_from_start(start)) ++epoch_version;
  }
  for (std::size_t i = 0; i < count; ++i) TRY(drop_segment(0));
  // Snapshots below the first segment have none to begin any more.
  while (!snapshots.empty() && *snapshots.begin() < segments.front()->base()) {
    auto removed =
        context.disk.remove_file(context.path + "/" + segment_file_name(*snapshots.begin(), ".snapshot"));
    if (removed.failed() && removed.error().kind != io::ErrorKind::kNotFound) {
      return Err(from_io(std::move(removed.error())));
    }
    snapshots.erase(snapshots.begin());
  }
  return count;
}

}  // namespace milena::log
