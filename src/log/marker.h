/// What a transaction marker says: the first record of a control batch with a producer (KIP-98).
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "wire/control_record.h"
#include "wire/record.h"

namespace milena::log {

struct Marker {
  bool commit = false;
  std::int32_t coordinator_epoch = -1;
  Timestamp timestamp = kNoTimestamp;
};

/// Empty result: no record, or not a marker's.
inline std::optional<Marker> read_marker(const wire::BatchView& batch) {
  if (batch.compressed()) return std::nullopt;
  wire::RecordReader reader(batch);
  wire::RecordView record;
  if (!reader.next(record) || !record.key || !record.value) return std::nullopt;
  auto type = wire::parse_control_key(*record.key);
  auto epoch = wire::parse_end_txn_value(*record.value);
  if (!type || !epoch) return std::nullopt;
  bool commit = *type == static_cast<std::int16_t>(wire::ControlType::kCommit);
  if (!commit && *type != static_cast<std::int16_t>(wire::ControlType::kAbort)) return std::nullopt;
  return Marker{commit, *epoch, record.timestamp};
}

}  // namespace milena::log
