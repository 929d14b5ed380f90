#include <algorithm>

#include "base/check.h"
#include "log/log_impl.h"
#include "log/record_times.h"

namespace milena::log {
namespace {

constexpr std::size_t kWarmSegments = 2;

io::IoResult<Bytes> load_slices(const ReadPlan& plan, bool cached) {
  Buffer block;
  block.resize(plan.size);
  std::size_t at = 0;
  for (const FileSlice& slice : plan.slices) {
    MutableByteView into(block.data() + at, slice.size);
    auto got =
        cached ? slice.file->read_cached(slice.position, into) : slice.file->read_at(slice.position, into);
    if (got.failed()) return Err(got.error());
    at += *got;
    if (*got < slice.size) break;
  }
  block.resize(at);
  return block.freeze();
}

}  // namespace

io::IoResult<Bytes> ReadPlan::load() const {
  return load_slices(*this, false);
}
io::IoResult<Bytes> ReadPlan::load_cached() const {
  return load_slices(*this, true);
}

const EntryHeader* RecentBatches::find(Offset offset) const {
  std::size_t held = std::min(count_, kSize);
  const EntryHeader* found = nullptr;
  for (std::size_t back = 1; back <= held; ++back) {
    const EntryHeader& header = ring_[(count_ - back) % kSize];
    if (header.last_offset < offset) return found;
    found = &header;
    if (header.base_offset <= offset) return found;
  }
  return nullptr;  // it may be an older one
}

std::size_t Log::Impl::floor(Offset offset) const {
  auto after =
      std::ranges::upper_bound(segments, offset, {}, [](const auto& segment) { return segment->base(); });
  return after == segments.begin() ? 0 : static_cast<std::size_t>(after - segments.begin()) - 1;
}

void Log::Impl::touch(Segment& segment) {
  std::erase(warm, &segment);
  warm.push_back(&segment);
  while (warm.size() > kWarmSegments) {
    Segment* oldest = warm.front();
    warm.erase(warm.begin());
    if (oldest != segments.back().get()) oldest->cool();
  }
}

void Log::Impl::keep_warm(std::size_t i) {
  if (i + 1 < segments.size() && segments[i]->warm()) touch(*segments[i]);
}

LogResult<std::optional<EntryHeader>> Log::Impl::find(std::size_t i, Offset offset) {
  Segment& segment = *segments[i];
  if (i + 1 == segments.size()) {
    const EntryHeader* known = recent.find(offset);
    if (known != nullptr) return *known;
  }
  auto found = segment.find(offset);
  keep_warm(i);
  return found;
}

LogResult<ReadPlan> Log::Impl::plan_read(Offset from, std::size_t max_bytes, bool at_least_one,
                                         Offset upper_bound) {
  if (from < log_start || from > next_offset) {
    return Err(LogError{LogErrorKind::kOffsetOutOfRange,
                        fmt::format("offset {} is outside {} to {}", from, log_start, next_offset)});
  }
  upper_bound = std::min(upper_bound, next_offset);
  ReadPlan plan;
  for (std::size_t i = floor(from); i < segments.size() && from < upper_bound; ++i) {
    plan.segment_base = segments[i]->base();
    plan.segment_end = segment_end(i);
    if (plan.segment_base >= upper_bound) return plan;
    TRY_ASSIGN(auto first, find(i, from));
    if (!first) continue;  // what was there is compacted away
    std::uint64_t end = segments[i]->size();
    if (upper_bound < plan.segment_end) {
      TRY_ASSIGN(auto beyond, find(i, upper_bound));
      if (beyond) end = beyond->position;
    }
    if (first->position >= end) return plan;
    // A first batch that does not fit is of no use to anybody unless it comes whole.
    if (first->size > max_bytes && !at_least_one) return plan;
    std::uint64_t size = std::min<std::uint64_t>(std::max(max_bytes, first->size), end - first->position);
    TRY_ASSIGN(auto file, segments[i]->file());
    plan.size = static_cast<std::size_t>(size);
    plan.slices.push_back({std::move(file), first->position, plan.size});
    return plan;
  }
  return plan;
}

LogResult<void> Log::Impl::warmed(ColdRead& read, LogResult<void> outcome) {
  std::size_t i = floor(read.source.base);
  // It is gone or may have been cut, and why it could not be read with it.
  if (segments[i]->base() != read.source.base || read.truncations != truncations) return {};
  TRY(std::move(outcome));
  segments[i]->warm_up(read);
  keep_warm(i);
  return {};
}

LogResult<std::vector<AbortedTransaction>> Log::Impl::aborted(Offset from, Offset upper_bound) {
  std::vector<AbortedTransaction> found;
  for (std::size_t i = floor(from); i < segments.size(); ++i) {
    TRY_ASSIGN(const auto* txns, segments[i]->aborted());
    keep_warm(i);
    for (const AbortedTransaction& txn : *txns) {
      if (txn.last_offset >= from && txn.first_offset < upper_bound) found.push_back(txn);
      if (txn.last_stable_offset >= upper_bound) return found;
    }
  }
  return found;
}

LogResult<std::optional<TimestampedOffset>> Log::Impl::find_time(Timestamp target) {
  for (std::size_t i = floor(log_start); i < segments.size(); ++i) {
    Segment& segment = *segments[i];
    TRY_ASSIGN(Timestamp newest, segment.max_timestamp());
    keep_warm(i);
    if (newest < target) continue;
    TRY_ASSIGN(SegmentIndex * index, segment.index());
    TRY_ASSIGN(auto file, segment.file());
    keep_warm(i);
    Offset start = std::max(index->offset_before(target), log_start);
    ColdPages* cold = segment.cold_pages();
    TRY_ASSIGN(std::uint64_t position, segment.start_of(start));
    EntryWalker walker(*file, position, segment.size(), cold);
    while (true) {
      TRY_ASSIGN(auto header, walker.next());
      if (!header) break;
      if (header->max_timestamp < target || header->last_offset < log_start) continue;
      TRY_ASSIGN(Bytes entry, read_block(*file, header->position, header->size, cold));
      TRY_ASSIGN(auto record, first_record_at_or_after(entry.view(), target, log_start));
      if (record) return TimestampedOffset{record->timestamp, record->offset, header->leader_epoch};
    }
  }
  return std::nullopt;
}

LogResult<std::optional<TimestampedOffset>> Log::Impl::find_max_time() {
  std::optional<std::size_t> best;
  Timestamp best_time = kNoTimestamp;
  for (std::size_t i = floor(log_start); i < segments.size(); ++i) {
    TRY_ASSIGN(Timestamp newest, segments[i]->max_timestamp());
    keep_warm(i);
    if (newest > best_time) {
      best = i;
      best_time = newest;
    }
  }
  if (!best) return std::nullopt;
  Segment& segment = *segments[*best];
  TRY_ASSIGN(SegmentIndex * index, segment.index());
  TRY_ASSIGN(auto header, find(*best, index->offset_of_max_timestamp()));
  if (!header) return std::nullopt;
  TRY_ASSIGN(auto file, segment.file());
  TRY_ASSIGN(Bytes entry, read_block(*file, header->position, header->size, segment.cold_pages()));
  TRY_ASSIGN(auto record, first_record_at_or_after(entry.view(), best_time, Offset(0)));
  if (!record) return std::nullopt;
  return TimestampedOffset{record->timestamp, record->offset, header->leader_epoch};
}

}  // namespace milena::log
