#include "io/sim/sim_disk.h"

#include <cerrno>

#include "base/crc32c.h"
#include "io/sim/sim_file.h"

namespace milena::io {

class SimFileLock final : public FileLock {
 public:
  SimFileLock(SimDisk& disk, std::uint64_t inode) : disk_(disk), inode_(inode), process_(disk.process_) {}
  ~SimFileLock() override {
    if (process_ == disk_.process_) disk_.locked_.erase(inode_);
  }

 private:
  SimDisk& disk_;
  std::uint64_t inode_;
  std::uint64_t process_;
};

namespace {

std::uint64_t hash_of(const std::string& path) { return crc32c(as_bytes(path)); }

// The names on a path; "." and empty ones left out, ".." applied by its text.
std::vector<std::string> names_of(const std::string& path) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at < path.size();) {
    std::size_t slash = std::min(path.find('/', at), path.size());
    std::string name = path.substr(at, slash - at);
    at = slash + 1;
    if (name.empty() || name == ".") continue;
    if (name != "..") {
      names.push_back(std::move(name));
    } else if (!names.empty()) {
      names.pop_back();
    }
  }
  return names;
}

std::uint64_t bytes_below(const SimInode& inode) {
  std::uint64_t total = inode.content.size();
  for (auto& [name, child] : inode.entries) total += bytes_below(*child);
  return total;
}

}  // namespace

SimDisk::SimDisk(SimCore& core, std::uint64_t node, std::function<std::int64_t()> wall_ns,
                 std::function<void()> die)
    : core_(core),
      random_(core.stream("disk", node)),
      node_(node),
      wall_ns_(std::move(wall_ns)),
      die_(std::move(die)),
      root_(std::make_shared<SimInode>(1, true)) {
  root_->links = 1;
}

SimDisk::~SimDisk() = default;

IoResult<void> SimDisk::begin(Call call, std::uint64_t subject, std::uint64_t detail) {
  if (dead_) return Err(errno_error(EIO, "disk of a dead process"));
  ++calls_;
  core_.trace((node_ << 56) ^ (static_cast<std::uint64_t>(call) << 48) ^ subject);
  core_.trace(detail);
  if (crash_at_ != 0 && calls_ >= crash_at_) {
    crash_at_ = 0;
    dead_ = true;
    core_.mark("disk.crash_at_call");
    die_();
    return Err(errno_error(EIO, "disk of a dying process"));
  }
  return {};
}

SimDisk::Spot SimDisk::find(const std::string& path) const {
  Spot spot{nullptr, "", root_};
  auto names = names_of(path);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (spot.inode == nullptr || !spot.inode->is_directory) return {nullptr, names.back(), nullptr};
    auto found = spot.inode->entries.find(names[i]);
    spot.parent = spot.inode;
    spot.name = names[i];
    spot.inode = found == spot.parent->entries.end() ? nullptr : found->second;
  }
  return spot;
}

IoResult<SimInodePtr> SimDisk::find_existing(const std::string& path, const char* operation) const {
  Spot spot = find(path);
  if (spot.inode == nullptr) return Err(errno_error(ENOENT, std::string(operation) + " " + path));
  return spot.inode;
}

SimInodePtr SimDisk::make(const Spot& at, bool directory) {
  auto inode = std::make_shared<SimInode>(++last_inode_, directory);
  inode->links = 1;
  inode->mtime_ns = wall_ns_();
  at.parent->change({"", at.name, inode});
  return inode;
}

void SimDisk::charge(SimInode& inode, std::uint64_t before) {
  used_ += inode.content.size();
  used_ -= before;
}

void SimDisk::unlink(SimInode& inode) {
  --inode.links;
  release(inode);
}

// The space of a file is free when neither a name nor a handle is left.
void SimDisk::release(SimInode& inode) {
  if (inode.links == 0 && inode.handles == 0) used_ -= inode.content.size();
}

bool SimDisk::no_room(bool missing) {
  std::uint64_t number = room_calls_++;
  if (!missing && number - no_room_first_ >= no_room_count_) return false;
  core_.mark("disk.full");
  return true;
}

IoResult<void> SimDisk::room_for_name(const std::string& what) {
  bool full = used_ >= faults_.capacity && chance(faults_.full_name_one_in);
  if (!no_room(full)) return {};
  core_.mark("disk.full_name");
  return Err(errno_error(ENOSPC, what));
}

