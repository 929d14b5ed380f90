/// SimNode: one machine of the simulated world: its disk, clocks and address, and the process that runs on it,
/// if one does. Made by SimWorld::add_node.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/runtime.h"
#include "io/sim/sim_clock.h"
#include "io/sim/sim_disk.h"
#include "io/sim/sim_loop.h"
#include "io/sim/sim_net.h"

namespace milena::io {

/// Starts the program: called on the control loop of a fresh runtime. It spawns tasks, posts to the data loops,
/// and returns what owns the program's objects (null is fine). In a crash the tasks are destroyed first, then
/// callbacks on their way, then this owner, then the runtime.
using SimProgram = std::function<std::shared_ptr<void>(Runtime&)>;

struct SimNodeOptions {
  std::string name;            // for log lines, and a host name of the node; empty: "node-<index>"
  std::size_t data_loops = 0;  // 0: 1 to 3, drawn anew for each process
  SimProgram program;          // null: an empty process, given tasks by spawn()
  bool perfect_clock = false;  // else a drift of up to 100 ppm and a wall clock that is up to 500 ms off
};

class SimNode final {
 public:
  SimNode(SimCore& core, SimNet& net, std::uint64_t index, SimNodeOptions options);
  ~SimNode();
  SimNode(const SimNode&) = delete;
  SimNode& operator=(const SimNode&) = delete;

  std::uint64_t index() const { return index_; }
  const std::string& name() const { return options_.name; }
  std::string address() const { return SimNet::address_of(index_); }
  SimDisk& disk() { return disk_; }
  SimClock& clock() { return clock_; }
  bool running() const { return process_ != nullptr; }
  /// The process' loops. REQUIRES: running.
  Runtime& runtime();
  /// What the program returned; null when it is not running.
  std::shared_ptr<void> program() const { return program_; }
  /// Spawns a task on the control loop. REQUIRES: running.
  void spawn(Task<void> task);

 private:
  friend class SimWorld;
  class SimRuntime;

  void start();
  void crash(SimNet::Down how);
  void pause(Duration duration);

  SimCore& core_;
  SimNet& net_;
  std::uint64_t index_;
  SimNodeOptions options_;
  SimClock clock_;
  SimEntropy entropy_;
  SimLog log_;
  bool dying_ = false;  // a disk call asked for a crash
  SimDisk disk_;
  std::unique_ptr<SimProcess> process_;
  std::unique_ptr<SimRuntime> runtime_;
  std::shared_ptr<void> program_;
  std::uint64_t incarnation_ = 0;
};

}  // namespace milena::io
