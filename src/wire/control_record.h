/// Control records: what brokers and the metadata quorum write for themselves into control batches. The key
/// is version i16 = 0, type i16 (big-endian); the value is the type's message behind its version. Sources:
/// KIP-98 (transaction markers), KIP-595, KIP-630, KIP-853 (metadata quorum).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "wire/batch_builder.h"

namespace milena::wire {

enum class ControlType : std::int16_t {  // NOLINT(performance-enum-size) as on the wire
  kAbort = 0,
  kCommit = 1,
  kLeaderChange = 2,
  kSnapshotHeader = 3,
  kSnapshotFooter = 4,
  kKRaftVersion = 5,
  kKRaftVoters = 6,
};

std::array<std::uint8_t, 4> control_key(ControlType type);

/// The type number in a control record's key; nullopt: no control key. It may be a type that ControlType does
/// not have yet: readers skip those.
std::optional<std::int16_t> parse_control_key(ByteView key);

/// The value of a transaction marker (types kAbort, kCommit): version i16 = 0, coordinator epoch i32.
std::array<std::uint8_t, 6> end_txn_value(std::int32_t coordinator_epoch);
/// The coordinator epoch; nullopt: no marker value.
std::optional<std::int32_t> parse_end_txn_value(ByteView value);

struct ControlRecord {
  ControlType type;
  ByteView value;
};

/// A control batch at options.base_offset, uncompressed; options.control is implied.
/// REQUIRES: at least one record.
Bytes make_control_batch(BatchOptions options, Timestamp timestamp, std::span<const ControlRecord> records);

/// The marker that ends a transaction in one partition.
struct EndTxnMarker {
  bool commit;
  std::int32_t coordinator_epoch;
  ProducerId producer_id;
  std::int16_t producer_epoch;
};
Bytes make_end_txn_batch(const EndTxnMarker& marker, Offset offset, Epoch leader_epoch, Timestamp timestamp);

}  // namespace milena::wire
