#include "replica/partition_settings.h"

#include <limits>

namespace milena::replica {
namespace {

constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

std::int64_t ms_or_forever(Duration duration) { return duration == Duration::max() ? kForever : to_ms(duration); }

void set_compression(const config::LogConfig& from, PartitionSettings& to) {
  auto level = [](int value) { return value == -1 ? std::nullopt : std::optional<int>(value); };
  switch (from.compression_type) {
    case config::CompressionType::kProducer: to.codec = std::nullopt; return;
    case config::CompressionType::kUncompressed: to.codec = wire::Codec::kNone; return;
    case config::CompressionType::kGzip:
      to.codec = wire::Codec::kGzip;
      to.compression_level = level(from.compression_gzip_level);
      return;
    case config::CompressionType::kSnappy: to.codec = wire::Codec::kSnappy; return;
    case config::CompressionType::kLz4:
      to.codec = wire::Codec::kLz4;
      to.compression_level = level(from.compression_lz4_level);
      return;
    case config::CompressionType::kZstd:
      to.codec = wire::Codec::kZstd;
      to.compression_level = level(from.compression_zstd_level);
      return;
  }
}

}  // namespace

PartitionSettings partition_settings(const config::KafkaConfig& broker, const image::Image& image,
                                     const std::string& topic) {
  config::LogConfig from = config::log_config(broker, image.config(image::ResourceType::kTopic, topic));
  PartitionSettings to;
  to.log.segment_bytes = from.segment_bytes;
  to.log.segment_ms = ms_or_forever(from.segment_ms);
  to.log.segment_jitter_ms = to_ms(from.segment_jitter_ms);
  to.log.segment_index_bytes = from.segment_index_bytes;
  to.log.index_interval_bytes = from.index_interval_bytes;
  to.log.preallocate = from.preallocate;
  to.log.delete_old_segments = from.cleanup_delete;
  to.log.gapless = !from.cleanup_compact;
  to.log.retention_ms = from.retention_ms.has_value() ? to_ms(*from.retention_ms) : -1;
  to.log.retention_bytes = from.retention_bytes.value_or(-1);
  to.log.flush_messages = from.flush_messages;
  to.log.flush_ms = ms_or_forever(from.flush_ms);
  to.log.message_timestamp_type = from.message_timestamp_type == config::TimestampType::kLogAppendTime
                                      ? wire::TimestampType::kLogAppendTime
                                      : wire::TimestampType::kCreateTime;
  to.log.producer_id_expiration_ms = broker.integer("producer.id.expiration.ms");
  to.max_message_bytes = from.max_message_bytes;
  to.min_insync_replicas = from.min_insync_replicas;
  to.compacted = from.cleanup_compact;
  to.timestamp_before_max_ms = from.message_timestamp_before_max_ms;
  to.timestamp_after_max_ms = from.message_timestamp_after_max_ms;
  to.file_delete_delay_ms = to_ms(from.file_delete_delay_ms);
  set_compression(from, to);
  return to;
}

}  // namespace milena::replica
