#include "raft/batch.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/check.h"
#include "base/endian.h"
#include "wire/batch_builder.h"
#include "wire/compression.h"
#include "wire/reader.h"
#include "wire/record.h"
#include "wire/record_batch.h"
#include "wire/writer.h"

namespace milena::raft {
namespace {

constexpr std::size_t kInflatedMax = std::size_t{256} << 20;  // bytes of one batch

enum ControlType : std::uint8_t {
  kLeaderChange = 2,
  kSnapshotHeader = 3,
  kSnapshotFooter = 4,
  kKRaftVersion = 5,
  kKRaftVoters = 6,
};

ControlType type_of(const wire::LeaderChangeMessage&) { return kLeaderChange; }
ControlType type_of(const wire::SnapshotHeaderRecord&) { return kSnapshotHeader; }
ControlType type_of(const wire::SnapshotFooterRecord&) { return kSnapshotFooter; }
ControlType type_of(const wire::KRaftVersionRecord&) { return kKRaftVersion; }
ControlType type_of(const wire::VotersRecord&) { return kKRaftVoters; }

/// The first field of every control message is its version; the key is {key version 0, type}.
std::optional<ControlRecord> decode_control(ByteView key, const Bytes& value) {
  if (key.size() < 4 || value.size() < 2) return std::nullopt;
  auto version = load_be<std::int16_t>(value.data());
  auto decode = [&]<class T>(T message) -> std::optional<ControlRecord> {
    wire::Reader reader(value);
    if (version < T::kMinVersion || version > T::kMaxVersion) return std::nullopt;
    if (!message.decode(reader, version) || !reader.finished()) return std::nullopt;
    return message;
  };
  switch (load_be<std::int16_t>(key.data() + 2)) {
    case kLeaderChange: return decode(wire::LeaderChangeMessage{});
    case kSnapshotHeader: return decode(wire::SnapshotHeaderRecord{});
    case kSnapshotFooter: return decode(wire::SnapshotFooterRecord{});
    case kKRaftVersion: return decode(wire::KRaftVersionRecord{});
    case kKRaftVoters: return decode(wire::VotersRecord{});
    default: return std::nullopt;
  }
}

wire::BatchOptions options(Offset base_offset, Epoch epoch, bool control) {
  wire::BatchOptions options;
  options.base_offset = base_offset;
  options.leader_epoch = epoch;
  options.control = control;
  return options;
}

}  // namespace

Bytes encode_data_batch(Offset base_offset, Epoch epoch, Timestamp timestamp, std::span<const Bytes> values) {
  CHECK(!values.empty());
  wire::BatchBuilder builder(options(base_offset, epoch, false));
  for (const Bytes& value : values) builder.append(timestamp, std::nullopt, value.view());
  return builder.build();
}

Bytes encode_control_batch(Offset base_offset, Epoch epoch, Timestamp timestamp,
                           std::span<const ControlRecord> records) {
  CHECK(!records.empty());
  wire::BatchBuilder builder(options(base_offset, epoch, true));
  for (const ControlRecord& record : records) {
    wire::Writer key;
    wire::Writer value;
    std::visit(
        [&](const auto& message) {
          key.write_int16(0);
          key.write_int16(type_of(message));
          message.encode(value, message.version);
        },
        record);
    builder.append(timestamp, key.to_bytes().view(), value.to_bytes().view());
  }
  return builder.build();
}

Result<LogBatch, BatchError> decode_batch(const Bytes& bytes) {
  auto parsed = wire::BatchView::parse(bytes);
  if (parsed.failed())
    return Err(BatchError{std::string(wire::describe(parsed.error())), parsed.error() == wire::BatchError::kIncomplete});
  const wire::BatchView& view = *parsed;
  if (!view.crc_ok()) return Err(BatchError{fmt::format("wrong CRC at offset {}", view.base_offset())});
  LogBatch batch;
  batch.base_offset = view.base_offset();
  batch.last_offset = view.last_offset();
  batch.epoch = view.leader_epoch();
  batch.timestamp = view.max_timestamp();
  batch.size_in_bytes = view.size();
  if (batch.last_offset < batch.base_offset)
    return Err(BatchError{fmt::format("batch at offset {} ends before it begins", batch.base_offset)});

  Bytes payload = bytes.slice(wire::kBatchHeader, view.payload().size());
  if (view.compressed()) {
    auto codec = view.codec();
    wire::CompressionScratch scratch;
    if (!codec.has_value()) return Err(BatchError{fmt::format("unknown codec at offset {}", batch.base_offset)});
    wire::DecompressOptions limit;
    limit.bytes_max = kInflatedMax;
    Buffer plain;
    if (wire::decompress(*codec, payload, limit, plain, scratch).failed())
      return Err(BatchError{fmt::format("cannot decompress the batch at {}", batch.base_offset)});
    payload = plain.freeze();
  }
  wire::RecordReader reader(view, payload);
  wire::RecordView record;
  while (reader.next(record)) {
    if (!record.value.has_value())
      return Err(BatchError{fmt::format("record at offset {} has no value", record.offset)});
    Bytes value = payload.slice(static_cast<std::size_t>(record.value->data() - payload.data()), record.value->size());
    if (!view.control()) {
      batch.values.push_back(std::move(value));
      continue;
    }
    auto control = record.key.has_value() ? decode_control(*record.key, value) : std::nullopt;
    if (!control.has_value())
      return Err(BatchError{fmt::format("control record at offset {} is not known", record.offset)});
    const auto* version = std::get_if<wire::KRaftVersionRecord>(&*control);
    if (version != nullptr && version->k_raft_version > kLatestKRaftVersion)
      return Err(BatchError{fmt::format("KRaftVersionRecord at offset {}: kraft.version {} is above {}, the highest known",
                                        record.offset, version->k_raft_version, kLatestKRaftVersion)});
    batch.control.push_back(*std::move(control));
  }
  if (auto error = reader.error(); error.has_value())
    return Err(BatchError{fmt::format("batch at offset {}: {}", batch.base_offset, wire::describe(*error))});
  return batch;
}

Result<std::vector<LogBatch>, BatchError> decode_batches(const Bytes& bytes) {
  std::vector<LogBatch> batches;
  std::size_t at = 0;
  while (at < bytes.size()) {
    TRY_ASSIGN(LogBatch batch, decode_batch(bytes.slice(at, bytes.size() - at)));
    at += batch.size_in_bytes;
    batches.push_back(std::move(batch));
  }
  return batches;
}

}  // namespace milena::raft
