/// A node's configuration, typed: what the rooms that run it act on. Made once from a KafkaConfig, at the
/// start. Plain values, no lookups by name. A topic's configuration, which follows dynamic values,
/// is in log_config.h.
///
/// Only keys that work stand here (status.h); who makes another key work adds its field.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "config/address.h"
#include "config/kafka_config.h"
#include "config/listeners.h"
#include "config/own_keys.h"

namespace milena::config {

struct SocketConfig {
  std::int32_t request_max_bytes;
  Duration connections_max_idle;
  std::optional<std::int32_t> network_threads;  // nullopt: not set, one loop per usable CPU
};

struct QuorumConfig {
  std::vector<Voter> voters;  // static ones; empty with dynamic voters (KIP-853)
  std::vector<Address> bootstrap_servers;
};

struct MetadataLogConfig {
  std::string dir;  // metadata.log.dir, else the first log directory
  std::int32_t segment_bytes;
  Duration segment_ms;
  std::optional<std::int64_t> retention_bytes;
  std::optional<Duration> retention_ms;
  std::int64_t snapshot_new_bytes;            // write a snapshot after that many bytes of new records
  std::optional<Duration> snapshot_interval;  // and after that long with new records
  std::optional<Duration> idle_interval;      // a no-op record after that long without one
};

struct LogManagerConfig {
  std::vector<std::string> dirs;  // not empty, no duplicates
  Duration retention_check_interval;
  Duration flush_check_interval;  // Duration::max(): never
  Duration recovery_checkpoint_interval;
  Duration high_watermark_checkpoint_interval;
};

struct BrokerLifeConfig {
  Duration heartbeat_interval;
  Duration session_timeout;
  bool controlled_shutdown;
};

struct TopicConfig {
  bool delete_enabled;
  std::int32_t partitions;
  std::int16_t replication_factor;
};

struct FetchConfig {
  std::int32_t max_bytes;
  std::int32_t session_slots;
};

/// Classic groups and committed offsets.
struct GroupCoordinatorConfig {
  Duration initial_rebalance_delay;
  Duration min_session_timeout;
  Duration max_session_timeout;
  std::int32_t max_size;
  Duration offsets_retention;
  Duration offsets_retention_check_interval;
  std::int32_t offset_metadata_max_bytes;
};

struct ServerConfig {
  BrokerId node_id;
  bool broker = false;
  bool controller = false;
  std::optional<std::string> rack;
  Listeners listeners;

  SocketConfig socket{};
  QuorumConfig quorum{};
  MetadataLogConfig metadata_log{};
  LogManagerConfig log{};
  BrokerLifeConfig life{};
  TopicConfig topic{};
  FetchConfig fetch{};
  GroupCoordinatorConfig group{};
  HttpConfig http{};
};

/// Errors: everything about listeners (listeners.h), and values that do not fit together.
Result<ServerConfig, ConfigErrors> server_config(const KafkaConfig& config);

}  // namespace milena::config
