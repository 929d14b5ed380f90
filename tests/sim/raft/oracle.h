/// The judge over a quorum: what must hold after every step of every node, whatever the faults.
///
///   election safety       at most one leader an epoch; a voter gives one vote an epoch, on disk before it is
///                         told, and never as another's disk
///   log matching          equal (offset, epoch) means equal logs up to there
///   leader completeness   a leader's log has all that leaders of earlier epochs committed
///   committed             what a leader commits a majority of its voters has on disk; it stays, and no node
///   takes
///                         anything else, or more, for committed, nor cuts it off
///   monotone              epochs and votes on disk, and the high watermark of a running node
///   voter changes         one uncommitted at most, of one voter
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "disk.h"
#include "raft/raft.h"

namespace milena::raft_sim {

class Oracle {
 public:
  using DiskOf = std::function<const SimDisk*(const ReplicaKey&)>;
  Oracle(DiskOf disk_of, std::function<void(std::string)> violation)
      : disk_of_(std::move(disk_of)), violation_(std::move(violation)) {}

  /// A node made a step; `hw_before` of the same life of the node.
  void stepped(const Raft& raft, const SimDisk& disk, Role role_before, Offset hw_before, Epoch epoch_before);
  void appended(const ReplicaKey& node, const SimDisk& disk, const Entry& entry);
  /// The node is about to cut its log at `to`.
  void truncated(const ReplicaKey& node, const SimDisk& disk, Offset to);
  void state_written(const ReplicaKey& node, const std::optional<QuorumState>& before,
                     const QuorumState& after);
  /// The voter's yes leaves it.
  void voted(const Raft& voter, const SimDisk& disk, const VoteRequest& request);
  /// The node's high watermark moved, and its log is as the effects say; `led`: it was the leader in that
  /// step.
  void committed(const Raft& raft, const SimDisk& disk, Offset high_watermark, bool led);

  Offset committed_end() const { return committed_.empty() ? Offset(0) : committed_.rbegin()->first; }

 private:
  struct Committed {
    std::uint64_t prefix;
    Epoch by;  // the leader's
  };
  void check_leader(const Raft& raft, const SimDisk& disk);

  DiskOf disk_of_;
  std::function<void(std::string)> violation_;
  std::map<Epoch, ReplicaKey> leaders_;
  std::map<std::pair<ReplicaKey, Epoch>, ReplicaKey> votes_;
  std::map<std::pair<Offset, Epoch>, std::uint64_t> logs_;  // by a batch's end
  std::map<Offset, Committed> committed_;
};

}  // namespace milena::raft_sim
