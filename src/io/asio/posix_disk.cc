#include "io/asio/posix_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "io/asio/port_holder.h"
#include "io/cached_file.h"

namespace milena::io {
namespace {

constexpr std::size_t kMaxPieces = 1024;  // IOV_MAX

// Repeats a call that a signal interrupted.
template <class Call>
auto retry(Call call) {
  while (true) {
    auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// cachestat(2), since Linux 6.5; its number is the same wherever Milena runs. Older kernels say ENOSYS.
constexpr long kCacheStat = 451;
constexpr std::uint64_t kPageBytes = 4096;

class PosixFile final : public CachedFile {
 public:
  PosixFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  IoResult<std::size_t> read_at(std::uint64_t offset, MutableByteView into) override {
    std::size_t done = 0;
    while (done < into.size()) {
      ssize_t got = retry([&] {
        return ::pread(fd_.get(), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
      });
      if (got < 0) return Err(errno_error(errno, "read " + path_));
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  IoResult<std::size_t> read_cached(std::uint64_t offset, MutableByteView into) override {
    std::size_t done = 0;
    while (done < into.size()) {
      iovec piece{into.data() + done, into.size() - done};
      ssize_t got =
          retry([&] { return ::preadv2(fd_.get(), &piece, 1, static_cast<off_t>(offset + done), RWF_NOWAIT); });
      if (got < 0) {
        // A file system without RWF_NOWAIT (overlayfs, some FUSE) is read as it is.
        if (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL) return read_at(offset, into);
        return Err(errno_error(errno, "read " + path_));
      }
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  bool is_cached(std::uint64_t offset, std::uint64_t count) override {
    struct Range {
      std::uint64_t offset, count;
    } range{offset, count};
    struct Pages {
      std::uint64_t cached, dirty, writeback, evicted, recently_evicted;
    } pages{};
    if (count == 0 || ::syscall(kCacheStat, fd_.get(), &range, &pages, 0) != 0) return false;
    return pages.cached > (offset + count - 1) / kPageBytes - offset / kPageBytes;
  }

  IoResult<void> write_at(std::uint64_t offset, std::span<const ByteView> pieces) override {
    iovec vector[kMaxPieces];
    std::size_t next = 0;    // the first piece that is not written completely
    std::size_t within = 0;  // bytes of it that are
    while (true) {
      std::size_t count = 0;
      for (std::size_t i = next; i < pieces.size() && count < kMaxPieces; ++i) {
        std::size_t skip = i == next ? within : 0;
        if (pieces[i].size() == skip) continue;
        vector[count++] = {const_cast<std::uint8_t*>(pieces[i].data()) + skip, pieces[i].size() - skip};
      }
      if (count == 0) return {};
      ssize_t put = retry(
          [&] { return ::pwritev(fd_.get(), vector, static_cast<int>(count), static_cast<off_t>(offset)); });
      if (put < 0) return Err(errno_error(errno, "write " + path_));
      offset += static_cast<std::uint64_t>(put);
      auto left = static_cast<std::size_t>(put);
      while (next < pieces.size() && left >= pieces[next].size() - within) {
        left -= pieces[next].size() - within;
        within = 0;
        ++next;
      }
      within += left;
    }
  }

  IoResult<void> truncate(std::uint64_t size) override {
    if (retry([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size)); }) < 0) {
      return Err(errno_error(errno, "truncate " + path_));
    }
    return {};
  }

  IoResult<void> sync() override {
    if (retry([&] { return ::fdatasync(fd_.get()); }) < 0) return Err(sync_error(errno, "fsync " + path_));
    return {};
  }

  IoResult<std::uint64_t> size() override {
    struct stat info {};
    if (::fstat(fd_.get(), &info) < 0) return Err(errno_error(errno, "stat " + path_));
    return static_cast<std::uint64_t>(info.st_size);
  }

  int descriptor() const override { return fd_.get(); }

 private:
  Descriptor fd_;
  std::string path_;
};

class PosixLock final : public FileLock {
 public:
  PosixLock(int fd, std::shared_ptr<PosixDisk::LockTable> table, PosixDisk::FileId id)
      : fd_(fd), table_(std::move(table)), id_(id) {}
  ~PosixLock() override {
    std::lock_guard lock(table_->mutex);
    ::close(fd_);
    table_->held.erase(id_);
  }

 private:
  int fd_;
  std::shared_ptr<PosixDisk::LockTable> table_;
  PosixDisk::FileId id_;
};

IoResult<void> check(int result, const char* operation, const std::string& path) {
  if (result == 0) return {};
  return Err(errno_error(errno, std::string(operation) + " " + path));
}

IoResult<void> make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) == 0) return {};
  int error = errno;
  struct stat info {};
  if (error == EEXIST && ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
  return Err(errno_error(error, "mkdir " + path));
}

}  // namespace

PosixDisk::PosixDisk() {
  static const auto process_wide = std::make_shared<LockTable>();
  locks_ = process_wide;
}

IoResult<std::unique_ptr<File>> PosixDisk::open(const std::string& path, OpenMode mode) {
  int flags = O_CLOEXEC;
  switch (mode) {
    case OpenMode::kRead: flags |= O_RDONLY; break;
    case OpenMode::kWrite: flags |= O_RDWR; break;
    case OpenMode::kCreate: flags |= O_RDWR | O_CREAT; break;
    case OpenMode::kCreateNew: flags |= O_RDWR | O_CREAT | O_EXCL; break;
  }
  int fd = retry([&] { return ::open(path.c_str(), flags, 0644); });
  if (fd < 0) return Err(errno_error(errno, "open " + path));
  struct stat info {};
  if (::fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) {
    ::close(fd);
    return Err(errno_error(EISDIR, "open " + path));
  }
  return std::make_unique<PosixFile>(fd, path);
}

IoResult<FileInfo> PosixDisk::stat(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) < 0) return Err(errno_error(errno, "stat " + path));
  return FileInfo{S_ISDIR(info.st_mode), static_cast<std::uint64_t>(info.st_size), info.st_ino,
                  static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1'000'000'000 + info.st_mtim.tv_nsec};
}

IoResult<std::vector<DirectoryEntry>> PosixDisk::list(const std::string& path) {
  DIR* folder = ::opendir(path.c_str());
  if (folder == nullptr) return Err(errno_error(errno, "list " + path));
  std::vector<DirectoryEntry> entries;
  errno = 0;
  // NOLINTNEXTLINE(concurrency-mt-unsafe) each call has a stream of its own
  while (dirent* entry = ::readdir(folder)) {
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    bool is_directory = entry->d_type == DT_DIR;
    if (entry->d_type == DT_UNKNOWN || entry->d_type == DT_LNK) {
      struct stat info {};
      std::string inside = path;
      inside.append("/").append(name);
      is_directory = ::stat(inside.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
    }
    entries.push_back({std::move(name), is_directory});
    errno = 0;
  }
  int error = errno;
  ::closedir(folder);
  if (error != 0) return Err(errno_error(error, "list " + path));
  std::sort(entries.begin(), entries.end(),
            [](const DirectoryEntry& a, const DirectoryEntry& b) { return a.name < b.name; });
  return entries;
}

IoResult<void> PosixDisk::create_directories(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    TRY(make_directory(path.substr(0, slash)));
  }
  return make_directory(path);
}

IoResult<void> PosixDisk::rename(const std::string& from, const std::string& to) {
  return check(::rename(from.c_str(), to.c_str()), "rename", from + " to " + to);
}

IoResult<void> PosixDisk::remove_file(const std::string& path) {
  return check(::unlink(path.c_str()), "remove", path);
}

IoResult<void> PosixDisk::remove_directory(const std::string& path) {
  return check(::rmdir(path.c_str()), "remove directory", path);
}

IoResult<void> PosixDisk::sync_directory(const std::string& path) {
  Descriptor folder(retry([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (folder.get() < 0) return Err(errno_error(errno, "open directory " + path));
  if (retry([&] { return ::fsync(folder.get()); }) < 0) return Err(sync_error(errno, "fsync directory " + path));
  return {};
}

IoResult<void> PosixDisk::sync_all(const std::string& path) {
  Descriptor folder(retry([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
  if (folder.get() < 0) return Err(errno_error(errno, "open " + path));
  if (retry([&] { return ::syncfs(folder.get()); }) < 0) return Err(sync_error(errno, "syncfs " + path));
  return {};
}

// The kernel makes what it holds when it is read, and tells no size.
static IoResult<std::string> read_boot_id() {
  const std::string path = "/proc/sys/kernel/random/boot_id";
  Descriptor file(retry([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
  if (file.get() < 0) return Err(errno_error(errno, "open " + path));
  std::string id(64, '\0');
  ssize_t size = retry([&] { return ::read(file.get(), id.data(), id.size()); });
  if (size < 0) return Err(errno_error(errno, "read " + path));
  id.resize(static_cast<std::size_t>(size));
  return id;
}

IoResult<DiskIdentity> PosixDisk::identity(const std::string& path) {
  struct statvfs info {};
  if (retry([&] { return ::statvfs(path.c_str(), &info); }) < 0) return Err(errno_error(errno, "statvfs " + path));
  TRY_ASSIGN(std::string boot, read_boot_id());
  return DiskIdentity{std::move(boot), static_cast<std::uint64_t>(info.f_fsid)};
}

IoResult<DiskSpace> PosixDisk::space(const std::string& path) {
  struct statvfs info {};
  if (retry([&] { return ::statvfs(path.c_str(), &info); }) < 0) return Err(errno_error(errno, "statvfs " + path));
  return DiskSpace{static_cast<std::uint64_t>(info.f_blocks) * info.f_frsize,
                   static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize};
}

IoResult<std::string> PosixDisk::absolute(const std::string& path) {
  if (path.starts_with('/')) return path;
  std::string folder(256, '\0');
  while (::getcwd(folder.data(), folder.size()) == nullptr) {
    if (errno != ERANGE) return Err(errno_error(errno, "the working directory"));
    folder.resize(folder.size() * 2);
  }
  folder.resize(folder.find('\0'));
  return folder == "/" ? folder + path : folder + "/" + path;
}

IoResult<std::unique_ptr<FileLock>> PosixDisk::lock(const std::string& path) {
  IoError locked{ErrorKind::kLocked, 0, "lock " + path + ": held by another process or holder"};
  std::lock_guard guard(locks_->mutex);
  struct stat info {};
  // Looked up before the file is opened: closing a second descriptor would drop the first one's lock.
  if (::stat(path.c_str(), &info) == 0 && locks_->held.contains({info.st_dev, info.st_ino})) return Err(locked);
  int fd = retry([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644); });
  if (fd < 0) return Err(errno_error(errno, "open " + path));
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (::fstat(fd, &info) < 0 || retry([&] { return ::fcntl(fd, F_SETLK, &whole); }) < 0) {
    int error = errno;
    bool held = error == EACCES || error == EAGAIN;
    if (held && ::fcntl(fd, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK && whole.l_pid > 0) {
      std::string name = process_name(whole.l_pid);
      locked.what = "lock " + path + ": held by " + (name.empty() ? "a process" : name) + " (pid " +
                    std::to_string(whole.l_pid) + ")";
    }
    ::close(fd);
    if (held) return Err(locked);
    return Err(errno_error(error, "lock " + path));
  }
  FileId id{info.st_dev, info.st_ino};
  locks_->held.insert(id);
  return std::make_unique<PosixLock>(fd, locks_, id);
}

}  // namespace milena::io
