#include "log/record_times.h"

#include <fmt/format.h>

#include "wire/compression.h"
#include "wire/log_entry.h"
#include "wire/record.h"

namespace milena::log {
namespace {

/// A batch that a client made may be a bomb: no batch Kafka accepts inflates to more.
constexpr std::size_t kInflatedMax = 1ULL << 30;

LogError unreadable(std::string_view why) {
  return {LogErrorKind::kCorrupt, fmt::format("a batch's records cannot be read: {}", why)};
}

LogResult<std::optional<RecordTime>> look_into_batch(const wire::BatchView& batch, Timestamp target,
                                                     Offset from) {
  // All records have the append time.
  if (batch.timestamp_type() == wire::TimestampType::kLogAppendTime && batch.base_offset() >= from) {
    if (batch.max_timestamp() < target) return std::nullopt;
    return RecordTime{batch.base_offset(), batch.max_timestamp()};
  }
  Buffer inflated;
  ByteView payload = batch.payload();
  if (batch.compressed()) {
    auto codec = batch.codec();
    if (!codec) return Err(unreadable("unknown codec"));
    wire::CompressionScratch scratch;
    auto done = wire::decompress(*codec, payload, {.bytes_max = kInflatedMax}, inflated, scratch);
    if (done.failed()) return Err(unreadable(wire::describe(done.error())));
    payload = inflated.view();
  }
  wire::RecordReader reader(batch, payload);
  wire::RecordView record;
  while (reader.next(record)) {
    if (record.offset >= from && record.timestamp >= target)
      return RecordTime{record.offset, record.timestamp};
  }
  if (auto error = reader.error(); error.has_value()) return Err(unreadable(wire::describe(*error)));
  return std::nullopt;
}

}  // namespace

LogResult<std::optional<RecordTime>> first_record_at_or_after(ByteView bytes, Timestamp target, Offset from) {
  auto entry = wire::LogEntryView::parse(bytes);
  if (entry.failed()) return Err(unreadable(wire::describe(entry.error())));
  if (entry->is_batch()) return look_into_batch(entry->batch(), target, from);
  wire::CompressionScratch scratch;
  auto reader = wire::LegacyReader::open(entry->legacy(), kInflatedMax, scratch);
  if (reader.failed()) return Err(unreadable(wire::describe(reader.error())));
  wire::LegacyRecordView record;
  while (reader->next(record)) {
    if (record.offset >= from && record.timestamp >= target)
      return RecordTime{record.offset, record.timestamp};
  }
  return std::nullopt;
}

}  // namespace milena::log
