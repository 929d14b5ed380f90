#include "config/log_config.h"

#include <algorithm>

#include "base/check.h"

namespace milena::config {
namespace {

// Reads the effective values of one topic's keys by name.
class Reader {
 public:
  Reader(const KafkaConfig& broker, const Properties& overrides) : broker_(broker), overrides_(overrides) {}

  std::int64_t integer(std::string_view name) const { return get<std::int64_t>(name); }
  std::int32_t int32(std::string_view name) const { return static_cast<std::int32_t>(integer(name)); }
  Duration ms(std::string_view name) const { return duration_from_ms(integer(name)); }
  bool boolean(std::string_view name) const { return get<bool>(name); }
  double number(std::string_view name) const { return get<double>(name); }
  std::string text(std::string_view name) const { return get<std::string>(name); }
  bool is_set(std::string_view name) const {
    return !std::holds_alternative<std::monostate>(topic_value(broker_, overrides_, *find_key(Scope::kTopic, name)));
  }
  bool contains(std::string_view name, std::string_view element) const {
    return std::ranges::count(get<std::vector<std::string>>(name), element) > 0;
  }

 private:
  template <class T>
  T get(std::string_view name) const {
    const Key* key = find_key(Scope::kTopic, name);
    CHECK(key != nullptr, "{} is no topic key", name);
    Value value = topic_value(broker_, overrides_, *key);
    CHECK(std::holds_alternative<T>(value), "{} is null or of another type", name);
    return std::get<T>(std::move(value));
  }

  const KafkaConfig& broker_;
  const Properties& overrides_;
};

CompressionType compression(std::string_view name) {
  if (name == "uncompressed") return CompressionType::kUncompressed;
  if (name == "gzip") return CompressionType::kGzip;
  if (name == "snappy") return CompressionType::kSnappy;
  if (name == "lz4") return CompressionType::kLz4;
  if (name == "zstd") return CompressionType::kZstd;
  return CompressionType::kProducer;
}

}  // namespace

Value topic_value(const KafkaConfig& broker, const Properties& overrides, const Key& key) {
  if (auto given = overrides.find(std::string(key.name)); given != overrides.end()) {
    auto value = parse_value(key, given->second);
    if (value.has_value()) return std::move(*value);
  }
  for (const TopicSynonym& synonym : topic_synonyms(key.name)) {
    const Value& value = broker.value(synonym.broker_key);
    if (std::holds_alternative<std::monostate>(value)) continue;
    const auto* integer = std::get_if<std::int64_t>(&value);
    if (integer == nullptr) return value;
    if (*integer < 0 && key.name == "retention.ms") return std::int64_t{-1};  // no limit, in every unit
    return *integer * synonym.factor;  // an INT times at most 3,600,000 fits
  }
  return default_value(key);
}

LogConfig log_config(const KafkaConfig& broker, const Properties& overrides) {
  Reader read(broker, overrides);
  LogConfig c{};
  c.segment_bytes = read.int32(read.is_set("internal.segment.bytes") ? "internal.segment.bytes" : "segment.bytes");
  c.segment_ms = read.ms("segment.ms");
  c.segment_jitter_ms = read.ms("segment.jitter.ms");
  c.segment_index_bytes = read.int32("segment.index.bytes");
  c.index_interval_bytes = read.int32("index.interval.bytes");
  c.preallocate = read.boolean("preallocate");

  c.cleanup_delete = read.contains("cleanup.policy", "delete");
  c.cleanup_compact = read.contains("cleanup.policy", "compact");
  if (std::int64_t bytes = read.integer("retention.bytes"); bytes >= 0) c.retention_bytes = bytes;
  if (std::int64_t ms = read.integer("retention.ms"); ms >= 0) c.retention_ms = duration_from_ms(ms);
  c.file_delete_delay_ms = read.ms("file.delete.delay.ms");
  c.delete_retention_ms = read.ms("delete.retention.ms");
  c.min_compaction_lag_ms = read.ms("min.compaction.lag.ms");
  c.max_compaction_lag_ms = read.ms("max.compaction.lag.ms");
  c.min_cleanable_dirty_ratio = read.number("min.cleanable.dirty.ratio");

  c.flush_messages = read.integer("flush.messages");
  c.flush_ms = read.ms("flush.ms");

  c.max_message_bytes = read.int32("max.message.bytes");
  c.compression_type = compression(read.text("compression.type"));
  c.compression_gzip_level = read.int32("compression.gzip.level");
  c.compression_lz4_level = read.int32("compression.lz4.level");
  c.compression_zstd_level = read.int32("compression.zstd.level");
  c.message_timestamp_type = read.text("message.timestamp.type") == "LogAppendTime"
                                 ? TimestampType::kLogAppendTime
                                 : TimestampType::kCreateTime;
  c.message_timestamp_before_max_ms = read.integer("message.timestamp.before.max.ms");
  c.message_timestamp_after_max_ms = read.integer("message.timestamp.after.max.ms");

  c.min_insync_replicas = read.int32("min.insync.replicas");
  c.unclean_leader_election_enable = read.boolean("unclean.leader.election.enable");
  return c;
}

}  // namespace milena::config