IoResult<void> SimDisk::reach(const std::string& path) {
  if (faults_.broken.empty() || !path.starts_with(faults_.broken)) return {};
  core_.mark("disk.broken");
  return Err(errno_error(EIO, path));
}

bool SimDisk::sync_fails(const std::string& path) {
  bool named = !fail_sync_.empty() && path.find(fail_sync_) != std::string::npos;
  if (named) fail_sync_.clear();
  if (!named && !chance(faults_.sync_error_one_in)) return false;
  core_.mark("disk.sync_failed");
  return true;
}

IoResult<std::unique_ptr<File>> SimDisk::open(const std::string& path, OpenMode mode) {
  TRY(begin(Call::kOpen, hash_of(path), static_cast<std::uint64_t>(mode)));
  TRY(reach(path));
  Spot spot = find(path);
  bool creates = mode == OpenMode::kCreate || mode == OpenMode::kCreateNew;
  if (spot.inode == nullptr) {
    if (!creates || spot.parent == nullptr) return Err(errno_error(ENOENT, "open " + path));
    TRY(room_for_name("open " + path));
    spot.inode = make(spot, false);
  } else if (mode == OpenMode::kCreateNew) {
    return Err(errno_error(EEXIST, "open " + path));
  }
  if (spot.inode->is_directory) return Err(errno_error(EISDIR, "open " + path));
  return std::make_unique<SimFile>(*this, spot.inode, path, mode != OpenMode::kRead);
}

IoResult<FileInfo> SimDisk::stat(const std::string& path) {
  TRY(begin(Call::kStat, hash_of(path)));
  TRY(reach(path));
  TRY_ASSIGN(auto inode, find_existing(path, "stat"));
  return FileInfo{inode->is_directory, inode->content.size(), inode->id, inode->mtime_ns};
}

IoResult<std::vector<DirectoryEntry>> SimDisk::list(const std::string& path) {
  TRY(begin(Call::kList, hash_of(path)));
  TRY(reach(path));
  TRY_ASSIGN(auto inode, find_existing(path, "list"));
  if (!inode->is_directory) return Err(errno_error(ENOTDIR, "list " + path));
  std::vector<DirectoryEntry> entries;
  for (auto& [name, child] : inode->entries) entries.push_back({name, child->is_directory});
  return entries;
}

IoResult<void> SimDisk::create_directories(const std::string& path) {
  std::string prefix = path.starts_with('/') ? "" : ".";
  for (const std::string& name : names_of(path)) {
    prefix += "/" + name;
    TRY(begin(Call::kMakeDirectory, hash_of(prefix)));
    TRY(reach(prefix));
    Spot spot = find(prefix);
    if (spot.inode == nullptr) {
      TRY(room_for_name("mkdir " + prefix));
      make(spot, true);
    } else if (!spot.inode->is_directory) {
      return Err(errno_error(EEXIST, "mkdir " + prefix));
    }
  }
  return {};
}

IoResult<void> SimDisk::rename(const std::string& from, const std::string& to) {
  TRY(begin(Call::kRename, hash_of(from), hash_of(to)));
  TRY(reach(from));
  TRY(reach(to));
  std::string what = "rename " + from + " to " + to;
  Spot source = find(from);
  Spot target = find(to);
  if (source.inode == nullptr || target.parent == nullptr) return Err(errno_error(ENOENT, what));
  if (source.parent == nullptr) return Err(errno_error(EINVAL, what));
  if (source.inode == target.inode) return {};
  if (target.inode == nullptr) TRY(room_for_name(what));
  if (target.inode != nullptr) {
    if (target.inode->is_directory && !source.inode->is_directory) return Err(errno_error(EISDIR, what));
    if (source.inode->is_directory && !target.inode->is_directory) return Err(errno_error(ENOTDIR, what));
    if (!target.inode->entries.empty()) return Err(errno_error(ENOTEMPTY, what));
    unlink(*target.inode);
  }
  if (source.parent == target.parent) {
    source.parent->change({source.name, target.name, source.inode});
  } else {
    target.parent->change({"", target.name, source.inode});
    source.parent->change({source.name, "", nullptr});
    target.parent->sync_directory();
    source.parent->sync_directory();
  }
  return {};
}

IoResult<void> SimDisk::remove_file(const std::string& path) {
  TRY(begin(Call::kRemove, hash_of(path)));
  TRY(reach(path));
  Spot spot = find(path);
  if (spot.inode == nullptr) return Err(errno_error(ENOENT, "remove " + path));
  if (spot.inode->is_directory) return Err(errno_error(EISDIR, "remove " + path));
  spot.parent->change({spot.name, "", nullptr});
  unlink(*spot.inode);
  return {};
}

