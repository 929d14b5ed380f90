/// SimWorld: whole nodes in one thread, from one 64-bit seed. Virtual time, a network and disks with faults,
/// processes that crash, pause and come back, clocks that drift and jump. The same seed gives the same run:
/// compare trace_hash().
///
///   SimWorld world(seed);
///   SimNode& broker = world.add_node({.name = "broker-1", .program = start_broker});
///   SimNode& client = world.add_node({.name = "client"});
///   client.spawn(produce_some(&client.runtime().control_loop(), "broker-1"));
///   world.at(world.now() + 3s, [&] { world.crash(broker, SimCrash::kPowerLoss); });
///   bool done = world.run_until([&] { return finished; }, 60s);
///
/// What the tests do with a node from outside (spawn, crash, faults) happens between events. crash() and
/// restart() called inside an event (from a task, or from a program that dies on a disk call) take effect when
/// that event has ended.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "io/sim/sim_core.h"
#include "io/sim/sim_net.h"
#include "io/sim/sim_node.h"

namespace milena::io {

enum class SimCrash : std::uint8_t {
  kKill,       // kill -9: the page cache stays, the kernel closes the sockets
  kPowerLoss,  // unsynced data is lost in part, peers hear nothing
};

struct SimOptions {
  SimNetOptions net;
  Level log_level = Level::kInfo;
  bool log_to_stderr = false;
};

class SimWorld final {
 public:
  explicit SimWorld(std::uint64_t seed, SimOptions options = {});
  ~SimWorld();
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  /// A node, running.
  SimNode& add_node(SimNodeOptions options);
  SimNode& node(std::size_t index) { return *nodes_.at(index); }
  std::size_t nodes() const { return nodes_.size(); }
  SimNet& net() { return net_; }

  Instant now() const { return core_.now(); }
  /// Runs events until the predicate holds, looked at after each event. False: `limit` of virtual time passed.
  bool run_until(const std::function<bool()>& done, Duration limit);
  void run_for(Duration duration);
  /// Runs `action` at that time, between events.
  void at(Instant when, SimCore::Action action) { core_.at(when, SimCore::kWorld, std::move(action)); }

  /// Kills the process if one runs. A node that died on a disk call is dead already and stays so until restart.
  void crash(SimNode& node, SimCrash how);
  /// Starts a new process of the node's program if none runs.
  void restart(SimNode& node);
  /// No loop of the node runs for `duration`, as after SIGSTOP; the network and the pool go on.
  void pause(SimNode& node, Duration duration);

  /// Independent random numbers for a subsystem of the test.
  Random stream(std::string_view subsystem) const { return core_.stream(subsystem); }
  std::uint64_t seed() const { return core_.seed(); }
  std::uint64_t trace_hash() const { return core_.trace_hash(); }
  std::uint64_t events() const { return core_.events(); }
  /// How often each fault and rare path was met; programs and tests may add their own.
  void mark(std::string_view name) { core_.mark(name); }
  const std::map<std::string, std::uint64_t, std::less<>>& marks() const { return core_.marks(); }
  std::uint64_t mark_count(std::string_view name) const { return core_.mark_count(name); }
  const std::deque<std::string>& log_lines() const { return core_.log_lines(); }

 private:
  bool step(Instant limit);
  void settle();
  void crash_now(SimNode& node, SimCrash how);

  SimCore core_;
  SimNet net_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  bool inside_event_ = false;
  std::vector<SimCore::Action> deferred_;
};

}  // namespace milena::io
