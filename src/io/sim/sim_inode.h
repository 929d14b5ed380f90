/// SimInode: a simulated file or directory, as the process sees it (the page cache) and as the device holds it.
/// Only for io/sim.
///
/// File: `content` is what reads give; `durable` what survives a power loss for sure. Writes since the last
/// sync are remembered as ranges; a power loss keeps each 512-byte sector of them or not, and the old size,
/// the new one or one between. Directory: changes since the last sync are a list, of which a power loss keeps
/// a random prefix.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "io/sim/sim_core.h"

namespace milena::io {

struct SimInode;
using SimInodePtr = std::shared_ptr<SimInode>;
using SimEntries = std::map<std::string, SimInodePtr>;

inline constexpr std::uint64_t kSimSector = 512;  // bytes: the device writes a sector wholly or not at all

struct SimInode {
  SimInode(std::uint64_t number, bool directory) : id(number), is_directory(directory) {}

  std::uint64_t id;
  bool is_directory;
  std::int64_t mtime_ns = 0;
  std::uint32_t links = 0;    // names in the current tree
  std::uint32_t handles = 0;  // open files

  // Files.
  std::string content;
  std::string durable;
  std::uint64_t shortest = 0;  // the smallest size since the last sync
  std::vector<std::pair<std::uint64_t, std::uint64_t>> dirty;  // [begin, end) written since

  void write(std::uint64_t offset, std::string_view bytes);
  void resize(std::uint64_t size);
  void sync();
  /// All below, names and files; `failed`: a failed sync of each file, and the names are as they were.
  void sync_all(bool failed);
  /// A failed sync: what was written since the last one is gone, though the size stays.
  void drop_dirty();

  // Directories.
  struct Change {
    std::string erased;  // empty: none
    std::string set;     // empty: none
    SimInodePtr inode;   // what `set` names
  };
  SimEntries entries;
  SimEntries durable_entries;
  std::vector<Change> changes;
  /// Applies a change to `entries` and remembers it.
  void change(Change change);
  void sync_directory();

  /// Becomes what the device holds after a power loss, this directory's reachable children included.
  void lose_power(Random& random, SimCore& core);

 private:
  void lose_file(Random& random, SimCore& core);
};

}  // namespace milena::io
