/// SimDisk: the disk of one simulated node. It outlives the node's processes: a kill keeps all that was
/// written, a power loss what was synced and a random part of the rest (io/sim/sim_inode.h has the rules).
///
/// Simpler than the real thing, and kinder: a rename from one directory to another is durable at once, and a
/// sector is never half written. Every call is counted; crash_at_call names one that kills the process.
#pragma once

#include <cerrno>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <string>

#include "base/random.h"
#include "io/disk.h"
#include "io/sim/sim_core.h"
#include "io/sim/sim_inode.h"

namespace milena::io {

/// Odds are "once in n calls"; 0 is never.
struct SimDiskFaults {
  std::uint64_t capacity = std::numeric_limits<std::uint64_t>::max();  // bytes of all files
  std::uint64_t read_error_one_in = 0;
  std::uint64_t write_error_one_in = 0;  // a prefix of the write lands
  std::uint64_t sync_error_one_in = 0;   // the unsynced data is dropped, the next sync succeeds
  std::uint64_t full_name_one_in = 2;    // a disk that is full to the last byte takes no new name
  std::uint64_t cold_read_one_in = 16;   // File::read_cached says kWouldBlock
  std::string broken;                    // calls on paths that begin so fail with EIO; empty: none
  bool sync_lies = false;                // a file's sync says that it was done, and was not
  Duration slow{0};                      // work off the loop takes up to this much longer
};

class SimDisk final : public Disk {
 public:
  /// `wall_ns` gives the time for mtime; `die` is called when crash_at_call is reached.
  SimDisk(SimCore& core, std::uint64_t node, std::function<std::int64_t()> wall_ns, std::function<void()> die);
  ~SimDisk() override;

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

  // Faults and inspection, for the world and for tests.
  SimDiskFaults& faults() { return faults_; }
  /// The call with this number (see calls()) and all later ones fail without effect, and the process dies.
  void crash_at_call(std::uint64_t number) { crash_at_ = number; }
  std::uint64_t calls() const { return calls_; }
  /// Calls that needed room: that made a file longer, or a new name.
  std::uint64_t room_calls() const { return room_calls_; }
  /// Those with the numbers [first, first + count) find the disk full (see room_calls()).
  void no_room_at(std::uint64_t first, std::uint64_t count = 1) {
    no_room_first_ = first;
    no_room_count_ = count;
  }
  /// The next sync of a file or directory whose path contains `part` fails.
  void fail_next_sync(std::string part) { fail_sync_ = std::move(part); }
  /// Flips one random bit of the file, on the device too. False: no such file, or it is empty.
  bool rot(const std::string& path);
  std::uint64_t used() const { return used_; }
  std::size_t open_files() const { return handles_; }

  /// The process is gone: its handles and locks are dead, its calls fail.
  void kill();
  void lose_power();
  /// A new process may use the disk.
  void revive() { dead_ = false; }

 private:
  friend class SimFile;
  friend class SimFileLock;

  struct Spot {  // where a path leads
    SimInodePtr parent;
    std::string name;   // empty: the root itself
    SimInodePtr inode;  // null: no such name
  };
  enum class Call : std::uint8_t;

  // Counts the call; fails when the process is dead or dies now.
  IoResult<void> begin(Call call, std::uint64_t subject, std::uint64_t detail = 0);
  Spot find(const std::string& path) const;
  IoResult<SimInodePtr> find_existing(const std::string& path, const char* operation) const;
  SimInodePtr make(const Spot& at, bool directory);
  void unlink(SimInode& inode);
  void release(SimInode& inode);
  void charge(SimInode& inode, std::uint64_t before);
  // Of a call on that path: is the device below it broken?
  IoResult<void> reach(const std::string& path);
  bool sync_fails(const std::string& path);
  // Of a failed sync: a device reports a full disk there too.
  int sync_errno() { return random_.one_in(2) ? ENOSPC : EIO; }
  // Counts a call that needs room; is there none? `missing`: the capacity does not reach.
  bool no_room(bool missing);
  // For a new name.
  IoResult<void> room_for_name(const std::string& what);
  bool chance(std::uint64_t one_in) { return one_in > 0 && random_.one_in(one_in); }

  SimCore& core_;
  Random random_;
  std::uint64_t node_;
  std::function<std::int64_t()> wall_ns_;
  std::function<void()> die_;
  SimDiskFaults faults_;
  SimInodePtr root_;
  std::uint64_t last_inode_ = 1;
  std::uint64_t boots_ = 1;
  std::uint64_t used_ = 0;
  std::uint64_t calls_ = 0;
  std::uint64_t crash_at_ = 0;
  std::uint64_t room_calls_ = 0;
  std::uint64_t no_room_first_ = 0;
  std::uint64_t no_room_count_ = 0;
  std::uint64_t process_ = 1;  // handles of an earlier process are dead
  std::size_t handles_ = 0;
  bool dead_ = false;
  std::string fail_sync_;
  std::set<std::uint64_t> locked_;
};

}  // namespace milena::io
