/// Which epochs the log holds and where each begins: the part of the log that elections, divergence and
/// truncation need (KIP-101, KIP-279, KIP-595).
#pragma once

#include <vector>

#include "base/ids.h"

namespace milena::raft {

struct EpochStart {
  Epoch epoch;
  Offset start;
  bool operator==(const EpochStart&) const = default;
};
struct EpochEnd {
  Epoch epoch;
  Offset end;
  bool operator==(const EpochEnd&) const = default;
};

/// Entries ascend strictly in both. The first one stands for all that a snapshot has taken away.
class EpochHistory {
 public:
  EpochHistory() = default;
  /// Entries that do not ascend are left out.
  explicit EpochHistory(const std::vector<EpochStart>& entries);

  const std::vector<EpochStart>& entries() const { return entries_; }
  Epoch last() const { return entries_.empty() ? Epoch(0) : entries_.back().epoch; }
  /// The epoch of the record at `offset`, which lies in the log; 0: it is before all entries.
  Epoch at(Offset offset) const;
  /// The greatest epoch of the log that is not above `epoch`, and where it ends. An epoch above all: the last
  /// one with the log's end. One below all: `epoch` itself with the log's start, that is, nothing in common.
  EpochEnd end_of(Epoch epoch, Offset log_start, Offset log_end) const;

  /// Batches of `epoch` begin at `start`. Nothing happens if the last entry is of that epoch.
  void add(Epoch epoch, Offset start);
  /// Nothing at or behind `end` is in the log any more.
  void truncate(Offset end);
  /// The log begins at `log_start` now.
  void trim(Offset log_start);
  /// The log is empty behind a snapshot whose last record has that epoch.
  void reset(Epoch epoch, Offset log_start);

 private:
  std::vector<EpochStart> entries_;
};

}  // namespace milena::raft
