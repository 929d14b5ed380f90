/// World: the simulated world of one run: a broker node, a client node with its actors, and the steps that
/// the nemesis and the end of the run are made of. After each restart everything is read back and judged.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client_side.h"
#include "history.h"
#include "io/sim/sim_world.h"

namespace milena::sim {

class World {
 public:
  World(std::uint64_t seed, bool verbose, const std::string& mutant);
  ~World();

  io::SimWorld sim;
  History history;
  io::SimNode* broker = nullptr;
  io::SimNode* client = nullptr;
  std::unique_ptr<Clients> clients;
  std::vector<std::string> groups;
  std::vector<std::string> directories;  // log.dirs; the first holds the metadata log
  bool at_rest = false;  // nothing was written for a while: retention must have done its work

  bool failed() const { return !history.violations().empty(); }
  bool ready() const;
  void say(const std::string& what) const;
  bool verbose() const { return verbose_; }

  /// Kills the broker's process (if one runs), with the page cache or without, and checks that the metadata
  /// log alone gives the image that was served.
  void crash(io::SimCrash how);
  /// All files under the broker's log directories. REQUIRES: the broker is down.
  std::vector<std::string> files() const;
  /// The page cache is, or may be, lost in part.
  void lose_cache();
  /// Starts the broker and waits until it serves. REQUIRES: no disk fault is on. False: a violation.
  bool bring_up();
  /// Reads all records, topics and committed offsets while the clients keep still, and judges them.
  void read_back();
  /// bring_up() and read_back(), with the clients waiting until both are done.
  void recover();
  /// The end: heal, let the clients finish, stop cleanly, start again; what was there must be there, and the
  /// state of the groups must be that of before.
  void finish();

 private:
  void check_replay(const std::shared_ptr<const image::Image>& live);
  std::vector<std::string> dump_groups() const;
  bool groups_loaded() const;
  /// At rest: no log is on its way to another directory.
  void check_moves_ended();

  /// What an operator does about a log that the broker refuses to open after a power loss: the unsynced
  /// writes were kept in part, a later one without an earlier one. Cuts the log where the message says.
  /// False: `message` is not about that.
  bool cut_refused_log(const std::string& message);
  /// The same for the partitions that the running broker does not serve; it is down then. False: there are
  /// none.
  bool cut_refused_partitions();

  bool verbose_;
  std::string last_words_;            // of a broker that gave up
  bool cache_lost_ = false;           // since the last time that the broker came up
  std::size_t log_lines_before_ = 0;  // when the broker was started
};

}  // namespace milena::sim
