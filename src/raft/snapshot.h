/// Snapshots of the metadata log: `<end offset, 20 digits>-<epoch, 10 digits>.checkpoint` in the log's directory.
///
/// A snapshot with end offset N holds everything below N. Its first batch is control: SnapshotHeader, and for
/// kraft.version 1 KRaftVersion and KRaftVoters; then data batches; its last batch is the SnapshotFooter.
/// Batch offsets count from 0 within the file, partitionLeaderEpoch is the snapshot's epoch. A snapshot without
/// footer is not finished and does not count. It is written as `<name>.part`, synced, renamed, directory synced.
/// `bootstrap.checkpoint` in the root of the metadata log directory has the same form (see format.h).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "raft/voter_set.h"

namespace milena::raft {

struct SnapshotId {
  Offset end_offset{0};
  Epoch epoch{0};
  friend auto operator<=>(const SnapshotId&, const SnapshotId&) = default;
};

std::string snapshot_file_name(const SnapshotId& id);
/// Empty result: not the name of a finished snapshot.
std::optional<SnapshotId> parse_snapshot_file_name(std::string_view name);

struct SnapshotContents {
  Timestamp last_contained_log_timestamp{0};
  std::optional<VoterSet> voters;  // kraft.version 1 only
  std::vector<Bytes> values;       // record frames
};

struct SnapshotError {
  std::string message;
};

/// Bytes of records per data batch of a snapshot.
inline constexpr std::size_t kSnapshotBatchBytesMax = 1024UL * 1024;

/// The whole file. Snapshots of 100,000 partitions take some 10 MB.
Bytes encode_snapshot(const SnapshotContents& contents, Epoch epoch, Timestamp now);
/// `file` is untrusted. Errors: cut short, no header or footer, bad CRC.
Result<SnapshotContents, SnapshotError> decode_snapshot(const Bytes& file);
/// The last_contained_log_timestamp of a file of which `head` is the beginning, untrusted. Nothing: it does not hold
/// the whole header.
std::optional<Timestamp> snapshot_timestamp(const Bytes& head);

/// Which snapshots and how much of the log may go, by Kafka's rule: the newest snapshot stays, older ones go
/// when the log and snapshots exceed `max_retention_bytes` or a snapshot is older than `max_retention_ms`.
struct RetentionInput {
  struct Snapshot {
    SnapshotId id;
    std::int64_t size_bytes = 0;
    Timestamp last_contained_log_timestamp;
  };
  std::vector<Snapshot> snapshots;  // ascending
  std::int64_t log_size_bytes = 0;
  std::int64_t max_retention_bytes = 100LL * 1024 * 1024;
  std::int64_t max_retention_ms = 7LL * 24 * 3600 * 1000;
  Timestamp now;
};
struct RetentionPlan {
  std::vector<SnapshotId> remove;       // to delete, oldest first
  std::optional<Offset> log_start;      // the log's new start: the oldest remaining snapshot's end offset
};
RetentionPlan plan_retention(const RetentionInput& input);

}  // namespace milena::raft
