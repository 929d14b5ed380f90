#include "config/server_config.h"

#include <algorithm>

#include "config/checks.h"

namespace milena::config {
namespace {

std::int32_t int32(const KafkaConfig& config, std::string_view name) {
  return static_cast<std::int32_t>(config.integer(name));  // an INT key; parse_value checked the range
}

std::int16_t int16(const KafkaConfig& config, std::string_view name) {
  return static_cast<std::int16_t>(std::clamp<std::int64_t>(config.integer(name), INT16_MIN, INT16_MAX));
}

std::optional<Duration> positive_ms(const KafkaConfig& config, std::string_view name) {
  std::int64_t ms = config.integer(name);
  if (ms <= 0) return std::nullopt;
  return duration_from_ms(ms);
}

SocketConfig socket_config(const KafkaConfig& config) {
  SocketConfig socket{};
  socket.request_max_bytes = int32(config, "socket.request.max.bytes");
  socket.connections_max_idle = config.milliseconds("connections.max.idle.ms");
  if (config.is_set("num.network.threads")) socket.network_threads = int32(config, "num.network.threads");
  return socket;
}

QuorumConfig quorum_config(const KafkaConfig& config) {
  QuorumConfig quorum{};
  for (const std::string& entry : config.list("controller.quorum.voters")) {
    if (auto voter = parse_voter(entry)) quorum.voters.push_back(*voter);
  }
  for (const std::string& entry : config.list("controller.quorum.bootstrap.servers")) {
    if (auto address = parse_address(entry)) quorum.bootstrap_servers.push_back(*address);
  }
  return quorum;
}

std::vector<std::string> log_dirs(const KafkaConfig& config) {
  return config.is_null("log.dirs") ? config.list("log.dir") : config.list("log.dirs");
}

MetadataLogConfig metadata_log_config(const KafkaConfig& config) {
  MetadataLogConfig log{};
  log.dir = config.is_null("metadata.log.dir") ? log_dirs(config).front() : config.text("metadata.log.dir");
  log.segment_bytes = int32(config, "metadata.log.segment.bytes");
  if (!config.is_null("internal.metadata.log.segment.bytes")) {
    log.segment_bytes = int32(config, "internal.metadata.log.segment.bytes");
  }
  log.segment_ms = config.milliseconds("metadata.log.segment.ms");
  if (std::int64_t bytes = config.integer("metadata.max.retention.bytes"); bytes >= 0)
    log.retention_bytes = bytes;
  if (config.integer("metadata.max.retention.ms") >= 0)
    log.retention_ms = config.milliseconds("metadata.max.retention.ms");
  log.snapshot_new_bytes = config.integer("metadata.log.max.record.bytes.between.snapshots");
  log.snapshot_interval = positive_ms(config, "metadata.log.max.snapshot.interval.ms");
  log.idle_interval = positive_ms(config, "metadata.max.idle.interval.ms");
  return log;
}

LogManagerConfig log_manager_config(const KafkaConfig& config) {
  LogManagerConfig log{};
  log.dirs = log_dirs(config);
  log.retention_check_interval = config.milliseconds("log.retention.check.interval.ms");
  log.flush_check_interval = config.milliseconds("log.flush.scheduler.interval.ms");
  log.recovery_checkpoint_interval = config.milliseconds("log.flush.offset.checkpoint.interval.ms");
  log.high_watermark_checkpoint_interval =
      config.milliseconds("replica.high.watermark.checkpoint.interval.ms");
  return log;
}

GroupCoordinatorConfig group_config(const KafkaConfig& config) {
  GroupCoordinatorConfig group{};
  group.initial_rebalance_delay = config.milliseconds("group.initial.rebalance.delay.ms");
  group.min_session_timeout = config.milliseconds("group.min.session.timeout.ms");
  group.max_session_timeout = config.milliseconds("group.max.session.timeout.ms");
  group.max_size = int32(config, "group.max.size");
  group.offsets_retention = std::chrono::minutes(config.integer("offsets.retention.minutes"));
  group.offsets_retention_check_interval = config.milliseconds("offsets.retention.check.interval.ms");
  group.offset_metadata_max_bytes = int32(config, "offset.metadata.max.bytes");
  return group;
}

}  // namespace

Result<ServerConfig, ConfigErrors> server_config(const KafkaConfig& config) {
  ConfigErrors errors = check_values(config);
  auto listeners = read_listeners(config);
  if (listeners.failed()) {
    errors.insert(errors.end(), listeners.error().begin(), listeners.error().end());
  }
  auto http = http_config(config);
  if (http.failed()) errors.insert(errors.end(), http.error().begin(), http.error().end());
  if (!errors.empty()) return Err(std::move(errors));

  ServerConfig server;
  server.node_id = BrokerId(int32(config, "node.id"));
  const auto& roles = config.list("process.roles");
  server.broker = std::ranges::find(roles, "broker") != roles.end();
  server.controller = std::ranges::find(roles, "controller") != roles.end();
  if (!config.is_null("broker.rack")) server.rack = config.text("broker.rack");
  server.listeners = std::move(*listeners);
  server.socket = socket_config(config);
  server.quorum = quorum_config(config);
  server.metadata_log = metadata_log_config(config);
  server.log = log_manager_config(config);
  server.life.heartbeat_interval = config.milliseconds("broker.heartbeat.interval.ms");
  server.life.session_timeout = config.milliseconds("broker.session.timeout.ms");
  server.life.controlled_shutdown = config.boolean("controlled.shutdown.enable");
  server.topic.delete_enabled = config.boolean("delete.topic.enable");
  server.topic.partitions = int32(config, "num.partitions");
  server.topic.replication_factor = int16(config, "default.replication.factor");
  server.fetch.max_bytes = int32(config, "fetch.max.bytes");
  server.fetch.session_slots = int32(config, "max.incremental.fetch.session.cache.slots");
  server.group = group_config(config);
  server.http = std::move(*http);
  return server;
}

}  // namespace milena::config
