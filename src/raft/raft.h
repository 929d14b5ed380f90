/// Raft: one node's part in the quorum that keeps the metadata log (KRaft), as a pure machine. A voter or an
/// observer.
///
/// `step(now, event)` returns effects as data (events.h); the driver does them in the order of the fields of
/// Effects and reports back what was synced. No clock, file, socket or entropy inside: chance comes from
/// Config::seed.
///
/// KRaft is Raft with the log pulled: followers fetch, and by the offset they fetch from they say what they
/// have on disk. Pre-vote (KIP-996): who misses its leader asks first whether it would be elected, and bumps
/// no epoch if not; a follower that has fetched from its leader says no. Check-quorum (KIP-595): a leader
/// that a majority has not fetched from for one and a half fetch timeouts resigns. Voters are (id, directory
/// id) and stand in the log (KIP-853): one added, removed or changed at a time, in effect once in the log,
/// and not before the leader has committed in its epoch and the change before is committed.
///
/// Invariants: nothing is said or appended in an epoch before quorum-state with that epoch, and the vote in
/// it, is synced; at most one leader an epoch; a leader that restarts never leads or votes in its epoch
/// again, so an (offset, epoch) names one record for good; the high watermark never passes what a majority
/// has synced, never goes back, and moves in an epoch only once that epoch's first batch is committed; a log
/// is never cut below it. Not here: kraft.version 0 cannot be raised to 1 in a running quorum. Threads: for
/// one thread. Sources: KIP-595, KIP-630, KIP-853, KIP-996; Ongaro, "Consensus: bridging theory and
/// practice", 2014.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/random.h"
#include "base/time.h"
#include "raft/batch.h"
#include "raft/epoch_history.h"
#include "raft/events.h"
#include "raft/messages.h"
#include "raft/quorum_state.h"
#include "raft/snapshot.h"
#include "raft/voter_set.h"

namespace milena::raft {

/// What the driver found on disk.
struct Recovered {
  std::optional<QuorumState> quorum_state;
  Offset log_start{0};
  Offset log_end{0};    // all of it synced by the driver before the start
  Epoch last_epoch{0};  // of the last batch, or of the latest snapshot if the log is empty
  std::optional<SnapshotId> latest_snapshot;
  /// The voters by the newest KRaftVoters record in the log, else in the latest snapshot; nothing: static
  /// voters.
  std::optional<VoterSet> voters;
  /// Where that record stands; -1: in the snapshot 0-0 that a format wrote.
  Offset voters_offset{-1};
  /// The records before it that might count again, should it be cut off; the oldest first.
  std::vector<VoterHistory::Entry> older_voters;
  /// Where each epoch of the log begins; of a log that begins with a snapshot, first the snapshot's.
  std::vector<EpochStart> epochs;
};

/// controller.quorum.*
struct Timeouts {
  Duration election = 1000ms;  // drawn between this and twice this
  Duration election_backoff_max = 1000ms;
  Duration fetch = 2000ms;
  Duration request = 2000ms;
  Duration retry_backoff = 20ms;
  Duration fetch_max_wait = 500ms;  // how long a leader keeps a fetch that there is nothing for
};

struct Config {
  BrokerId node_id = kNoBroker;
  Uuid directory_id;
  std::string cluster_id;
  VoterSet static_voters;  // controller.quorum.voters; empty with dynamic voters
  Timeouts timeouts = {};
  std::uint64_t seed = 0;  // differs from node to node, or elections collide
  /// Whom to ask for the leader while no voter is known (controller.quorum.bootstrap.servers).
  std::vector<BrokerId> bootstrap = {};
  /// What the voter set should say of this node; no endpoints: it does not ask for a change.
  std::vector<Endpoint> endpoints = {};
  std::int16_t min_kraft_version = 0;
  std::int16_t max_kraft_version = 1;
};

/// What a leader knows of a node that fetches. An observer is forgotten when it has not for
/// kObserverSessionMs.
struct ReplicaProgress {
  Offset log_end = kNoOffset;  // on its disk
  Timestamp last_fetch = kNoTimestamp;
  Timestamp last_caught_up = kNoTimestamp;  // when it was last known to have all that the leader had
  Offset leader_end = kNoOffset;            // at its last fetch
};
inline constexpr std::int64_t kObserverSessionMs = 300'000;

class Raft {
 public:
  Raft(Config config, Recovered recovered);

