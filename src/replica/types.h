/// What goes in and out of a partition: appends, reads, lookups. Plain values that travel between loops.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"
#include "replica/records.h"
#include "wire/error_code.h"

namespace milena::replica {

/// Who writes: a client's records are validated, a coordinator's are our own.
enum class Origin : std::uint8_t { kClient, kCoordinator };

/// What an append waits for before it is answered; for all but kNothing at most until the deadline.
enum class WaitFor : std::uint8_t {
  kNothing,
  kSynced,     // acks=1: what flush.messages wants on disk is there
  kCommitted,  // acks=all: the high watermark has passed the records
};

struct AppendOptions {
  Origin origin = Origin::kClient;
  std::int16_t produce_version = 13;
  WaitFor wait = WaitFor::kNothing;
  /// REQUEST_TIMED_OUT once it has passed.
  Instant deadline = Instant::never();
};

struct RecordFault {
  std::int32_t batch_index = 0;
  std::string message;
};

struct Appended {
  wire::ErrorCode error = wire::ErrorCode::NONE;
  std::string message;  // for people; empty if the code says it all
  std::vector<RecordFault> record_faults;
  Offset base_offset = kNoOffset;
  Offset last_offset = kNoOffset;
  Timestamp log_append_time = kNoTimestamp;  // where the topic stamps records itself
  Offset log_start_offset = kNoOffset;
  Offset high_watermark = kNoOffset;  // when the append returned
  Appended() = default;
  explicit Appended(wire::ErrorCode code, std::string text = {}) : error(code), message(std::move(text)) {}
};

struct ReadRequest {
  TopicIdPartition id;
  Offset fetch_offset;
  std::int32_t max_bytes = 0;
  Epoch current_leader_epoch = kNoEpoch;  // what the reader believes; -1: not checked
  Epoch last_fetched_epoch = kNoEpoch;    // -1: no divergence check
  bool read_committed = false;
  bool to_log_end = false;    // a follower's: also what is not committed yet
  bool at_least_one = false;  // the first batch may exceed max_bytes
  Records::Form form = Records::Form::kBlock;
};

struct AbortedRange {
  ProducerId producer_id;
  Offset first_offset;
};

/// With an error, nothing else is set.
struct ReadResult {
  wire::ErrorCode error = wire::ErrorCode::NONE;
  Offset high_watermark = kNoOffset;
  Offset last_stable_offset = kNoOffset;
  Offset log_start_offset = kNoOffset;
  Offset readable_end = kNoOffset;  // where this reader's records end for now
  Records records;
  std::optional<std::vector<AbortedRange>> aborted;  // read_committed only
  /// The log parted from the reader's after this epoch and offset; no records then (KIP-595).
  std::optional<std::pair<Epoch, Offset>> diverging;
  ReadResult() = default;
  explicit ReadResult(wire::ErrorCode code) : error(code) {}
};

/// Special timestamps of ListOffsets.
inline constexpr std::int64_t kLatest = -1;
inline constexpr std::int64_t kEarliest = -2;
inline constexpr std::int64_t kMaxTimestamp = -3;        // KIP-734
inline constexpr std::int64_t kEarliestLocal = -4;       // KIP-405
inline constexpr std::int64_t kLatestTiered = -5;        // KIP-1005
inline constexpr std::int64_t kEarliestPendingUpload = -6;

struct LookupRequest {
  TopicIdPartition id;
  std::int64_t timestamp = kLatest;
  Epoch current_leader_epoch = kNoEpoch;
  bool read_committed = false;
};

struct LookupResult {
  wire::ErrorCode error = wire::ErrorCode::NONE;
  Offset offset = kNoOffset;  // -1: no such record
  Timestamp timestamp = kNoTimestamp;
  Epoch leader_epoch = kNoEpoch;
  LookupResult() = default;
  explicit LookupResult(wire::ErrorCode code) : error(code) {}
};

/// For an offset of DeleteRecords: all that is committed.
inline constexpr Offset kUpToHighWatermark{-1};

struct DeletedRecords {
  wire::ErrorCode error = wire::ErrorCode::NONE;
  Offset low_watermark = kNoOffset;  // where the log begins now
  DeletedRecords() = default;
  explicit DeletedRecords(wire::ErrorCode code) : error(code) {}
};

struct EpochEndResult {
  wire::ErrorCode error = wire::ErrorCode::NONE;
  Epoch epoch = kNoEpoch;
  Offset end_offset = kNoOffset;
};

}  // namespace milena::replica
