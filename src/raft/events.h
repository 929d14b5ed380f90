/// What happens to a raft machine, and what it wants done: the events and effects of `Raft::step`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"
#include "raft/messages.h"
#include "raft/quorum_state.h"
#include "raft/snapshot.h"
#include "raft/voter_set.h"
#include "wire/error_code.h"

namespace milena::raft {

struct Now {
  Instant instant;      // deadlines
  Timestamp timestamp;  // batch timestamps
};

/// kVoted is unattached with this epoch's vote given away; kResigned a former leader that stays silent until
/// its epoch is surely over.
enum class Role : std::uint8_t {
  kUnattached,
  kVoted,
  kProspective,
  kCandidate,
  kLeader,
  kFollower,
  kResigned
};
std::string_view name(Role role);

struct Start {};
/// Time has passed: next_deadline() was reached.
struct Tick {};
/// Record frames to append: as one batch, all or nothing, or (not atomic) as several where they are many.
/// REQUIRES: at least one. May be refused: see Effects::rejected.
struct Propose {
  std::vector<Bytes> values;
  bool atomic = true;
};
/// Everything below `end_offset` is on disk, of the log as it was after so many truncations
/// (Raft::truncations() when the sync began).
struct LogSynced {
  Offset end_offset;
  std::uint64_t truncations = 0;
};
struct SnapshotCreated {
  SnapshotId id;
};
/// The log was cut at its start after a snapshot.
struct LogStartMoved {
  Offset log_start;
};
/// Another node fetched the log from `offset` on, so it has all before that, and the driver has answered it.
/// REQUIRES: not this node.
struct ReplicaFetched {
  BrokerId id;
  Uuid directory_id;
  Offset offset;
};
/// Clean stop: the leader gives up its epoch, and the node takes no part in elections any more.
struct Resign {};

/// Another node asks. Exactly one Effects::replies names `id`, now or later; `id` is the driver's.
struct RequestReceived {
  std::uint64_t id = 0;
  Request request;
};
/// The answer to Effects::requests. What is not awaited any more is ignored.
struct ResponseReceived {
  BrokerId from;
  std::uint64_t correlation = 0;
  Response response;
};
/// There will be no answer: no connection, closed, or timed out.
struct RequestFailed {
  BrokerId to;
  std::uint64_t correlation = 0;
};
/// An operator's wish. Exactly one Effects::changes names `id`. The driver has asked the new voter which
/// versions of kraft.version it supports (ApiVersions).
struct AddVoter {
  std::uint64_t id = 0;
  Voter voter;
  bool ack_when_committed = true;
};
struct RemoveVoter {
  std::uint64_t id = 0;
  ReplicaKey voter;
};
/// The snapshot of Effects::snapshot_piece is complete and valid on disk, under its name, and the log is
/// empty and begins at its end.
struct SnapshotInstalled {
  SnapshotId id;
  std::optional<VoterSet> voters;
};
/// It was not valid; nothing has changed.
struct SnapshotRefused {
  SnapshotId id;
};

using Event = std::variant<Start, Tick, Propose, LogSynced, SnapshotCreated, LogStartMoved, ReplicaFetched,
                           Resign, RequestReceived, ResponseReceived, RequestFailed, AddVoter, RemoveVoter,
                           SnapshotInstalled, SnapshotRefused>;

struct Append {
  Offset base_offset;
  Offset last_offset;
  Epoch epoch;
  Timestamp timestamp;  // of every record
  bool control = false;
  Bytes batch;                // complete: offsets, epoch, timestamps and CRC are set
  std::vector<Bytes> values;  // of a data batch: the frames as proposed
};

enum class Rejection : std::uint8_t {
  kNotLeader,  // answer NOT_CONTROLLER
  kTooLarge,   // an atomic batch above kBatchBytesMax
};

/// Kafka's nodes read batches of the metadata log up to this size.
inline constexpr std::size_t kBatchBytesMax = 8UL * 1024 * 1024;

struct OutgoingRequest {
  BrokerId to;
  std::uint64_t correlation = 0;
  Request request;
};
struct Reply {
  std::uint64_t id = 0;
  Response response;
  /// A FetchResponse gets the batches from here on, as many as fit, of the log as it is when the effects are
  /// done.
  std::optional<Offset> read_from;
  /// A FetchSnapshotResponse gets bytes from its position on, and the size; SNAPSHOT_NOT_FOUND if there is
  /// none.
  bool read_snapshot = false;
};
struct VoterChangeResult {
  std::uint64_t id = 0;
  wire::ErrorCode error = wire::ErrorCode::NONE;
  std::string message;
};
/// Bytes of a snapshot that the leader sent, in order, from position 0 on. After the last one the driver
/// makes the snapshot the node's state and says SnapshotInstalled or SnapshotRefused.
struct SnapshotPiece {
  SnapshotId id;
  std::int64_t position = 0;
  Bytes bytes;
  bool last = false;
};

/// To be done in this order. No other event may be stepped before write_quorum_state and truncate_to are
/// done, and nothing behind them may be seen by anybody before that.
struct Effects {
  std::optional<QuorumState> write_quorum_state;  // 1. write and sync before anything else
  std::optional<Offset> truncate_to;              // 2. cut the log's end, durably
  std::vector<Append> append;                     // 3. in this order
  bool sync_log = false;                          // 4. then report LogSynced
  std::optional<Offset> high_watermark;           // 5. it moved to here
  /// 6. The role changed. When it becomes kLeader the driver waits until the high watermark has passed
  /// `epoch_start` and then activates the controller.
  std::optional<Role> new_role;
  std::optional<SnapshotPiece> snapshot_piece;  // 7.
  std::vector<Reply> replies;                   // 8.
  std::vector<OutgoingRequest> requests;
  std::vector<VoterChangeResult> changes;
  /// Why nothing of a proposal was done.
  std::optional<Rejection> rejected;
  /// What a peer says cannot be true if the quorum kept its promises: end the node, touch nothing more.
  std::optional<std::string> fatal;
};

}  // namespace milena::raft
