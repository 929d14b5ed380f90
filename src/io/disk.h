/// Disk and File: the only door to files. Calls are synchronous: they do their work before they return.
///
/// Writes land in the page cache and are cheap; a loop makes them inline. What may wait for the device
/// (sync, a cold read, removing trees, recovery) is handed to the pool by its caller:
/// `co_await offload(loop, [file] { return file->sync(); })`. All calls may be made from any thread; two
/// writes to one file at once are the caller's to keep apart. Decision: docs/decisions/0003-synchronous-disk.md.
///
/// What survives a power loss is what was synced: a file's bytes and size after File::sync, a name (created,
/// renamed, removed) after sync_directory on its directory. A process kill loses nothing that was written.
/// In the simulator all of this is enforced; a crashed node's calls fail with kIo and change nothing.
///
/// A full disk is kNoSpace, of calls that write or make a name, and of nothing else: the caller takes back what
/// it began and may try again when there is room. A failed sync is never kNoSpace.
///
/// Paths are UTF-8, relative ones taken from the process' working directory.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "io/error.h"

namespace milena::io {

class File {
 public:
  virtual ~File() = default;
  /// Reads up to into.size() bytes at `offset`; fewer only at the end of the file (0: at or past it).
  virtual IoResult<std::size_t> read_at(std::uint64_t offset, MutableByteView into) = 0;
  /// As read_at, but fails with kWouldBlock rather than wait for the device.
  virtual IoResult<std::size_t> read_cached(std::uint64_t offset, MutableByteView into) = 0;
  /// Writes all pieces, one after the other, at `offset`, extending the file. After an error any prefix may
  /// have been written; the caller truncates.
  virtual IoResult<void> write_at(std::uint64_t offset, std::span<const ByteView> pieces) = 0;
  virtual IoResult<void> truncate(std::uint64_t size) = 0;
  /// Makes all written bytes and the size durable (fdatasync). After a failure the written data may be gone
  /// and a second try may lie: never retry.
  virtual IoResult<void> sync() = 0;
  virtual IoResult<std::uint64_t> size() = 0;
  /// The descriptor, for Stream::send_file of the same world; -1 where there is none.
  virtual int descriptor() const { return -1; }

  IoResult<void> write_at(std::uint64_t offset, ByteView bytes) { return write_at(offset, std::span(&bytes, 1)); }
  /// Reads exactly into.size() bytes. Errors: kIo with "unexpected end of file" besides read_at's.
  IoResult<void> read_exactly(std::uint64_t offset, MutableByteView into);
};

struct FileInfo {
  bool is_directory = false;
  std::uint64_t size = 0;   // bytes
  std::uint64_t inode = 0;
  std::int64_t mtime_ns = 0;
};

struct DirectoryEntry {
  std::string name;
  bool is_directory = false;
};

/// Of the file system that a path lies on, in bytes.
struct DiskSpace {
  std::uint64_t total = 0;
  std::uint64_t usable = 0;  // free, and not kept for the superuser
};

/// What tells whether the page cache of an earlier process may still be in force, and whether a volume is the same.
struct DiskIdentity {
  std::string boot;  // of the machine: another one after each start of the kernel
  std::uint64_t file_system = 0;
  bool operator==(const DiskIdentity&) const = default;
};

/// Held for the life of the object; released by the kernel when the process dies.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class OpenMode : std::uint8_t {
  kRead,
  kWrite,      // read and write, must exist
  kCreate,     // read and write, created when missing
  kCreateNew,  // read and write, must not exist
};

class Disk {
 public:
  virtual ~Disk() = default;
  virtual IoResult<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual IoResult<FileInfo> stat(const std::string& path) = 0;
  /// Entries without "." and "..", sorted by name.
  virtual IoResult<std::vector<DirectoryEntry>> list(const std::string& path) = 0;
  /// Creates the directory and its missing parents; one that is there already is fine.
  virtual IoResult<void> create_directories(const std::string& path) = 0;
  /// Replaces an existing target file atomically.
  virtual IoResult<void> rename(const std::string& from, const std::string& to) = 0;
  virtual IoResult<void> remove_file(const std::string& path) = 0;
  /// Removes an empty directory.
  virtual IoResult<void> remove_directory(const std::string& path) = 0;
  virtual IoResult<void> sync_directory(const std::string& path) = 0;
  /// Makes all that was written to the file system of `path` durable, names too: one call in place of thousands.
  /// After a failure as after that of File::sync.
  virtual IoResult<void> sync_all(const std::string& path) = 0;
  /// Of the machine and of the file system that `path`, which exists, lies on.
  virtual IoResult<DiskIdentity> identity(const std::string& path) = 0;
  /// The space where `path`, which exists, lies.
  virtual IoResult<DiskSpace> space(const std::string& path) = 0;
  /// The path from the root on, otherwise as it stands; there need be nothing at it.
  virtual IoResult<std::string> absolute(const std::string& path) = 0;
  /// Creates the file when missing and takes an exclusive lock that other processes see (Java's
  /// FileChannel.lock included). Errors: kLocked.
  virtual IoResult<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;

  // Built on the above.
  bool exists(const std::string& path);
  /// The whole file. Errors: kInvalid when it is longer than `limit` bytes.
  IoResult<std::string> read_file(const std::string& path, std::uint64_t limit = 64 << 20);
  /// Replaces the file as one durable step: `path` + `unfinished`, sync, rename, sync of the directory. After
  /// kNoSpace the unfinished file is gone and the old one as it was.
  IoResult<void> write_file(const std::string& path, std::string_view content, std::string_view unfinished = ".tmp");
  /// Replaces the file's content in place, without any sync. After kNoSpace there is no such file.
  IoResult<void> write_unsynced(const std::string& path, std::string_view content);
  /// Removes a directory and all below it; one that is not there is fine.
  IoResult<void> remove_tree(const std::string& path);
};

/// The directory part of a path; "." when it has none.
std::string parent_path(const std::string& path);

}  // namespace milena::io
