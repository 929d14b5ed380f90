/// Raft: one node's part in the quorum that keeps the metadata log (KRaft, KIP-595), as a pure machine.
///
/// `step(now, event)` returns effects as data; the driver does them in the order of the fields of Effects and
/// reports back what was synced. No clock, file, socket or random source inside.
///
///   Start            -> becomes leader of the next epoch if it is the only voter: quorum-state (synced), then the
///                       LeaderChange batch (with KRaftVersion and KRaftVoters when they are only in the bootstrap
///                       checkpoint so far), then sync
///   Propose{values}  -> one atomic data batch to append, then sync; `appended` tells its offsets
///   LogSynced{end}   -> the high watermark advances to what a majority has synced
///   SnapshotCreated  -> bookkeeping for DescribeQuorum, FetchSnapshot and log_start
///
/// Invariants: nothing is appended in an epoch before quorum-state with that epoch is synced; the high watermark
/// never passes the synced end, never goes back, and moves in an epoch only once that epoch's first batch is
/// synced.
/// Limits: elections with other voters are not done yet: a node that is not the only voter stays a follower of
/// nobody. Threads: for one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"
#include "raft/batch.h"
#include "raft/quorum_state.h"
#include "raft/snapshot.h"
#include "raft/voter_set.h"

namespace milena::raft {

struct Now {
  Instant instant;      // deadlines
  Timestamp timestamp;  // batch timestamps
};

enum class Role : std::uint8_t { kUnattached, kFollower, kCandidate, kLeader, kResigned };
std::string_view name(Role role);

/// What the driver found on disk.
struct Recovered {
  std::optional<QuorumState> quorum_state;
  Offset log_start{0};
  Offset log_end{0};            // all of it synced by the driver before the start
  Epoch last_epoch{0};          // of the last batch, or of the latest snapshot if the log is empty
  std::optional<SnapshotId> latest_snapshot;
  /// The voters by the newest KRaftVoters record in the log, else in the latest snapshot; nothing: static voters.
  std::optional<VoterSet> voters;
  /// Where that record stands; -1: in the snapshot 0-0 that a format wrote.
  Offset voters_offset{-1};
};

struct Config {
  BrokerId node_id = kNoBroker;
  Uuid directory_id;
  std::string cluster_id;
  VoterSet static_voters;  // controller.quorum.voters; empty with dynamic voters
};

struct Start {};
struct Tick {};
/// Record frames to append: as one batch, all or nothing, or (not atomic) as several where they are many.
/// REQUIRES: at least one. May be refused: see Effects::rejected.
struct Propose {
  std::vector<Bytes> values;
  bool atomic = true;
};
/// Everything below `end_offset` is on disk.
struct LogSynced {
  Offset end_offset;
};
struct SnapshotCreated {
  SnapshotId id;
};
/// The log was cut at its start after a snapshot.
struct LogStartMoved {
  Offset log_start;
};
/// Another node fetched the log from `offset` on, so it has all before that. REQUIRES: not this node.
struct ReplicaFetched {
  BrokerId id;
  Uuid directory_id;
  Offset offset;
};
/// Clean stop: the leader gives up its epoch.
struct Resign {};
using Event = std::variant<Start, Tick, Propose, LogSynced, SnapshotCreated, LogStartMoved, ReplicaFetched, Resign>;

/// A node without a vote that follows the log; forgotten when it has not fetched for kObserverSessionMs.
struct Observer {
  Offset log_end;
  Timestamp last_fetch;
  /// When it was last known to have all that the leader had.
  Timestamp last_caught_up = kNoTimestamp;
  Offset leader_end;  // at its last fetch
};
struct ReplicaKey {
  BrokerId id;
  Uuid directory_id;
  friend auto operator<=>(const ReplicaKey&, const ReplicaKey&) = default;
};
inline constexpr std::int64_t kObserverSessionMs = 300'000;

struct Append {
  Offset base_offset;
  Offset last_offset;
  Epoch epoch;
  Timestamp timestamp;          // of every record
  bool control = false;
  Bytes batch;                  // complete: offsets, epoch, timestamps and CRC are set
  std::vector<Bytes> values;    // of a data batch: the frames as proposed
};

enum class Rejection : std::uint8_t {
  kNotLeader,  // answer NOT_CONTROLLER
  kTooLarge,   // an atomic batch above kBatchBytesMax
};

/// Kafka's nodes read batches of the metadata log up to this size.
inline constexpr std::size_t kBatchBytesMax = 8UL * 1024 * 1024;

struct Effects {
  std::optional<QuorumState> write_quorum_state;  // 1. write and sync before anything else
  std::vector<Append> append;                     // 2. in this order
  bool sync_log = false;                          // 3. then report LogSynced
  std::optional<Offset> high_watermark;           // 4. it moved to here
  /// 5. Leadership began or ended. At begin the driver waits until the high watermark has passed
  /// `epoch_start` and then activates the controller.
  std::optional<Role> new_role;
  /// Why nothing of a proposal was done.
  std::optional<Rejection> rejected;
};

class Raft {
 public:
  Raft(Config config, Recovered recovered);

  Effects step(const Now& now, const Event& event);
  /// When to send a Tick at the latest.
  Instant next_deadline() const { return Instant::never(); }

  Role role() const { return role_; }
  bool is_leader() const { return role_ == Role::kLeader; }
  Epoch epoch() const { return state_.leader_epoch; }
  BrokerId leader_id() const { return state_.leader_id; }
  Offset log_start() const { return log_start_; }
  Offset log_end() const { return log_end_; }
  Offset high_watermark() const { return high_watermark_; }
  /// The offset of this epoch's first batch. REQUIRES: is_leader().
  Offset epoch_start() const { return epoch_start_; }
  const VoterSet& voters() const { return voters_; }
  /// Of a leader.
  const std::map<ReplicaKey, Observer>& observers() const { return observers_; }
  const std::optional<SnapshotId>& latest_snapshot() const { return latest_snapshot_; }
  const Config& config() const { return config_; }

  /// Aborts the process when an invariant of the header comment is broken.
  void check_invariants() const;

 private:
  Effects on(const Now& now, const Start& event);
  Effects on(const Now& now, const Tick& event);
  Effects on(const Now& now, const Propose& event);
  Effects on(const Now& now, const LogSynced& event);
  Effects on(const Now& now, const SnapshotCreated& event);
  Effects on(const Now& now, const LogStartMoved& event);
  Effects on(const Now& now, const ReplicaFetched& event);
  Effects on(const Now& now, const Resign& event);
  void become_leader(const Now& now, Effects& effects);

  Config config_;
  VoterSet voters_;
  Offset voters_offset_;
  QuorumState state_;
  Role role_ = Role::kUnattached;
  Offset log_start_;
  Offset log_end_;
  Offset synced_end_;
  Epoch last_epoch_;
  Offset epoch_start_{0};
  Offset high_watermark_{0};
  std::optional<SnapshotId> latest_snapshot_;
  std::map<ReplicaKey, Observer> observers_;
};

}  // namespace milena::raft
