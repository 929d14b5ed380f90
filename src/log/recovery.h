/// LogLoader: from the files of a partition's directory to a Log.
///
/// After a clean stop the files are trusted: only the active segment's tail behind its last index entry is
/// walked. Otherwise every batch from the segment of the recovery point on is read and checked, and indexes,
/// transaction indexes, producer snapshots and epochs are made anew from them.
///
/// Where all that a killed process wrote is still there (OpenLog::known), the walk begins at the end that was known.
///
/// At the first bytes that are no valid batch, or an intact one whose offsets cannot stand there:
///   - below the recovery point (they were durable once): the partition fails;
///   - with a valid batch anywhere behind them: the partition fails;
///   - else they are what an interrupted write left, and are cut off.
/// A segment that ends before the next one begins is the same case, where no compaction can have made the
/// gap. A partition that fails is left as it is, with file, position and the operator's next step in the
/// error.
///
/// Below the scanned part: a missing or wrong index is rebuilt when first used (segment.h); a broken
/// transaction index makes the scan begin there; missing epochs are read from all batch headers; producer
/// state comes from the newest readable snapshot and the batches behind it. Rules: traps S2, S3; KAFKA-3919;
/// KIP-101.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "log/leftovers.h"
#include "log/log_impl.h"

namespace milena::log {

class LogLoader {
 public:
  LogLoader(io::Disk& disk, OpenLog how);
  LogResult<std::unique_ptr<Log>> load(RecoveryReport* report);

 private:
  /// What how_.known gives, if the files agree with it.
  void use_known(std::size_t scan_start);
  /// Index into segments of the first one to scan; their number: none.
  LogResult<std::size_t> choose_scan_start();
  LogResult<void> load_epochs(std::size_t scan_start);
  LogResult<void> load_producers(Offset end);
  LogResult<void> scan(std::size_t scan_start);
  LogResult<void> scan_segment(std::size_t i);
  /// Whether what is behind `position` is room that was made in advance, no records that were lost: nothing but zeros
  /// in the last segment of a topic that preallocates, or where the next segment begins at just the offset that would
  /// follow (a power loss came before the cut between them was on disk).
  LogResult<bool> is_room(std::size_t i, std::uint64_t position);
  LogResult<void> judge(std::size_t i, std::uint64_t position, std::string_view why);
  /// For errors: the spot, the refusal of a log with a valid batch behind it, and what the operator may do.
  std::string where(std::size_t i, std::uint64_t position, std::string_view why) const;
  LogError refusal(std::size_t i, std::uint64_t position, std::string_view why, std::size_t next_segment,
                   std::uint64_t next_position) const;
  std::string next_step(std::size_t i, std::uint64_t position) const;
  /// Why an intact entry cannot stand where the scan is; empty: it can.
  std::string why_misplaced(const Segment& segment, const wire::LogEntryView& entry) const;
  void take(const wire::LogEntryView& entry, std::uint64_t position, SegmentIndex& index);
  /// All was read and found good: now the disk may be changed.
  LogResult<void> repair(std::size_t scan_start);
  LogResult<void> remove_stray_snapshots();
  LogResult<void> finish();

  OpenLog how_;
  std::unique_ptr<Log::Impl> impl_;
  LogFiles files_;
  /// Where a scan may begin within its first segment.
  struct Bound {
    std::size_t segment = 0;
    std::uint64_t position = 0;
    Offset offset{0};
    SegmentIndex index;  // of what lies before
  };
  std::optional<Bound> bound_;
  bool scanned_any_ = false;
  std::uint64_t scanned_ = 0;
  std::uint64_t scanned_records_ = 0;
  std::uint64_t truncated_ = 0;
  Offset expected_{0};  // next offset of the scan
  std::vector<std::pair<Offset, std::string>> new_snapshots_;
  /// Segments that end with such room, and where it begins.
  std::vector<std::pair<std::size_t, std::uint64_t>> rooms_;
  bool cut_ = false;
  std::size_t cut_segment_ = 0;
  std::uint64_t cut_position_ = 0;
};

}  // namespace milena::log
