/// What an interrupted deletion, compaction or split leaves in a partition's directory, and its files once
/// that is cleared, as Kafka does it at start:
///   `.deleted`, `.tmp`   half deleted, half written: removed
///   `.cleaned`           a compaction that was not finished: removed
///   `.swap`              one that was: the segments it replaces go, then it takes their name; but a swap
///   file at
///                        or above the lowest `.cleaned` one belongs to an unfinished split: removed
///   an index without its .log: removed
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "io/disk.h"
#include "log/error.h"

namespace milena::log {

struct LogFiles {
  std::map<Offset, std::uint64_t> logs;  // base offset -> bytes
  std::set<Offset> txn_indexes;
  std::set<Offset> snapshots;
  bool epochs = false;
};

/// Appends a line to `notes` for each repair.
LogResult<LogFiles> clear_leftovers(io::Disk& disk, const std::string& directory,
                                    std::vector<std::string>& notes);

}  // namespace milena::log
