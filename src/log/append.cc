#include <algorithm>
#include <ranges>

#include "base/check.h"
#include "base/mutant.h"
#include "log/log_impl.h"

namespace milena::log {
namespace {

constexpr std::int64_t kMaxRelative = 0x7fffffff;

LogError corrupt_batch(std::string_view why) {
  return {LogErrorKind::kCorruptBatch, std::string(why)};
}

/// What a leader's request holds, in sum.
struct Outline {
  std::vector<wire::BatchView> batches;
  std::int64_t offsets = 0;
  Timestamp max_timestamp = kNoTimestamp;
};

LogResult<Outline> outline(ByteView records) {
  Outline sum;
  wire::BatchCursor cursor(records);
  wire::BatchView batch;
  while (cursor.next(batch)) {
    if (batch.last_offset_delta() < 0) return Err(corrupt_batch("a negative last offset delta"));
    sum.offsets += static_cast<std::int64_t>(batch.last_offset_delta()) + 1;
    sum.max_timestamp = std::max(sum.max_timestamp, batch.max_timestamp());
    sum.batches.push_back(batch);
  }
  if (auto error = cursor.error(); error.has_value()) return Err(corrupt_batch(wire::describe(*error)));
  if (sum.batches.empty()) return Err(corrupt_batch("no batch"));
  return sum;
}

AppendResult duplicate_answer(const ProducerBatch& batch, Offset log_start) {
  AppendResult result;
  result.first_offset = batch.first_offset();
  result.last_offset = batch.last_offset;
  result.log_append_time = batch.timestamp;
  result.max_timestamp = batch.timestamp;
  result.log_start_offset = log_start;
  result.duplicate = true;
  return result;
}

}  // namespace

std::int64_t Log::Impl::draw_jitter() {
  std::int64_t bound = std::min(context.options.segment_jitter_ms, context.options.segment_ms);
  return bound <= 0 ? 0 : random.between(0, bound - 1);
}

void Log::Impl::assign_epoch(Epoch epoch, Offset start) {
  if (epoch.value() >= 0 && start.value() >= 0 && epochs.assign(epoch, start)) ++epoch_version;
}

LogResult<bool> Log::Impl::should_roll(std::uint64_t size, std::size_t bytes, Timestamp max_timestamp,
                                       Offset last, Timestamp now) {
  Segment& segment = active();
  const LogOptions& options = context.options;
  if (last - segment.base() > kMaxRelative) return true;
  if (size == 0) return false;
  if (size + bytes > static_cast<std::uint64_t>(options.segment_bytes)) return true;
  TRY_ASSIGN(SegmentIndex * index, segment.index());
  if (index->full(options.segment_index_bytes)) return true;
  TRY_ASSIGN(auto first, segment.first_timestamp());
  std::int64_t waited = first ? max_timestamp - *first : now - segment.created();
  return waited > options.segment_ms - segment.roll_jitter_ms();
}

LogResult<void> Log::Impl::make_room(Staged& staged, std::size_t bytes, Timestamp max_timestamp, Offset first,
                                     Offset last, Timestamp now) {
  if (!staged.empty()) {
    TRY_ASSIGN(SegmentIndex * index, active().index());
    // The first batch's time is read from the file, and an index that is almost full tells nothing about what waits.
    if (active().size() == 0 || index->full(context.options.segment_index_bytes, staged.entries.size()))
      TRY(commit(staged));
  }
  TRY_ASSIGN(bool due, should_roll(active().size() + staged.bytes, bytes, max_timestamp, last, now));
  if (!due) return {};
  TRY(commit(staged));
  return roll(std::max(first, next_offset), now);
}

LogResult<AppendResult> Log::Impl::append_leader(Bytes records, Epoch epoch, Timestamp now,
                                                 AppendOrigin origin, std::int16_t marker_version,
                                                 Staged& staged) {
  TRY_ASSIGN(Outline sum, outline(records.view()));
  const LogOptions& options = context.options;
  if (records.size() > static_cast<std::size_t>(options.segment_bytes)) {
    return Err(LogError{LogErrorKind::kBatchTooLarge,
                        fmt::format("{} bytes, a segment has {}", records.size(), options.segment_bytes)});
  }
  for (const wire::BatchView& batch : sum.batches) {
    if (!batch.has_producer()) continue;
    if (origin == AppendOrigin::kClient && !batch.control()) {
      const ProducerBatch* known = producers.find_duplicate(batch);
      if (known != nullptr) {
        AppendResult answer = duplicate_answer(*known, log_start);
        // What it repeats may still be on its way, and fail.
        if (answer.first_offset >= next_offset) TRY(commit(staged));
        return answer;
      }
    }
    TRY(producers.check(batch, origin, marker_version));
  }
  bool stamp = options.message_timestamp_type == wire::TimestampType::kLogAppendTime;
  Timestamp max_timestamp = stamp ? now : sum.max_timestamp;
  Offset first = staged.end(next_offset);
  auto room = make_room(staged, records.size(), max_timestamp, first, first + (sum.offsets - 1), now);
  if (room.failed()) {
    for (const wire::BatchView& batch : sum.batches) await_if_full(room.error(), batch);
    return Err(std::move(room.error()));
  }

  assign_epoch(epoch, first);
  Offset offset = first;
  std::uint8_t* at = records.unshared_data();
  for (const wire::BatchView& batch : sum.batches) {
    wire::patch_base_offset(at, offset);
    wire::patch_leader_epoch(at, epoch);
    if (stamp) wire::patch_max_timestamp(at, wire::TimestampType::kLogAppendTime, now);
    auto view = wire::LogEntryView::parse({at, batch.size()});
    CHECK(!view.failed());
    stage_entry(staged, *view, offset, batch.has_producer() && !batch.control() && !batch.transactional());
    offset = batch.next_offset();
    at += batch.size();
  }
  staged.pieces.push_back(records.view());
  AppendResult result;
  result.first_offset = first;
  result.last_offset = offset - 1;
  if (stamp) result.log_append_time = now;
  result.max_timestamp = max_timestamp;
  result.log_start_offset = log_start;
  result.bytes = records.size();
  staged.holders.push_back(std::move(records));
  return result;
}

// `apply`: its producer's next batch in the same group follows it. What touches transactions is applied when it is
// written.
void Log::Impl::stage_entry(Staged& staged, const wire::LogEntryView& entry, Offset base_offset, bool apply) {
  staged.entries.push_back({entry, active().size() + staged.bytes, base_offset, entry.last_offset(), apply});
  staged.bytes += entry.size();
  if (!apply) return;
  staged.undo.push_back(producers.undo_of(entry.batch().producer_id()));
  producers.apply(entry.batch());
}

void Log::Impl::index_entry(const Staged::Entry& entry) {
  auto index = active().index();
  CHECK(!index.failed(), "the active segment's index is in memory");
  EntryHeader header;
  header.position = entry.position;
  header.size = entry.view.size();
  header.magic = static_cast<std::int8_t>(entry.view.bytes()[16]);
  header.has_producer = entry.view.is_batch() && entry.view.batch().has_producer();
  header.base_offset = entry.base_offset;
  header.last_offset = entry.last_offset;
  header.leader_epoch = entry.view.leader_epoch();
  header.max_timestamp = entry.view.max_timestamp();
  recent.add(header);
  if (entry.position == 0) active().set_first_timestamp(entry.view.max_timestamp());
  (*index)->add(entry.last_offset, entry.position, entry.view.size(), entry.view.max_timestamp(),
                context.options.index_interval_bytes);
}

void Log::Impl::await_if_full(const LogError& error, const wire::BatchView& batch) {
  bool counted = batch.has_producer() && !batch.control();
  if (counted && error.kind == LogErrorKind::kNoSpace) producers.await(batch);
}

LogResult<void> Log::Impl::commit(Staged& staged) {
  if (staged.empty()) return {};
  Segment& segment = active();
  auto write = [&]() -> LogResult<void> {
    TRY_ASSIGN(auto file, segment.file());
    auto written = file->write_at(segment.size(), staged.pieces);
    if (!written.failed()) return {};
    // Nothing may lie behind the end: the next append goes there.
    if (written.error().kind == io::ErrorKind::kNoSpace) {
      auto cut = file->truncate(segment.size());
      if (cut.failed()) return Err(LogError{LogErrorKind::kIo, cut.error().what});
    }
    return Err(from_io(std::move(written.error())));
  };
  auto written = write();
  if (written.failed()) {
    for (const ProducerUndo& undo : staged.undo | std::views::reverse) producers.restore(undo);
    LogError why = note(std::move(written.error()));
    for (const Staged::Entry& entry : staged.entries) {
      if (entry.view.is_batch()) await_if_full(why, entry.view.batch());
    }
    for (LogResult<AppendResult>* outcome : staged.outcomes) *outcome = Err(why);
    staged.clear();
    return Err(std::move(why));
  }
  segment.grew(staged.bytes);
  for (const Staged::Entry& entry : staged.entries) {
    index_entry(entry);
    next_offset = entry.last_offset + 1;
    if (entry.applied || !entry.view.is_batch() || !entry.view.batch().has_producer()) continue;
    auto txn = producers.apply(entry.view.batch());
    if (!txn) continue;
    if (txn->aborted) {
      auto index = segment.index();
      (*index)->add_aborted(
          {txn->producer_id, txn->first_offset, txn->last_offset, producers.stable_offset_after(*txn)});
    }
    producers.complete_txn(*txn);
  }
  staged.clear();
  return {};
}

// NOLINTNEXTLINE(performance-unnecessary-value-param) held until the end, beside the staged one
LogResult<AppendResult> Log::Impl::append_raw(Bytes records, Timestamp now) {
  // Everything is checked before anything is written.
  struct Found {
    wire::LogEntryView view;
    Offset base;
  };
  std::vector<Found> found;
  wire::LogEntryCursor cursor(records.view());
  wire::LogEntryView entry;
  Offset expected = next_offset;
  while (cursor.next(entry)) {
    if (!entry.crc_ok() && !MILENA_MUTANT("trusting-follower"))
      return Err(corrupt_batch(wire::describe(wire::BatchError::kBadCrc)));
    Offset base = entry.base_offset().value_or(entry.last_offset());
    if (base < expected || entry.last_offset() < base || entry.last_offset() - base > kMaxRelative) {
      return Err(LogError{
          LogErrorKind::kUnexpectedOffset,
          fmt::format("a batch of offsets {} to {} where {} is next", base, entry.last_offset(), expected)});
    }
    expected = entry.last_offset() + 1;
    found.push_back({entry, base});
  }
  if (auto error = cursor.error(); error.has_value() && *error != wire::BatchError::kIncomplete) {
    return Err(corrupt_batch(wire::describe(*error)));
  }
  AppendResult result;
  result.log_start_offset = log_start;
  if (found.empty()) return result;
  Staged staged;
  // Shared, not moved: each commit, also one that a full segment asks for, lets go of it.
  staged.holders.push_back(records);
  for (const Found& batch : found) {
    TRY(make_room(staged, batch.view.size(), batch.view.max_timestamp(), batch.base, batch.view.last_offset(),
                  now));
    assign_epoch(batch.view.leader_epoch(), batch.base);
    stage_entry(staged, batch.view, batch.base, false);
    staged.pieces.push_back(batch.view.bytes());
    result.max_timestamp = std::max(result.max_timestamp, batch.view.max_timestamp());
  }
  TRY(commit(staged));
  result.first_offset = found.front().base;
  result.last_offset = found.back().view.last_offset();
  result.bytes = cursor.position();
  return result;
}

LogResult<void> Log::Impl::write_snapshot(Offset offset, std::string_view content) {
  std::string path = context.path + "/" + segment_file_name(offset, ".snapshot");
  snapshots.erase(offset);
  TRY_IO(context.disk.write_unsynced(path, content));
  snapshots.insert(offset);
  unsynced_paths.push_back(std::move(path));
  ++context.directory_version;
  return {};
}

LogResult<void> Log::Impl::roll(Offset base, Timestamp now) {
  auto next = std::make_unique<Segment>(context, base, 0, now, draw_jitter());
  if (active().size() == 0) {
    // Nothing in it: the new segment takes its place, possibly under another name.
    if (base == active().base()) return {};
    TRY(drop_segment(segments.size() - 1));
    recent.clear();
    return add_empty(std::move(next));
  }
  TRY_ASSIGN(auto written, active().write_indexes());
  unsynced_paths.insert(unsynced_paths.end(), written.begin(), written.end());
  TRY(active().trim());
  TRY(write_snapshot(base, producers.snapshot()));
  TRY(next->create());
  recent.clear();
  touch(*segments.back());
  segments.push_back(std::move(next));
  return {};
}

LogResult<void> Log::Impl::add_empty(std::unique_ptr<Segment> segment) {
  auto created = segment->create();
  if (created.failed() && created.error().kind != LogErrorKind::kNoSpace) {
    return Err(LogError{LogErrorKind::kIo, created.error().message});
  }
  segments.push_back(std::move(segment));
  return {};
}

}  // namespace milena::log
