/// What the nodes of a quorum say to each other, without the wire: the machine takes and gives these, the
/// driver translates to Kafka's requests (Vote 52, BeginQuorumEpoch 53, EndQuorumEpoch 54, Fetch 1,
/// FetchSnapshot 59, UpdateRaftVoter 82), carries bytes and knows addresses.
///
/// Whatever arrives is untrusted. Cluster id, topic and partition are checked by the driver; the rest here.
/// Sources: KIP-595, KIP-630 (snapshots), KIP-853 (voters with directory ids), KIP-996 (pre-vote).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "raft/epoch_history.h"
#include "raft/snapshot.h"
#include "raft/voter_set.h"
#include "wire/error_code.h"

namespace milena::raft {

/// A candidate, or with `pre_vote` one that would like to be, asks `voter` for its vote in `epoch`. Of a
/// pre-vote the epoch is the one that the asking node is in, of a vote the one that it wants to lead.
struct VoteRequest {
  Epoch epoch;
  ReplicaKey candidate;
  ReplicaKey voter;  // zero directory: not known (kraft.version 0)
  Epoch last_epoch;  // of the candidate's last batch
  Offset log_end;    // of the candidate
  bool pre_vote = false;
};
/// The leader of a new epoch tells a voter, until that one fetches.
struct BeginQuorumEpochRequest {
  Epoch epoch;
  BrokerId leader_id = kNoBroker;
  ReplicaKey voter;
};
/// A leader that resigned tells the voters, best successor first.
struct EndQuorumEpochRequest {
  Epoch epoch;
  BrokerId leader_id = kNoBroker;
  std::vector<ReplicaKey> preferred_candidates;
};
struct FetchRequest {
  Epoch epoch;
  ReplicaKey replica;
  Offset offset;                      // everything before it is on the replica's disk
  Epoch last_epoch;                   // of the batch before `offset`
  Offset high_watermark = kNoOffset;  // the replica's
  std::int32_t max_wait_ms = 0;
};
struct FetchSnapshotRequest {
  Epoch epoch;
  ReplicaKey replica;
  SnapshotId id;
  std::int64_t position = 0;
};
/// A voter's addresses or versions are not those of the voter set.
struct UpdateVoterRequest {
  Epoch epoch;
  Voter voter;
};
using Request = std::variant<VoteRequest, BeginQuorumEpochRequest, EndQuorumEpochRequest, FetchRequest,
                             FetchSnapshotRequest, UpdateVoterRequest>;
std::string_view name(const Request& request);

struct Done {};  // of BeginQuorumEpoch, EndQuorumEpoch, UpdateVoter: there is nothing but the error to tell
struct VoteResponse {
  bool granted = false;
};
/// At most one of `diverging` and `snapshot` is set, and then there are no records.
struct FetchResponse {
  Offset high_watermark = kNoOffset;
  Offset log_start{0};
  std::optional<EpochEnd> diverging;   // the logs have parted: where the leader's ends for that epoch
  std::optional<SnapshotId> snapshot;  // too far behind: take this one first
  Bytes records;                       // whole batches; the driver of the leader reads them in
};
struct FetchSnapshotResponse {
  SnapshotId id;
  std::int64_t size = 0;  // of the whole snapshot
  std::int64_t position = 0;
  Bytes bytes;  // the driver of the leader reads them in
};
struct Response {
  wire::ErrorCode error = wire::ErrorCode::NONE;
  Epoch epoch;                     // of the node that answers
  BrokerId leader_id = kNoBroker;  // whom it takes for the leader of that epoch
  std::variant<Done, VoteResponse, FetchResponse, FetchSnapshotResponse> body;
};

}  // namespace milena::raft
