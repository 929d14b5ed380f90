/// A topic's configuration, typed: what a partition's log and its leader act on. Resolved from the topic's
/// own values over the broker's (`retention.ms` over `log.retention.ms` over `.minutes` over `.hours`) over
/// the defaults. Plain values; copy freely.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/properties.h"
#include "base/time.h"
#include "config/kafka_config.h"

namespace milena::config {

enum class CompressionType : std::uint8_t { kUncompressed, kGzip, kSnappy, kLz4, kZstd, kProducer };
enum class TimestampType : std::uint8_t { kCreateTime, kLogAppendTime };

/// Field names are the keys' with `.` as `_`; units as there. "Never" is Duration::max(), "no limit" nullopt.
struct LogConfig {
  std::int32_t segment_bytes;
  Duration segment_ms;
  Duration segment_jitter_ms;
  std::int32_t segment_index_bytes;
  std::int32_t index_interval_bytes;
  bool preallocate;

  bool cleanup_delete;
  bool cleanup_compact;
  std::optional<std::int64_t> retention_bytes;
  std::optional<Duration> retention_ms;
  Duration file_delete_delay_ms;
  Duration delete_retention_ms;
  Duration min_compaction_lag_ms;
  Duration max_compaction_lag_ms;
  double min_cleanable_dirty_ratio;

  std::int64_t flush_messages;  // records; INT64_MAX: never by count
  Duration flush_ms;            // Duration::max(): never by time

  std::int32_t max_message_bytes;
  CompressionType compression_type;
  int compression_gzip_level;  // -1: the codec's default
  int compression_lz4_level;
  int compression_zstd_level;
  TimestampType message_timestamp_type;
  std::int64_t message_timestamp_before_max_ms;  // milliseconds; INT64_MAX: no limit
  std::int64_t message_timestamp_after_max_ms;

  std::int32_t min_insync_replicas;
  bool unclean_leader_election_enable;

  friend bool operator==(const LogConfig&, const LogConfig&) = default;
};

/// The configuration of a topic with `overrides` on this broker. An override that is no key or not valid (a
/// later version's, say) counts as not there: the log must open.
LogConfig log_config(const KafkaConfig& broker, const Properties& overrides = {});

/// The effective value of one topic key. REQUIRES: `key` is a topic key.
Value topic_value(const KafkaConfig& broker, const Properties& overrides, const Key& key);

}  // namespace milena::config