  Effects step(const Now& now, const Event& event);
  /// When to send a Tick at the latest.
  Instant next_deadline() const;

  Role role() const { return role_; }
  bool is_leader() const { return role_ == Role::kLeader; }
  Epoch epoch() const { return state_.leader_epoch; }
  BrokerId leader_id() const { return state_.leader_id; }
  const QuorumState& quorum_state() const { return state_; }
  Offset log_start() const { return log_start_; }
  Offset log_end() const { return log_end_; }
  Offset synced_end() const { return synced_end_; }
  /// How often the log lost something at its end, for LogSynced.
  std::uint64_t truncations() const { return truncations_; }
  const EpochHistory& epochs() const { return epochs_; }
  Offset high_watermark() const { return high_watermark_; }
  /// The offset of this epoch's first batch. REQUIRES: is_leader().
  Offset epoch_start() const { return leading_.epoch_start; }
  const VoterSet& voters() const { return history_.last().voters; }
  Offset voters_offset() const { return history_.last().offset; }
  const VoterHistory& voter_history() const { return history_; }
  bool is_voter() const { return voters().is_voter(config_.node_id, config_.directory_id); }
  ReplicaKey key() const { return {config_.node_id, config_.directory_id}; }
  /// Of a leader: the other nodes that fetched in its epoch, voters and observers.
  const std::map<ReplicaKey, ReplicaProgress>& replicas() const { return leading_.replicas; }
  const std::optional<SnapshotId>& latest_snapshot() const { return latest_snapshot_; }
  const Config& config() const { return config_; }

  /// Aborts the process when an invariant of the header comment is broken.
  void check_invariants() const;

 private:
  struct Parked {  // a fetch that waits for something new
    std::uint64_t id;
    FetchRequest request;
    Instant deadline;
  };
  struct PendingChange {
    std::uint64_t id;
    Offset offset;  // of its VotersRecord
    Instant deadline;
  };
  struct Leading {
    Offset epoch_start{0};
    std::map<ReplicaKey, ReplicaProgress> replicas;
    std::set<BrokerId> heard;    // voters that fetched since the quorum was last seen whole
    std::set<BrokerId> reached;  // voters that know of the epoch, until begin_deadline
    Instant begin_deadline;
    std::vector<Parked> parked;
    std::optional<PendingChange> change;
  };
  struct SnapshotFetch {
    SnapshotId id;
    std::int64_t position = 0;
  };
  struct Following {
    bool has_fetched = false;
    Offset leader_high_watermark = kNoOffset;
    std::optional<SnapshotFetch> snapshot;
    Instant update_deadline;  // when to look whether the voter set says the right of this node
  };
  struct Resigned {
    std::vector<ReplicaKey> preferred;
    std::set<BrokerId> told;
  };
  struct Peer {
    std::uint64_t correlation = 0;  // of the request that is under way; 0: none
    std::size_t kind = 0;           // of Request
    bool failed = false;            // the newest one had no answer
    Instant timeout;
    Instant not_before;
  };

  // raft.cc: events about the log, and what every step ends with
  void on(const Now& now, const Start& event, Effects& effects);
  void on(const Now& now, const Tick& event, Effects& effects);
  void on(const Now& now, const LogSynced& event, Effects& effects);
  void on(const Now& now, const SnapshotCreated& event, Effects& effects);
  void on(const Now& now, const LogStartMoved& event, Effects& effects);
  void finish(const Now& now, Role role_before, Effects& effects);
  void take_voters(const LogBatch& batch);

  // election.cc: roles and votes
  Instant election_deadline(const Now& now);
  bool may_stand() const;
  void leave_role(Effects& effects);
  void enter_epoch(Epoch epoch);
  void become_unattached(const Now& now, Epoch epoch, Effects& effects);
  void become_follower(const Now& now, Epoch epoch, BrokerId leader, Effects& effects);
  void become_prospective(const Now& now, Effects& effects);
  void become_candidate(const Now& now, Effects& effects);
  void lose_pre_vote(const Now& now, Effects& effects);
  void count_votes(const Now& now, Effects& effects);
  bool learn_leader(const Now& now, Epoch epoch, BrokerId leader, Effects& effects);
  bool may_vote_for(const ReplicaKey& candidate, bool up_to_date, bool pre_vote) const;
  Response answer(const Now& now, const VoteRequest& request, Effects& effects);
  void on_vote_response(const Now& now, BrokerId from, const Response& response, Effects& effects);
  bool run_timers(const Now& now, Effects& effects);

