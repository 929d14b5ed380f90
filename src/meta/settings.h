/// What the controller needs to know of its node's configuration, and what it asks of the config room.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "image/image.h"

namespace milena::meta {

struct Settings {
  BrokerId node_id = kNoBroker;
  std::string cluster_id;
  std::int32_t num_partitions = 1;               // num.partitions
  std::int16_t default_replication_factor = 1;   // default.replication.factor
  std::int32_t min_insync_replicas = 1;          // min.insync.replicas of the node's file
  bool unclean_leader_election = false;          // unclean.leader.election.enable of the node's file
  bool delete_topic_enable = true;               // delete.topic.enable
  Duration session_timeout = 9s;                 // broker.session.timeout.ms
  Duration max_idle_interval = 500ms;            // metadata.max.idle.interval.ms; 0: no NoOp records
  std::int64_t snapshot_bytes = 20LL * 1024 * 1024;  // metadata.log.max.record.bytes.between.snapshots
  Duration snapshot_interval = 60min;            // metadata.log.max.snapshot.interval.ms; 0: never by time
};

/// One effective topic configuration for a CreateTopics response.
struct EffectiveConfig {
  std::string name;
  std::optional<std::string> value;
  bool read_only = false;
  std::int8_t source = 5;  // ConfigSource of DescribeConfigs: 1 topic, 2 broker, 3 default broker, 4 static, 5 default
  bool sensitive = false;
};

/// Why values are refused: as INVALID_REQUEST where that is set, else as INVALID_CONFIG.
struct ConfigProblem {
  std::string message;
  bool request_wrong = false;
};

/// The config room's knowledge, injected so that tests can do without. All calls are pure.
class ConfigSchema {
 public:
  virtual ~ConfigSchema() = default;
  /// APPEND and SUBTRACT work on lists only.
  virtual bool is_list(std::int8_t resource_type, std::string_view name) const = 0;
  /// What a list key holds where nothing is set, for APPEND and SUBTRACT.
  virtual std::string default_value(std::int8_t resource_type, std::string_view name) const = 0;
  /// Checks the complete values of a resource after a change. Returns what is wrong, else nothing.
  virtual std::optional<ConfigProblem> validate(const image::ConfigResource& resource,
                                                const image::ConfigMap& proposed) const = 0;
  /// Sorted by name.
  virtual std::vector<EffectiveConfig> effective_topic_configs(const image::ConfigMap& default_brokers,
                                                               const image::ConfigMap& this_broker,
                                                               const image::ConfigMap& topic) const = 0;
};

/// Random ids for new topics; 128 random bits that are neither reserved nor start with '-' in text.
using UuidSource = std::function<Uuid()>;

}  // namespace milena::meta
