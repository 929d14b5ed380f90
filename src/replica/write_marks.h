/// WriteMarks: notes the first write to each log that a manifest tells of (log/manifest.h). Of one loop and one
/// directory; shared by the partitions that are in both. Threads: that loop only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/disk.h"
#include "log/manifest.h"

namespace milena::replica {

class WriteMarks {
 public:
  WriteMarks(io::Disk& disk, std::string directory) : disk_(disk), directory_(std::move(directory)) {}
  /// False: the manifest could neither be told nor taken away. Before file() marks are kept in memory.
  bool mark(std::uint32_t index);
  /// From now on marks are durable against a kill before mark() ends.
  void file(std::unique_ptr<log::MarkFile> file);
  /// There is no manifest.
  void end() { ended_ = true; }

 private:
  bool give_up();
  io::Disk& disk_;
  std::string directory_;
  std::unique_ptr<log::MarkFile> file_;
  std::vector<std::uint32_t> early_;
  bool ended_ = false;
};

}  // namespace milena::replica
