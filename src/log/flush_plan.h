/// FlushPlan: what must be made durable so that a log is safe up to an offset. The log makes it
/// (Log::begin_flush), any thread runs it, and the log hears of the outcome (Log::complete_flush).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "io/disk.h"

namespace milena::log {

struct FlushPlan {
  /// Records below it are durable once the plan has run.
  Offset up_to{0};
  /// The recovery point once the plan has run: all below it has its indexes, snapshot and epochs on disk too.
  Offset recovery_point{0};

  std::vector<std::shared_ptr<io::File>> files;  // to sync
  std::vector<std::string> paths;                // closed files, to open and sync
  std::vector<std::string> directories;          // names in them, to sync behind the files
  /// Path, content: written as one durable step, last.
  std::vector<std::pair<std::string, std::string>> replacements;

  /// The log's own marks, for complete_flush. A plan from before a truncation moves nothing.
  std::vector<std::pair<Offset, std::uint64_t>> segment_sizes;  // base offset, bytes that are synced
  std::uint64_t truncations = 0;
  std::uint64_t epoch_version = 0;
  std::uint64_t directory_version = 0;

  /// Nothing to do: complete_flush may be called at once.
  bool empty() const { return files.empty() && paths.empty() && replacements.empty() && directories.empty(); }
  /// Set by run(): what was to be synced is, but the disk has no room for the replacements. The records are
  /// safe; the recovery point stays, and the log's next plan has the replacements again.
  bool no_room = false;

  /// Does it, in order. After an error the log must be told by fail(): never try again.
  io::IoResult<void> run(io::Disk& disk);
};

/// Runs many plans of logs in `directory` at once, by syncing the whole file system in place of each file. The outcome
/// is that of all of them.
io::IoResult<void> run_together(io::Disk& disk, const std::string& directory,
                                const std::vector<std::shared_ptr<FlushPlan>>& plans);

}  // namespace milena::log
