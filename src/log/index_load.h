/// load_index: a segment's index from its files, made again from the segment where it is missing, broken or
/// of another file. It changes nothing on disk and may run on any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "io/disk.h"
#include "log/error.h"
#include "log/segment_index.h"

namespace milena::log {

/// The segment that is meant, as it stood when it was asked for.
struct IndexSource {
  Offset base{0};
  std::string stem;        // its path without a suffix
  std::uint64_t size = 0;  // bytes of the .log
  std::int32_t interval_bytes = 0;
  std::shared_ptr<io::File> file;  // the .log; load_index opens it where there is none
};

struct LoadedIndex {
  SegmentIndex index;
  Offset end_offset{0};  // behind the last batch
  /// Why it was made again, and is not what the disk has; empty: it is as on disk.
  std::string rebuilt;
};

/// The file's content; empty where there is no such file.
LogResult<std::string> read_index_file(io::Disk& disk, const std::string& path);
/// Errors: kCorrupt: the segment itself is broken, or its .txnindex, which nothing else holds; kIo.
LogResult<LoadedIndex> load_index(io::Disk& disk, IndexSource& source);
/// From the batches alone. REQUIRES: source.file.
LogResult<LoadedIndex> rebuild_index(const IndexSource& source, const std::vector<AbortedTransaction>& txns,
                                     std::string_view why);

}  // namespace milena::log
