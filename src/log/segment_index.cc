#include "log/segment_index.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/endian.h"

namespace milena::log {
namespace {

constexpr std::int64_t kMaxRelative = 0x7fffffff;
/// An index is too short when this many intervals of the segment's tail have no entry. Not one: Kafka begins
/// anew to count at each start, so that a segment it reopened has larger gaps, which only make a look-up a
/// little longer.
constexpr std::int64_t kIntervalsUnindexed = 16;

auto corrupt(std::string_view why) {
  return Err(LogError{LogErrorKind::kCorrupt, std::string(why)});
}

const std::uint8_t* bytes_of(std::string_view file) {
  return reinterpret_cast<const std::uint8_t*>(file.data());
}

}  // namespace

LogResult<SegmentIndex> SegmentIndex::parse(Offset base_offset, std::string_view offsets,
                                            std::string_view times, std::string_view txns) {
  SegmentIndex index(base_offset);
  if (offsets.size() % kOffsetEntrySize != 0) return corrupt("offset index: not a whole number of entries");
  if (times.size() % kTimeEntrySize != 0) return corrupt("time index: not a whole number of entries");
  index.offsets_.reserve(offsets.size() / kOffsetEntrySize);
  for (std::size_t at = 0; at < offsets.size(); at += kOffsetEntrySize) {
    OffsetIndexEntry entry{load_be<std::uint32_t>(bytes_of(offsets) + at),
                           load_be<std::uint32_t>(bytes_of(offsets) + at + 4)};
    bool ascends = index.offsets_.empty() || (entry.relative_offset > index.offsets_.back().relative_offset &&
                                              entry.position > index.offsets_.back().position);
    if (!ascends || entry.relative_offset > kMaxRelative)
      return corrupt("offset index: entries do not ascend");
    index.offsets_.push_back(entry);
  }
  index.times_.reserve(times.size() / kTimeEntrySize);
  for (std::size_t at = 0; at < times.size(); at += kTimeEntrySize) {
    TimeIndexEntry entry{Timestamp(load_be<std::int64_t>(bytes_of(times) + at)),
                         load_be<std::uint32_t>(bytes_of(times) + at + 8)};
    bool ascends = index.times_.empty() || (entry.timestamp > index.times_.back().timestamp &&
                                            entry.relative_offset >= index.times_.back().relative_offset);
    if (!ascends || entry.relative_offset > kMaxRelative) return corrupt("time index: entries do not ascend");
    index.times_.push_back(entry);
  }
  TRY_ASSIGN(index.txns_, parse_txn_index(txns, base_offset));
  if (!index.times_.empty()) {
    index.max_timestamp_ = index.times_.back().timestamp;
    index.offset_of_max_ = base_offset + index.times_.back().relative_offset;
  }
  return index;
}

std::string SegmentIndex::format_offsets() const {
  std::string file(offsets_.size() * kOffsetEntrySize, '\0');
  auto* at = reinterpret_cast<std::uint8_t*>(file.data());
  for (const OffsetIndexEntry& entry : offsets_) {
    store_be(at, entry.relative_offset);
    store_be(at + 4, entry.position);
    at += kOffsetEntrySize;
  }
  return file;
}

std::string SegmentIndex::format_times() const {
  bool closing = max_timestamp_ > (times_.empty() ? kNoTimestamp : times_.back().timestamp);
  std::string file((times_.size() + (closing ? 1 : 0)) * kTimeEntrySize, '\0');
  auto* at = reinterpret_cast<std::uint8_t*>(file.data());
  auto put = [&](Timestamp timestamp, std::uint32_t relative_offset) {
    store_be(at, timestamp.value());
    store_be(at + 8, relative_offset);
    at += kTimeEntrySize;
  };
  for (const TimeIndexEntry& entry : times_) put(entry.timestamp, entry.relative_offset);
  if (closing) put(max_timestamp_, relative(offset_of_max_));
  return file;
}

void SegmentIndex::add(Offset last_offset, std::uint64_t position, std::size_t size, Timestamp max_timestamp,
                       std::int32_t interval_bytes) {
  CHECK(last_offset >= base_ && last_offset - base_ <= kMaxRelative, "offset {} in segment {}", last_offset,
        base_);
  if (max_timestamp > max_timestamp_) {
    max_timestamp_ = max_timestamp;
    offset_of_max_ = last_offset;
  }
  if (bytes_since_entry_ > interval_bytes) {
    offsets_.push_back({relative(last_offset), static_cast<std::uint32_t>(position)});
    if (max_timestamp_ > (times_.empty() ? kNoTimestamp : times_.back().timestamp)) {
      times_.push_back({max_timestamp_, relative(offset_of_max_)});
    }
    bytes_since_entry_ = 0;
  }
  bytes_since_entry_ += static_cast<std::int64_t>(size);
}

LogResult<bool> SegmentIndex::resume(io::File& file, std::uint64_t size, std::int32_t interval_bytes,
                                     Offset& next_offset) {
  std::uint64_t from = offsets_.empty() ? 0 : offsets_.back().position;
  if (from >= size) {
    next_offset = base_;
    return from == 0 && size == 0 && times_.empty();
  }
  EntryWalker walker(file, from, size);
  bytes_since_entry_ = 0;
  Offset last = base_ - 1;
  Offset indexed = offsets_.empty() ? kNoOffset : base_ + offsets_.back().relative_offset;
  bool first = true;
  while (true) {
    TRY_ASSIGN(auto header, walker.next());
    if (!header) break;
    bool in_range = header->last_offset > last && header->last_offset - base_ <= kMaxRelative;
    // Kafka before 4 made one entry for an append of several batches: the offset may be that of a later one.
    bool pointed_at = !first || offsets_.empty() || header->last_offset <= indexed;
    if (!in_range || !pointed_at || bytes_since_entry_ > kIntervalsUnindexed * interval_bytes) return false;
    first = false;
    last = header->last_offset;
    if (header->max_timestamp > max_timestamp_) {
      max_timestamp_ = header->max_timestamp;
      offset_of_max_ = last;
    }
    bytes_since_entry_ += static_cast<std::int64_t>(header->size);
  }
  next_offset = last + 1;
  bool times_known = times_.empty() || base_ + times_.back().relative_offset <= last;
  return walker.finished() && last >= indexed && times_known;
}

void SegmentIndex::truncate_to(Offset offset) {
  while (!offsets_.empty() && base_ + offsets_.back().relative_offset >= offset) offsets_.pop_back();
  while (!times_.empty() && base_ + times_.back().relative_offset >= offset) times_.pop_back();
  while (!txns_.empty() && txns_.back().last_offset >= offset) txns_.pop_back();
  max_timestamp_ = times_.empty() ? kNoTimestamp : times_.back().timestamp;
  offset_of_max_ = times_.empty() ? kNoOffset : base_ + times_.back().relative_offset;
  bytes_since_entry_ = 0;
}

SegmentIndex::Start SegmentIndex::start_for(Offset offset) const {
  if (offset < base_) return {};
  auto after = std::ranges::upper_bound(offsets_, offset - base_, {}, [](const OffsetIndexEntry& entry) {
    return static_cast<std::int64_t>(entry.relative_offset);
  });
  if (after == offsets_.begin()) return {};
  return {std::prev(after)->position, base_ + std::prev(after)->relative_offset};
}

Offset SegmentIndex::offset_before(Timestamp target) const {
  // The entry with the largest timestamp below the target: all up to its offset are older.
  auto first = std::ranges::lower_bound(times_, target, {}, &TimeIndexEntry::timestamp);
  return first == times_.begin() ? base_ : base_ + std::prev(first)->relative_offset;
}

bool SegmentIndex::full(std::int32_t index_bytes, std::size_t more) const {
  return offsets_.size() + more >= static_cast<std::size_t>(index_bytes) / kOffsetEntrySize ||
         times_.size() + more + 1 >= static_cast<std::size_t>(index_bytes) / kTimeEntrySize;
}

}  // namespace milena::log
