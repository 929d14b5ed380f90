/// SimFile: an open file of a SimDisk. Only for io/sim.
#pragma once

#include "io/cached_file.h"
#include "io/sim/sim_disk.h"

namespace milena::io {

enum class SimDisk::Call : std::uint8_t {
  kOpen, kStat, kList, kMakeDirectory, kRename, kRemove, kSyncDirectory, kSyncAll, kLock,
  kRead, kWrite, kTruncate, kSync, kSize, kSpace,
};

class SimFile final : public CachedFile {
 public:
  SimFile(SimDisk& disk, SimInodePtr inode, std::string path, bool writable);
  ~SimFile() override;
  IoResult<std::size_t> read_at(std::uint64_t offset, MutableByteView into) override;
  IoResult<std::size_t> read_cached(std::uint64_t offset, MutableByteView into) override;
  bool is_cached(std::uint64_t offset, std::uint64_t count) override;
  IoResult<void> write_at(std::uint64_t offset, std::span<const ByteView> pieces) override;
  IoResult<void> truncate(std::uint64_t size) override;
  IoResult<void> sync() override;
  IoResult<std::uint64_t> size() override;

 private:
  using Call = SimDisk::Call;
  IoResult<void> begin(Call call, std::uint64_t detail);
  IoError error(int number, const char* operation) const;

  SimDisk& disk_;
  SimInodePtr inode_;
  std::string path_;
  bool writable_;
  std::uint64_t process_;
};

}  // namespace milena::io