  // leader.cc
  void on(const Now& now, const Propose& event, Effects& effects);
  void on(const Now& now, const ReplicaFetched& event, Effects& effects);
  void on(const Now& now, const Resign& event, Effects& effects);
  void become_leader(const Now& now, Effects& effects);
  void append_control(const Now& now, const std::vector<ControlRecord>& records, Effects& effects);
  void advance_high_watermark(const Now& now, Effects& effects);
  void resign(const Now& now, Effects& effects);
  wire::ErrorCode check_leader(Epoch epoch) const;
  void note_fetch(const Now& now, ReplicaKey replica, Offset offset, Effects& effects);
  void note_contact(const Now& now, const ReplicaKey& replica);
  void on_fetch(const Now& now, std::uint64_t id, const FetchRequest& request, Effects& effects);
  bool turn_back(const FetchRequest& request, FetchResponse& out) const;
  std::optional<Reply> serve(const FetchRequest& request, std::uint64_t id, bool waited) const;
  void serve_parked(const Now& now, Effects& effects);
  Reply answer_snapshot(const Now& now, std::uint64_t id, const FetchSnapshotRequest& request);

  // follower.cc
  Response answer(const Now& now, const BeginQuorumEpochRequest& request, Effects& effects);
  Response answer(const Now& now, const EndQuorumEpochRequest& request, Effects& effects);
  void on_fetch_response(const Now& now, BrokerId from, const FetchResponse& fetched, Effects& effects);
  void on_snapshot_response(const Now& now, BrokerId from, const Response& response, Effects& effects);
  void truncate(const EpochEnd& diverging, Effects& effects);
  bool append_fetched(const FetchResponse& fetched, Effects& effects);
  void advance_follower(Effects& effects);
  void on(const Now& now, const SnapshotInstalled& event, Effects& effects);
  void on(const Now& now, const SnapshotRefused& event, Effects& effects);

  // voters.cc
  void on(const Now& now, const AddVoter& event, Effects& effects);
  void on(const Now& now, const RemoveVoter& event, Effects& effects);
  Response answer(const Now& now, const UpdateVoterRequest& request, Effects& effects);
  wire::ErrorCode may_change_voters(std::string& why) const;
  Offset append_voters(const Now& now, VoterSet voters, Effects& effects);
  void end_change(wire::ErrorCode error, std::string why, Effects& effects);
  bool should_update_self(const Now& now) const;

  // peers.cc: requests and their answers
  void on(const Now& now, const RequestReceived& event, Effects& effects);
  void on(const Now& now, const ResponseReceived& event, Effects& effects);
  void on(const Now& now, const RequestFailed& event, Effects& effects);
  Response response(wire::ErrorCode error) const;
  void send_requests(const Now& now, Effects& effects);
  void send_fetch(const Now& now, Effects& effects);
  bool ready(const Now& now, BrokerId to);
  void send(const Now& now, BrokerId to, Request request, Effects& effects);
  std::optional<BrokerId> anybody(const Now& now);

  Config config_;
  Random random_;
  VoterHistory history_;
  QuorumState state_;
  std::optional<QuorumState> persisted_;
  Role role_ = Role::kUnattached;
  bool started_ = false;
  bool stopping_ = false;
  bool broken_ = false;  // Effects::fatal was told

  Offset log_start_;
  Offset log_end_;
  Offset synced_end_;
  std::uint64_t truncations_ = 0;
  EpochHistory epochs_;
  Offset high_watermark_{0};
  std::optional<SnapshotId> latest_snapshot_;
  std::optional<SnapshotId> installing_;

  Instant deadline_ = Instant::never();  // of the role: election, fetch, check-quorum
  Instant last_now_;
  std::map<BrokerId, bool> votes_;
  Leading leading_;
  Following following_;
  Resigned resigned_;
  std::map<BrokerId, Peer> peers_;
  std::uint64_t correlation_ = 0;
  std::vector<std::uint64_t> orphans_;  // fetches to be told that this is not the leader any more
};

}  // namespace milena::raft
