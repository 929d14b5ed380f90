/// LogOptions: the topic settings that a log acts on, with Kafka's defaults. Whoever owns the log fills them
/// from the configuration; they may be replaced while the log is in use.
#pragma once

#include <cstdint>
#include <limits>

#include "wire/record_batch.h"

namespace milena::log {

struct LogOptions {
  std::int32_t segment_bytes = 1 << 30;                // segment.bytes
  std::int64_t segment_ms = 7LL * 24 * 3600 * 1000;    // segment.ms
  std::int64_t segment_jitter_ms = 0;                  // segment.jitter.ms; each segment draws below it
  std::int32_t segment_index_bytes = 10 << 20;         // segment.index.bytes
  std::int32_t index_interval_bytes = 4096;            // index.interval.bytes
  /// preallocate: a new segment's file is segment_bytes long at once, and cut to what it holds when it is rolled and
  /// at a clean stop. As in Kafka the room behind the records reads as zeros; a log with such a segment does not sleep.
  bool preallocate = false;
  /// cleanup.policy lacks `compact`: a segment that ends before the next one begins has lost its tail.
  bool gapless = false;
  bool delete_old_segments = true;                     // cleanup.policy has `delete`
  std::int64_t retention_ms = 7LL * 24 * 3600 * 1000;  // retention.ms; -1: none
  std::int64_t retention_bytes = -1;                   // retention.bytes; -1: none
  std::int64_t flush_messages = std::numeric_limits<std::int64_t>::max();  // flush.messages
  std::int64_t flush_ms = std::numeric_limits<std::int64_t>::max();        // flush.ms
  wire::TimestampType message_timestamp_type = wire::TimestampType::kCreateTime;
  std::int64_t producer_id_expiration_ms = 24LL * 3600 * 1000;  // producer.id.expiration.ms (broker)
};

}  // namespace milena::log
