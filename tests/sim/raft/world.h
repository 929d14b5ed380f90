/// A simulated quorum: up to seven nodes of the shipped raft machine, their disks, clocks and network, from
/// one seed.
///
/// The world is the driver: it does what Effects say, in their order, with time and faults in between. Events
/// wait while a node writes its quorum-state; the log is synced beside it. Requests are lost, late, out of
/// order, double; an answer comes at most once and never to another life of the node, as on a TCP connection.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "disk.h"
#include "oracle.h"
#include "raft/raft.h"

namespace milena::raft_sim {

struct Node {
  BrokerId id;
  SimDisk disk;
  std::unique_ptr<Raft> raft;
  std::uint64_t life = 0;  // rises with every crash: what was under way then is void
  bool paused = false;
  bool stopped = false;  // it was told to
  bool busy = false;     // quorum-state is being written
  std::vector<Event> inbox;
  bool syncing = false;
  bool sync_again = false;
  Buffer received;
  std::uint64_t tick = 0;  // the newest one that is planned
  Duration slow_until{0};
  Duration skew{0};
  std::int64_t drift_ppm = 0;
  std::uint32_t rename = 0;  // its port, which an update of the voters tells
  std::map<std::uint64_t, std::function<void(Response)>> waiting;  // requests that it has to answer
  std::uint64_t next_request = 0;
};

class World {
 public:
  World(std::uint64_t seed, bool verbose);

  Random& random() { return random_; }
  Duration now() const { return now_; }
  /// Runs `what` in so much time from now.
  void after(Duration wait, std::function<void()> what);
  /// Goes on until that time, or a violation.
  void run_until(Duration end);
  bool failed() const { return !violations_.empty(); }
  const std::vector<std::string>& violations() const { return violations_; }
  void violation(std::string what);
  /// For who watches a run.
  void note(const std::string& what) const;
  void mark(const std::string& name) { ++marks_[name]; }
  const std::map<std::string, std::uint64_t>& marks() const { return marks_; }
  std::uint64_t trace() const { return trace_; }
  std::uint64_t steps() const { return steps_; }

  std::map<BrokerId, Node>& nodes() { return nodes_; }
  const Oracle& oracle() const { return oracle_; }
  /// The leader of the highest epoch; null: none is up.
  Node* leader();
  const VoterSet& first_voters() const { return voters_; }
  bool dynamic() const { return voters_.kraft_version > 0; }

  void step(Node& node, const Event& event);
  void start(Node& node);
  void crash(Node& node);
  /// A node that was told to stop stops.
  void crash_stopped(Node& node) {
    if (node.stopped) crash(node);
  }
  void wipe(Node& node);
  void pause(Node& node, bool paused);
  void propose();
  /// Snapshot of all that is committed at the node; cuts the log if `trim`.
  void snapshot(Node& node, bool trim);
  /// Cuts what goes from one to the other. Healing ends all cuts.
  void cut(BrokerId from, BrokerId to) { cuts_.insert({from, to}); }
  void isolate(BrokerId id);
  void join(BrokerId id);
  void heal() { cuts_.clear(); }
  bool is_cut(BrokerId from, BrokerId to) const { return cuts_.contains({from, to}); }
  void set_network(std::uint64_t loss_percent, Duration delay_max, std::uint64_t double_percent) {
    loss_percent_ = loss_percent;
    delay_max_ = delay_max;
    double_percent_ = double_percent;
  }
  /// Directories that were lost with a disk.
  const std::map<ReplicaKey, SimDisk>& lost_disks() const { return lost_; }
  std::uint64_t next_change() { return ++changes_; }

 private:
  struct Planned {
    Duration at;
    std::uint64_t sequence;
    std::function<void()> what;
    friend bool operator>(const Planned& a, const Planned& b) {
      return std::pair(a.at, a.sequence) > std::pair(b.at, b.sequence);
    }
  };
  Now local(const Node& node) const;
  Config config_of(const Node& node);
  void deliver(Node& node, Event event);
  void perform(Node& node, Effects effects, bool led);
  void perform_rest(Node& node, Effects& effects, bool led);
  void send(Node& node, const OutgoingRequest& out);
  void arrive(BrokerId from, std::uint64_t life, BrokerId to, std::uint64_t correlation,
              const Request& request);
  void reply(Node& node, const Reply& reply);
  void take_piece(Node& node, const SnapshotPiece& piece);
  void start_sync(Node& node);
  void plan_tick(Node& node);
  Duration delay() { return from_us(random_.between(200, delay_max_.count() / 1000)); }
  static Duration from_us(std::int64_t us) { return std::chrono::microseconds(us); }
  const SimDisk* disk_of(const ReplicaKey& key) const;

  bool verbose_;
  Random random_;
  Duration now_{0};
  std::uint64_t sequence_ = 0;
  std::priority_queue<Planned, std::vector<Planned>, std::greater<>> queue_;
  VoterSet voters_;
  std::map<BrokerId, Node> nodes_;
  std::map<ReplicaKey, SimDisk> lost_;
  std::set<std::pair<BrokerId, BrokerId>> cuts_;
  std::uint64_t loss_percent_ = 0;
  std::uint64_t double_percent_ = 0;
  Duration delay_max_{5ms};
  std::uint64_t proposals_ = 0;
  std::uint64_t changes_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t trace_ = 0;
  std::map<std::string, std::uint64_t> marks_;
  std::vector<std::string> violations_;
  Oracle oracle_;
};

}  // namespace milena::raft_sim
