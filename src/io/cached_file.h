/// CachedFile: an operation that some files offer besides File's: to tell what of them is in memory. A file that does not
/// is read as one of which nothing is known.
#pragma once

#include <cstdint>

#include "io/disk.h"

namespace milena::io {

class CachedFile : public File {
 public:
  /// Whether the whole range is in memory, so that reading or sending it waits for no device. False also where that
  /// cannot be told, and past the end of the file.
  virtual bool is_cached(std::uint64_t offset, std::uint64_t count) = 0;
};

inline bool is_cached(File& file, std::uint64_t offset, std::uint64_t count) {
  auto* knowing = dynamic_cast<CachedFile*>(&file);
  return knowing != nullptr && knowing->is_cached(offset, count);
}

}  // namespace milena::io
