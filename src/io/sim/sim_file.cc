#include "io/sim/sim_file.h"

#include <algorithm>
#include <cerrno>

#include "base/crc32c.h"

namespace milena::io {

SimFile::SimFile(SimDisk& disk, SimInodePtr inode, std::string path, bool writable)
    : disk_(disk), inode_(std::move(inode)), path_(std::move(path)), writable_(writable), process_(disk.process_) {
  ++inode_->handles;
  ++disk_.handles_;
}

SimFile::~SimFile() {
  if (process_ != disk_.process_) return;
  --inode_->handles;
  --disk_.handles_;
  disk_.release(*inode_);
}

IoError SimFile::error(int number, const char* operation) const {
  return errno_error(number, std::string(operation) + " " + path_);
}

IoResult<void> SimFile::begin(Call call, std::uint64_t detail) {
  if (process_ != disk_.process_) return Err(error(EIO, "dead handle of"));
  TRY(disk_.begin(call, inode_->id, detail));
  return disk_.reach(path_);
}

IoResult<std::size_t> SimFile::read_at(std::uint64_t offset, MutableByteView into) {
  TRY(begin(Call::kRead, offset));
  if (disk_.chance(disk_.faults_.read_error_one_in)) {
    disk_.core_.mark("disk.read_error");
    return Err(error(EIO, "read"));
  }
  if (offset >= inode_->content.size()) return std::size_t{0};
  return inode_->content.copy(reinterpret_cast<char*>(into.data()), into.size(), offset);
}

IoResult<std::size_t> SimFile::read_cached(std::uint64_t offset, MutableByteView into) {
  if (disk_.chance(disk_.faults_.cold_read_one_in)) {
    disk_.core_.mark("disk.cold_read");
    return Err(error(EAGAIN, "read"));
  }
  return read_at(offset, into);
}

bool SimFile::is_cached(std::uint64_t offset, std::uint64_t count) {
  if (disk_.chance(disk_.faults_.cold_read_one_in)) {
    disk_.core_.mark("disk.cold_read");
    return false;
  }
  return process_ == disk_.process_ && offset + count <= inode_->content.size();
}

IoResult<void> SimFile::write_at(std::uint64_t offset, std::span<const ByteView> pieces) {
  std::string bytes;
  for (ByteView piece : pieces) bytes.append(as_text(piece));
  TRY(begin(Call::kWrite, offset ^ (static_cast<std::uint64_t>(crc32c(as_bytes(bytes))) << 32)));
  if (!writable_) return Err(error(EBADF, "write"));
  std::uint64_t before = inode_->content.size();
  int failed = 0;
  std::string_view lands = bytes;
  if (disk_.chance(disk_.faults_.write_error_one_in)) {
    disk_.core_.mark("disk.write_error");
    failed = EIO;
    lands = lands.substr(0, disk_.random_.below(bytes.size() + 1));
  } else if (std::uint64_t end = offset + bytes.size(); end > before) {
    std::uint64_t room = disk_.faults_.capacity - std::min(disk_.faults_.capacity, disk_.used_);
    bool full = end - before > room;
    if (disk_.no_room(full)) {
      failed = ENOSPC;
      if (!full) room = disk_.random_.below(end - before);
      std::uint64_t reach = before + room;
      lands = lands.substr(0, reach > offset ? reach - offset : 0);
    }
  }
  inode_->write(offset, lands);
  inode_->mtime_ns = disk_.wall_ns_();
  disk_.charge(*inode_, before);
  if (failed != 0) return Err(error(failed, "write"));
  return {};
}

IoResult<void> SimFile::truncate(std::uint64_t size) {
  TRY(begin(Call::kTruncate, size));
  if (!writable_) return Err(error(EINVAL, "truncate"));
  std::uint64_t before = inode_->content.size();
  inode_->resize(size);
  inode_->mtime_ns = disk_.wall_ns_();
  disk_.charge(*inode_, before);
  return {};
}

IoResult<void> SimFile::sync() {
  TRY(begin(Call::kSync, inode_->content.size()));
  if (disk_.sync_fails(path_)) {
    inode_->drop_dirty();
    return Err(sync_error(disk_.sync_errno(), "fsync " + path_));
  }
  if (!disk_.faults_.sync_lies) inode_->sync();
  return {};
}

IoResult<std::uint64_t> SimFile::size() {
  TRY(begin(Call::kSize, 0));
  return inode_->content.size();
}

}  // namespace milena::io
