/// Batches of the metadata log and of snapshots, as bytes.
///
/// A data batch holds metadata record frames as values with null keys; the records of one atomic append share
/// one batch. A control batch holds (key: version 0 and type, value: message) pairs. Both are record batches v2
/// without compression, producer id -1, the epoch of their leader in partitionLeaderEpoch.
/// See docs/formats/metadata-log.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "wire/messages/k_raft_version_record.h"
#include "wire/messages/leader_change_message.h"
#include "wire/messages/snapshot_footer_record.h"
#include "wire/messages/snapshot_header_record.h"
#include "wire/messages/voters_record.h"

namespace milena::raft {

using ControlRecord = std::variant<wire::LeaderChangeMessage, wire::SnapshotHeaderRecord, wire::SnapshotFooterRecord,
                                   wire::KRaftVersionRecord, wire::VotersRecord>;

Bytes encode_data_batch(Offset base_offset, Epoch epoch, Timestamp timestamp, std::span<const Bytes> values);
Bytes encode_control_batch(Offset base_offset, Epoch epoch, Timestamp timestamp,
                           std::span<const ControlRecord> records);

inline constexpr std::int16_t kLatestKRaftVersion = 1;  // a KRaftVersionRecord above it is not understood

/// One decoded batch: either values (a data batch) or control records.
struct LogBatch {
  Offset base_offset;
  Offset last_offset;
  Epoch epoch;
  Timestamp timestamp;  // the greatest of the batch
  std::vector<Bytes> values;
  std::vector<ControlRecord> control;
  std::size_t size_in_bytes = 0;
};

struct BatchError {
  std::string message;
  bool incomplete = false;  // the batch is cut short by the end of the input
};

/// Takes the batch at the front of `bytes` (untrusted: lengths and CRC are checked). Values are slices of it.
Result<LogBatch, BatchError> decode_batch(const Bytes& bytes);
/// All batches; whole input or an error.
Result<std::vector<LogBatch>, BatchError> decode_batches(const Bytes& bytes);

}  // namespace milena::raft
