#include "wire/control_record.h"

#include "base/endian.h"

namespace milena::wire {

std::array<std::uint8_t, 4> control_key(ControlType type) {
  std::array<std::uint8_t, 4> key{};
  store_be(key.data() + 2, static_cast<std::int16_t>(type));
  return key;
}

std::optional<std::int16_t> parse_control_key(ByteView key) {
  // Later versions may only add fields, so the type is where version 0 has it.
  if (key.size() < 4 || load_be<std::int16_t>(key.data()) < 0) return std::nullopt;
  return load_be<std::int16_t>(key.data() + 2);
}

std::array<std::uint8_t, 6> end_txn_value(std::int32_t coordinator_epoch) {
  std::array<std::uint8_t, 6> value{};
  store_be(value.data() + 2, coordinator_epoch);
  return value;
}

std::optional<std::int32_t> parse_end_txn_value(ByteView value) {
  if (value.size() < 6 || load_be<std::int16_t>(value.data()) < 0) return std::nullopt;
  return load_be<std::int32_t>(value.data() + 2);
}

Bytes make_control_batch(BatchOptions options, Timestamp timestamp, std::span<const ControlRecord> records) {
  options.control = true;
  options.codec = Codec::kNone;
  BatchBuilder builder(options);
  for (const ControlRecord& record : records) {
    auto key = control_key(record.type);
    builder.append(timestamp, ByteView(key), record.value);
  }
  return builder.build();
}

Bytes make_end_txn_batch(const EndTxnMarker& marker, Offset offset, Epoch leader_epoch, Timestamp timestamp) {
  BatchOptions options;
  options.base_offset = offset;
  options.leader_epoch = leader_epoch;
  options.producer_id = marker.producer_id;
  options.producer_epoch = marker.producer_epoch;
  options.transactional = true;
  auto value = end_txn_value(marker.coordinator_epoch);
  ControlRecord record{marker.commit ? ControlType::kCommit : ControlType::kAbort, ByteView(value)};
  return make_control_batch(options, timestamp, {&record, 1});
}

}  // namespace milena::wire
