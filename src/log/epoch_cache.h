/// EpochCache: which leader epoch begins at which offset (KIP-101, KIP-279), in ascending order of both.
///
/// Epochs without records count: a leader enters its epoch before the first record of it. The file
/// `leader-epoch-checkpoint` holds "0", the number of entries, and one line "<epoch> <start offset>" each.
/// Threads: for one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "log/error.h"

namespace milena::log {

struct EpochEntry {
  Epoch epoch = kNoEpoch;
  Offset start_offset{0};
  bool operator==(const EpochEntry&) const = default;
};

/// An epoch and the offset behind its last record. Undefined: {-1, -1}.
struct EpochEnd {
  Epoch epoch = kNoEpoch;
  Offset end_offset = kNoOffset;
  bool operator==(const EpochEnd&) const = default;
};

class EpochCache {
 public:
  /// Errors: kCorrupt.
  static LogResult<EpochCache> parse(std::string_view checkpoint);
  std::string format() const;

  /// Enters `epoch` as beginning at `start_offset`, unless the last entry covers that already. Entries with a
  /// higher or equal epoch or start offset give way. REQUIRES: both >= 0. Returns whether anything changed.
  bool assign(Epoch epoch, Offset start_offset);
  /// Where `epoch` ends, as OffsetForLeaderEpoch answers: the largest known epoch at or below it and the
  /// start of the next one; the log end for the latest epoch; undefined for an epoch above all known ones.
  EpochEnd end_offset_for(Epoch epoch, Offset log_end_offset) const;
  /// The epoch of the record at `offset`; nullopt: before the first entry.
  std::optional<Epoch> epoch_at(Offset offset) const;
  /// Forgets epochs that start at or behind `end_offset`.
  bool truncate_from_end(Offset end_offset);
  /// Forgets epochs that end at or before `start_offset`; the one in force there starts there now.
  bool truncate_from_start(Offset start_offset);
  bool clear();

  std::optional<EpochEntry> latest() const;
  std::optional<EpochEntry> earliest() const;
  const std::vector<EpochEntry>& entries() const { return entries_; }

 private:
  std::vector<EpochEntry> entries_;
};

}  // namespace milena::log
