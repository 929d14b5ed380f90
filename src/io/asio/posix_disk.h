/// PosixDisk: io::Disk over the kernel's files. Calls may be made from any thread and block as long as the
/// kernel does; interrupted calls go on, short writes are resumed.
///
/// Locks are POSIX record locks over the whole file, what Java's FileChannel.lock takes. They belong to the
/// process, so a second lock on the same file inside this process is refused by a table here. The kernel
/// drops them when *any* descriptor of that file is closed in this process: do not open a locked file.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include "io/disk.h"

namespace milena::io {

class PosixDisk final : public Disk {
 public:
  PosixDisk();
  IoResult<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  IoResult<FileInfo> stat(const std::string& path) override;
  IoResult<std::vector<DirectoryEntry>> list(const std::string& path) override;
  IoResult<void> create_directories(const std::string& path) override;
  IoResult<void> rename(const std::string& from, const std::string& to) override;
  IoResult<void> remove_file(const std::string& path) override;
  IoResult<void> remove_directory(const std::string& path) override;
  IoResult<void> sync_directory(const std::string& path) override;
  IoResult<void> sync_all(const std::string& path) override;
  IoResult<DiskIdentity> identity(const std::string& path) override;
  IoResult<DiskSpace> space(const std::string& path) override;
  IoResult<std::string> absolute(const std::string& path) override;
  IoResult<std::unique_ptr<FileLock>> lock(const std::string& path) override;

  using FileId = std::pair<std::uint64_t, std::uint64_t>;  // device, inode
  struct LockTable {
    std::mutex mutex;
    std::set<FileId> held;
  };

 private:
  std::shared_ptr<LockTable> locks_;
};

}  // namespace milena::io
