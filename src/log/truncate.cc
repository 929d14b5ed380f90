#include <algorithm>

#include "log/log_impl.h"

namespace milena::log {

LogResult<void> Log::Impl::drop_segment(std::size_t i) {
  TRY_ASSIGN(auto renamed, segments[i]->mark_deleted());
  deleted_files.insert(deleted_files.end(), renamed.begin(), renamed.end());
  snapshots.erase(segments[i]->base());
  unsaved_snapshots.erase(segments[i]->base());
  std::erase(warm, segments[i].get());
  segments.erase(segments.begin() + static_cast<std::ptrdiff_t>(i));
  return {};
}

LogResult<void> Log::Impl::drop_snapshots_above(Offset offset) {
  for (auto it = snapshots.upper_bound(offset); it != snapshots.end(); it = snapshots.erase(it)) {
    auto removed = context.disk.remove_file(context.path + "/" + segment_file_name(*it, ".snapshot"));
    if (removed.failed() && removed.error().kind != io::ErrorKind::kNotFound) {
      return Err(from_io(std::move(removed.error())));
    }
    ++context.directory_version;
  }
  return {};
}

LogResult<void> Log::Impl::replay_producers(Offset from, Offset end) {
  if (from >= end) {
    producers.high_watermark_moved(high_watermark);
    return {};
  }
  for (std::size_t i = floor(from); i < segments.size() && segments[i]->base() < end; ++i) {
    Segment& segment = *segments[i];
    TRY_ASSIGN(auto file, segment.file());
    std::uint64_t position = 0;
    if (segment.base() < from) {
      TRY_ASSIGN(auto first, segment.find(from));
      if (!first) continue;
      position = first->position;
    }
    EntryWalker walker(*file, position, segment.size());
    while (true) {
      TRY_ASSIGN(auto header, walker.next());
      if (!header && !walker.finished()) {
        return Err(LogError{LogErrorKind::kCorrupt, fmt::format("{}: no batch at position {}",
                                                                segment.path(".log"), walker.position())});
      }
      if (!header || header->base_offset >= end) break;
      if (!header->has_producer || header->last_offset < from) continue;
      TRY_ASSIGN(Bytes bytes, read_block(*file, header->position, header->size));
      auto batch = wire::BatchView::parse(bytes.view());
      if (batch.failed()) {
        return Err(LogError{LogErrorKind::kCorrupt, fmt::format("{}: no batch at position {}",
                                                                segment.path(".log"), header->position)});
      }
      auto txn = producers.apply(*batch);
      if (txn) producers.complete_txn(*txn);
    }
    if (i + 1 < segments.size()) touch(segment);
  }
  producers.high_watermark_moved(high_watermark);
  return {};
}

LogResult<void> Log::Impl::reload_producers(Timestamp now) {
  producers.clear();
  Offset from = segments.front()->base();
  for (auto it = snapshots.rbegin(); it != snapshots.rend(); ++it) {
    if (*it > next_offset) continue;
    auto content = context.disk.read_file(context.path + "/" + segment_file_name(*it, ".snapshot"));
    if (content.failed()) {
      if (content.error().kind == io::ErrorKind::kNotFound) continue;
      return Err(from_io(std::move(content.error())));
    }
    auto loaded = producers.load_snapshot(*content, now, context.options.producer_id_expiration_ms);
    if (loaded.failed()) {
      context.notes.push_back(fmt::format("{}/{}: {}", context.path, segment_file_name(*it, ".snapshot"),
                                          loaded.error().message));
      continue;
    }
    from = *it;
    break;
  }
  return replay_producers(from, next_offset);
}

LogResult<Offset> Log::Impl::truncate_to(Offset offset, Timestamp now) {
  if (offset < Offset(0)) return Err(LogError{LogErrorKind::kInvalid, "truncation to a negative offset"});
  if (offset >= next_offset) {
    if (epochs.truncate_from_end(offset)) ++epoch_version;
    return next_offset;
  }
  if (offset < segments.front()->base()) {
    TRY(truncate_fully(offset, now));
    return offset;
  }
  ++truncations;
  recent.clear();
  while (segments.back()->base() > offset) TRY(drop_segment(segments.size() - 1));
  Segment& segment = active();
  std::erase(warm, &segment);
  TRY_ASSIGN(auto first, segment.find(offset));
  next_offset = offset;
  if (first) {
    // A batch goes whole: its records below `offset` come again with it.
    next_offset = std::min(offset, std::max(first->base_offset, segment.base()));
    TRY_ASSIGN([[maybe_unused]] Offset end, segment.cut(first->position, next_offset));
  }
  if (epochs.truncate_from_end(next_offset)) ++epoch_version;
  flushed = std::min(flushed, next_offset);
  recovery_point = std::min(recovery_point, next_offset);
  high_watermark = std::min(high_watermark, next_offset);
  log_start = std::min(log_start, next_offset);
  TRY(drop_snapshots_above(next_offset));
  TRY(reload_producers(now));
  return next_offset;
}

LogResult<void> Log::Impl::truncate_fully(Offset offset, Timestamp now) {
  if (offset < Offset(0)) return Err(LogError{LogErrorKind::kInvalid, "truncation to a negative offset"});
  ++truncations;
  recent.clear();
  while (!segments.empty()) TRY(drop_segment(segments.size() - 1));
  for (Offset snapshot : std::set<Offset>(std::move(snapshots))) {
    auto removed = context.disk.remove_file(context.path + "/" + segment_file_name(snapshot, ".snapshot"));
    if (removed.failed() && removed.error().kind != io::ErrorKind::kNotFound) {
      return Err(from_io(std::move(removed.error())));
    }
  }
  snapshots.clear();
  TRY(add_empty(std::make_unique<Segment>(context, offset, 0, now, draw_jitter())));
  producers.clear();
  if (epochs.clear()) ++epoch_version;
  next_offset = log_start = offset;
  flushed = recovery_point = high_watermark = offset;
  return {};
}

}  // namespace milena::log