IoResult<void> SimDisk::remove_directory(const std::string& path) {
  TRY(begin(Call::kRemove, hash_of(path)));
  TRY(reach(path));
  Spot spot = find(path);
  if (spot.inode == nullptr) return Err(errno_error(ENOENT, "remove directory " + path));
  if (!spot.inode->is_directory) return Err(errno_error(ENOTDIR, "remove directory " + path));
  if (!spot.inode->entries.empty()) return Err(errno_error(ENOTEMPTY, "remove directory " + path));
  if (spot.parent == nullptr) return Err(errno_error(EINVAL, "remove directory " + path));
  spot.parent->change({spot.name, "", nullptr});
  unlink(*spot.inode);
  return {};
}

IoResult<void> SimDisk::sync_directory(const std::string& path) {
  TRY(begin(Call::kSyncDirectory, hash_of(path)));
  TRY(reach(path));
  TRY_ASSIGN(auto inode, find_existing(path, "fsync directory"));
  if (!inode->is_directory) return Err(errno_error(ENOTDIR, "fsync directory " + path));
  if (sync_fails(path)) return Err(sync_error(sync_errno(), "fsync directory " + path));
  inode->sync_directory();
  return {};
}

IoResult<void> SimDisk::sync_all(const std::string& path) {
  TRY(begin(Call::kSyncAll, hash_of(path)));
  TRY_ASSIGN(auto inode, find_existing(path, "syncfs"));
  if (sync_fails(path)) {
    inode->sync_all(true);
    return Err(sync_error(sync_errno(), "syncfs " + path));
  }
  if (!faults_.sync_lies) root_->sync_all(false);
  return {};
}

IoResult<DiskIdentity> SimDisk::identity(const std::string& path) {
  TRY(begin(Call::kSpace, hash_of(path)));
  TRY(find_existing(path, "identity"));
  return DiskIdentity{std::to_string(boots_), node_};
}

IoResult<DiskSpace> SimDisk::space(const std::string& path) {
  TRY(begin(Call::kSpace, hash_of(path)));
  TRY(reach(path));
  TRY(find_existing(path, "space"));
  std::uint64_t total = faults_.capacity;
  return DiskSpace{total, total > used_ ? total - used_ : 0};
}

IoResult<std::string> SimDisk::absolute(const std::string& path) {
  return path.starts_with('/') ? path : "/" + path;
}

IoResult<std::unique_ptr<FileLock>> SimDisk::lock(const std::string& path) {
  TRY(begin(Call::kLock, hash_of(path)));
  TRY(reach(path));
  Spot spot = find(path);
  if (spot.inode == nullptr) {
    if (spot.parent == nullptr) return Err(errno_error(ENOENT, "lock " + path));
    TRY(room_for_name("lock " + path));
    spot.inode = make(spot, false);
  }
  if (!locked_.insert(spot.inode->id).second) {
    return Err(IoError{ErrorKind::kLocked, 0, "lock " + path + ": held already"});
  }
  return std::make_unique<SimFileLock>(*this, spot.inode->id);
}

bool SimDisk::rot(const std::string& path) {
  Spot spot = find(path);
  if (spot.inode == nullptr || spot.inode->content.empty()) return false;
  core_.mark("disk.rot");
  std::uint64_t at = random_.below(spot.inode->content.size());
  unsigned flip = 1U << random_.below(8);
  auto flipped = [flip](char byte) { return static_cast<char>(static_cast<unsigned char>(byte) ^ flip); };
  spot.inode->content[at] = flipped(spot.inode->content[at]);
  if (at < spot.inode->durable.size()) spot.inode->durable[at] = flipped(spot.inode->durable[at]);
  return true;
}

void SimDisk::kill() {
  dead_ = true;
  ++process_;
  handles_ = 0;
  crash_at_ = 0;
  locked_.clear();
  auto close_all = [](auto&& self, SimInode& inode) -> void {
    inode.handles = 0;
    for (auto& [name, child] : inode.entries) self(self, *child);
  };
  close_all(close_all, *root_);
  used_ = bytes_below(*root_);
}

void SimDisk::lose_power() {
  kill();
  ++boots_;
  root_->lose_power(random_, core_);
  root_->links = 1;
  used_ = bytes_below(*root_);
}

}  // namespace milena::io
