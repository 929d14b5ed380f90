/// What a leader checks of the records in a Produce request before it appends them, as Kafka 4.3 does:
/// exactly one v2 batch a partition, intact, with an honest count, no control records, a sequence where there
/// is a producer id, well-formed records, keys where the topic compacts, timestamps within the topic's
/// bounds. And what it changes: log append time, the topic's own compression, a wrong max timestamp.
///
/// Where Milena and Kafka differ (docs/formats/record-batch.md says why):
/// - Records of a compressed batch are looked at only when the topic compacts, stamps, recompresses or bounds
///   how old they may be, when its header shows a timestamp out of bounds, or when check_compressed is set.
/// - A codec that does not exist, or data that does not decompress, is a definite error of the batch and not
///   UNKNOWN_SERVER_ERROR; decompressing more than a limit is MESSAGE_TOO_LARGE.
/// - Offset deltas out of step are put right in uncompressed batches, too.
///
/// Base offset and leader epoch are not set here but at the append (patch_base_offset, patch_leader_epoch).
/// Threads: a scratch belongs to one thread; else values.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "wire/compression.h"
#include "wire/error_code.h"
#include "wire/record_batch.h"

namespace milena::wire {

/// The numbers are Kafka's error codes.
enum class ProduceFault : std::uint8_t {
  kCorruptMessage = 2,
  kMessageTooLarge = 10,
  kInvalidTimestamp = 32,
  kUnsupportedCompressionType = 76,
  kInvalidRecord = 87,
};

constexpr ErrorCode to_error_code(ProduceFault fault) {
  return static_cast<ErrorCode>(fault);
}

/// One rejected record: its place in the batch and why.
struct RecordFault {
  std::int32_t batch_index;
  std::string message;
};

struct ProduceError {
  ProduceFault fault;
  std::string message;
  /// At most kRecordFaultsMax; the clients of a batch fail as a whole anyhow.
  std::vector<RecordFault> records;
  /// It is not one batch of the right format: refused before any log is looked at.
  bool misframed = false;
};
inline constexpr std::size_t kRecordFaultsMax = 1000;

/// How large a batch may become when it is decompressed, by the topic's max.message.bytes: 32 times as much, at
/// least 16 MiB and at most 128 MiB. Records are looked at in one buffer of that size, one batch at a time for each
/// scratch; so an event loop never holds more.
constexpr std::size_t decompressed_limit(std::size_t batch_bytes_max) {
  constexpr std::size_t kLeast = std::size_t{16} << 20;
  constexpr std::size_t kMost = std::size_t{128} << 20;
  return std::clamp(batch_bytes_max, kLeast / 32, kMost / 32) * 32;
}

struct ValidationOptions {
  /// Of the Produce request: zstd is allowed from version 7 on.
  std::int16_t request_version = 13;
  /// "topic-partition", for messages.
  std::string_view partition = "";
  /// max.message.bytes
  std::size_t batch_bytes_max = 1048588;
  /// The topic's cleanup.policy has "compact".
  bool compacted = false;
  /// message.timestamp.type, .before.max.ms, .after.max.ms
  TimestampType timestamp_type = TimestampType::kCreateTime;
  std::int64_t timestamp_before_max_ms = std::numeric_limits<std::int64_t>::max();
  std::int64_t timestamp_after_max_ms = 3600000;
  Timestamp now = kNoTimestamp;
  /// compression.type; nullopt: producer.
  std::optional<Codec> codec = std::nullopt;
  std::optional<int> level = std::nullopt;
  /// Decompress and check the records of compressed batches even where nothing else asks for it.
  bool check_compressed = false;
  /// More is kMessageTooLarge. See decompressed_limit().
  std::size_t decompressed_bytes_max = decompressed_limit(1048588);
};

struct ValidatedBatch {
  /// The batch to append: the bytes given in, patched in place where needed, or rebuilt. Trailing bytes that
  /// are no whole batch are cut off, as by Kafka.
  Bytes bytes;
  bool rebuilt = false;
  /// The records were walked, not only the header.
  bool records_checked = false;
  std::int32_t count = 0;
  Timestamp max_timestamp = kNoTimestamp;
  /// Delta of the first record that has it; -1: not known (records not walked, or log append time).
  std::int32_t max_timestamp_delta = -1;

  /// REQUIRES: `bytes` is still as returned.
  BatchView view() const { return *BatchView::parse(bytes); }
};

/// The first part of validate_produce: whether `records` are one batch of the right format. Where the topic or the
/// request is refused anyhow, Kafka has looked at this before.
Result<void, ProduceError> check_framing(ByteView records, const ValidationOptions& options);

/// REQUIRES: nobody else reads `records` meanwhile: a stamped batch is patched in place.
Result<ValidatedBatch, ProduceError> validate_produce(Bytes records, const ValidationOptions& options,
                                                      CompressionScratch& scratch);

}  // namespace milena::wire
