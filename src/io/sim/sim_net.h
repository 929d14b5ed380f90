/// SimNet: the network between simulated nodes. TCP as programs see it: ordered byte streams that arrive in
/// pieces of any size, late, or not until a link is unblocked; resets; ends that never learn of a death.
///
/// Nodes have one address each, "10.0.0.<node + 1>", and may have names. "localhost" and 127.0.0.1 mean the
/// own node. Blocking a link holds back what is sent over it, in one direction, as lost packets would: the
/// bytes arrive after it is unblocked. A connection attempt over a blocked link waits and times out after two
/// minutes.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "io/net.h"
#include "io/sim/sim_core.h"

namespace milena::io {

class SimLoop;
struct SimConnection;
struct SimListenerState;

struct SimNetOptions {
  Duration latency_min = 30us;
  Duration latency_max = 500us;
  std::uint64_t late_one_in = 500;  // a segment that takes up to late_max; 0: never
  Duration late_max = 40ms;
  Duration connect_timeout = 127s;
};

class SimNet {
 public:
  using Node = std::uint64_t;

  SimNet(SimCore& core, SimNetOptions options);
  ~SimNet();
  SimNetOptions& options() { return options_; }

  static std::string address_of(Node node) { return "10.0.0." + std::to_string(node + 1); }
  /// Gives a node another name.
  void add_name(const std::string& name, Node node) { names_[name] = node; }

  // Faults.
  /// Holds back what `from` sends to `to`.
  void block(Node from, Node to);
  void unblock(Node from, Node to);
  bool blocked(Node from, Node to) const { return blocked_.contains({from, to}); }
  /// Blocks both directions between the node and every other.
  void isolate(Node node);
  /// Unblocks everything.
  void heal();
  /// Resets all connections between two nodes, at both ends at once.
  void cut(Node a, Node b);
  /// Resets the end at `node` of every connection with `peer`; the other end learns it when it sends.
  void cut_half(Node node, Node peer);
  std::size_t connections() const;
  /// Gathering writes that streams of the node were asked for: what would be system calls.
  std::uint64_t writes(Node node) const {
    auto it = writes_.find(node);
    return it == writes_.end() ? 0 : it->second;
  }

  // For the world: nodes come and go.
  enum class Down : std::uint8_t { kProcess, kPower };
  void node_up(Node node);
  /// kProcess: the kernel closes the sockets and refuses new ones. kPower: peers hear nothing.
  void node_down(Node node, Down how);
  /// The process is dying: what it still sends goes nowhere.
  void mute(Node node) { muted_.insert(node); }
  std::unique_ptr<Net> make_net(SimLoop& loop);

 private:
  friend class SimLoopNet;
  friend class SimStream;
  friend class SimListener;
  using ConnectionPtr = std::shared_ptr<SimConnection>;
  using ListenerPtr = std::shared_ptr<SimListenerState>;
  struct Attempt;

  std::optional<Node> resolve(const std::string& host, Node own) const;
  Duration latency();
  IoResult<ListenerPtr> listen(Node node, const Endpoint& endpoint);
  void close_listener(SimListenerState& listener);
  void attempt(std::shared_ptr<Attempt> attempt);
  void establish(Attempt& attempt, SimListenerState& listener);
  void finish_attempt(std::shared_ptr<Attempt> attempt, Duration delay);
  std::vector<ConnectionPtr> all_connections();
  static Task<IoResult<std::unique_ptr<Stream>>> connect(SimNet* net, SimLoop* loop, Endpoint endpoint);
  static Task<IoResult<std::unique_ptr<AcceptedSocket>>> accept(ListenerPtr listener);

  // Connections, in sim_connection.cc. `side` is 0 or 1.
  std::size_t send(SimConnection& connection, int side, ByteView bytes);  // how much fitted
  void send_end(SimConnection& connection, int side, bool reset);
  bool held(const SimConnection& connection, int side) const;
  void pump(const ConnectionPtr& connection, int side);
  void arrive(SimConnection& connection, int side, const struct SimSegment& segment);
  void reset_end(SimConnection& connection, int side);
  void close_end(SimConnection& connection, int side);

  SimCore& core_;
  SimNetOptions options_;
  Random random_;
  std::map<std::string, Node> names_;
  std::set<std::pair<Node, Node>> blocked_;
  std::set<Node> powered_off_;
  std::set<Node> muted_;
  std::map<std::pair<Node, std::uint16_t>, ListenerPtr> listeners_;
  std::map<Node, std::uint16_t> next_port_;
  std::map<std::uint64_t, std::weak_ptr<SimConnection>> connections_;  // by number
  std::map<Node, std::uint64_t> writes_;
  std::uint64_t last_connection_ = 0;
};

}  // namespace milena::io
