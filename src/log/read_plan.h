/// ReadPlan: where the batches that a fetch asked for lie, as slices of files, so that the caller may send
/// them with sendfile, read them at once where they are cached, or hand a cold read to the pool.
///
/// The slices stay readable while the plan lives, also after the segment was deleted or its name changed. A
/// truncation behind the plan's back may shorten the file: a short read is then not an error of the disk.
/// Threads: a plan may be handed to another thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "io/disk.h"

namespace milena::log {

struct FileSlice {
  std::shared_ptr<io::File> file;
  std::uint64_t position = 0;
  std::size_t size = 0;
};

struct ReadPlan {
  /// Whole batches, the last one possibly cut at max_bytes as in Kafka (clients drop the cut one). One slice:
  /// a read ends with its segment.
  std::vector<FileSlice> slices;
  std::size_t size = 0;
  /// Base offset of the segment that is read and of the one behind it (the log end offset where there is
  /// none): what lies in the slices is below `segment_end`. For aborted_transactions.
  Offset segment_base{0};
  Offset segment_end{0};

  bool empty() const { return size == 0; }
  /// All bytes of the slices in one block; fewer where the file was truncated meanwhile.
  io::IoResult<Bytes> load() const;
  /// As load, but fails with kWouldBlock rather than wait for the device.
  io::IoResult<Bytes> load_cached() const;
};

}  // namespace milena::log
