/// SegmentIndex: the offset, time and transaction index of one segment, in memory, and their bytes on disk.
///
/// Offset index, `.index`, 8 bytes an entry: offset minus base offset u32, position in the .log i32.
/// Time index, `.timeindex`, 12 bytes: timestamp i64, offset minus base offset u32: the largest timestamp up
/// to there, and the last offset of the batch that has it. Both big-endian, and sparse: an entry is made for
/// a batch once more than index.interval.bytes lie behind the last one, and the time index gets the largest
/// timestamp once more when the segment ends. Transaction index: txn_index.h.
/// Threads: for one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "log/entry_walker.h"
#include "log/error.h"
#include "log/txn_index.h"

namespace milena::log {

struct OffsetIndexEntry {
  std::uint32_t relative_offset = 0;
  std::uint32_t position = 0;
  bool operator==(const OffsetIndexEntry&) const = default;
};

struct TimeIndexEntry {
  Timestamp timestamp = kNoTimestamp;
  std::uint32_t relative_offset = 0;
  bool operator==(const TimeIndexEntry&) const = default;
};

inline constexpr std::size_t kOffsetEntrySize = 8;
inline constexpr std::size_t kTimeEntrySize = 12;

class SegmentIndex {
 public:
  explicit SegmentIndex(Offset base_offset) : base_(base_offset) {}

  /// From the files' bytes. The maximum timestamp and the distance from the last entry are those of the
  /// entries: go on with resume(). Errors: kCorrupt.
  static LogResult<SegmentIndex> parse(Offset base_offset, std::string_view offsets, std::string_view times,
                                       std::string_view txns);
  std::string format_offsets() const;
  /// With the closing entry.
  std::string format_times() const;
  std::string format_txns() const { return format_txn_index(txns_); }

  /// Takes in the batch behind the last one. REQUIRES: its last offset is within 2^31 - 1 of the base offset.
  void add(Offset last_offset, std::uint64_t position, std::size_t size, Timestamp max_timestamp,
           std::int32_t interval_bytes);
  void add_aborted(const AbortedTransaction& txn) { txns_.push_back(txn); }
  /// Walks the file's batches behind the last entry. False: the index is no index of this file (an entry is
  /// missing, or points at no batch); `next_offset` is that behind the last batch otherwise.
  LogResult<bool> resume(io::File& file, std::uint64_t size, std::int32_t interval_bytes,
                         Offset& next_offset);
  /// Forgets all at or behind `offset`; resume() must follow.
  void truncate_to(Offset offset);

  /// Where to begin looking for `offset`: a batch boundary at or before the batch that holds it.
  std::uint64_t position_before(Offset offset) const { return start_for(offset).position; }
  /// The same, and what the entry says of the batch that stands there: it ends at `last_offset` or before. nullopt:
  /// the start of the segment, of which no entry tells.
  struct Start {
    std::uint64_t position = 0;
    std::optional<Offset> last_offset;
  };
  Start start_for(Offset offset) const;
  /// No record before this offset has a timestamp of at least `target`.
  Offset offset_before(Timestamp target) const;

  /// Whether `more` batches could find no room in an index file of that size.
  bool full(std::int32_t index_bytes, std::size_t more = 0) const;
  bool empty() const { return offsets_.empty() && times_.empty(); }
  Timestamp max_timestamp() const { return max_timestamp_; }
  Offset offset_of_max_timestamp() const { return offset_of_max_; }
  const std::vector<AbortedTransaction>& txns() const { return txns_; }
  const std::vector<OffsetIndexEntry>& offsets() const { return offsets_; }
  const std::vector<TimeIndexEntry>& times() const { return times_; }

 private:
  std::uint32_t relative(Offset offset) const { return static_cast<std::uint32_t>(offset - base_); }

  Offset base_;
  std::vector<OffsetIndexEntry> offsets_;
  std::vector<TimeIndexEntry> times_;
  std::vector<AbortedTransaction> txns_;
  Timestamp max_timestamp_ = kNoTimestamp;
  Offset offset_of_max_ = kNoOffset;
  std::int64_t bytes_since_entry_ = 0;
};

}  // namespace milena::log
