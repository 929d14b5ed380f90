/// The answer to DescribeConfigs: each key's value, where it comes from, and the layers below it (synonyms).
/// Sources and the rules of precedence are Kafka's: KIP-133, KIP-226, KIP-569 (types, documentation).
/// Values are those of LogConfig and KafkaConfig; secrets are never shown. Entries are sorted by name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/properties.h"
#include "config/kafka_config.h"

namespace milena::config {

/// Ids as on the wire.
enum class ConfigSource : std::int8_t {
  kUnknown = 0,
  kTopic = 1,
  kDynamicBroker = 2,
  kDynamicDefaultBroker = 3,
  kStaticBroker = 4,
  kDefault = 5,
  kDynamicBrokerLogger = 6,
  kClientMetrics = 7,
  kGroup = 8,
};

struct ConfigSynonym {
  std::string name;
  std::optional<std::string> value;  // nullopt: a secret
  ConfigSource source = ConfigSource::kUnknown;
  friend bool operator==(const ConfigSynonym&, const ConfigSynonym&) = default;
};

struct ConfigEntry {
  std::string name;
  std::optional<std::string> value;  // nullopt: null or a secret
  ConfigSource source = ConfigSource::kDefault;
  bool read_only = false;
  bool sensitive = false;
  std::int8_t type = 0;  // DescribeConfigs' config type: 0 unknown, 1 BOOLEAN, ... 9 PASSWORD
  std::vector<ConfigSynonym> synonyms;
  std::string_view documentation;
};

/// The keys asked for; nullopt: all. Names that are no key are left out of the answer, as in Kafka.
using KeyFilter = std::optional<std::vector<std::string>>;

/// A topic with its own values `overrides` on this broker.
std::vector<ConfigEntry> describe_topic(const KafkaConfig& broker, const Properties& overrides,
                                        const KeyFilter& filter);
/// This broker: every key that is not internal, and unknown ones that were set (as secrets).
std::vector<ConfigEntry> describe_broker(const KafkaConfig& broker, const KeyFilter& filter);
/// The dynamic values for all brokers (the broker resource without a name).
std::vector<ConfigEntry> describe_all_brokers(const KafkaConfig& broker, const KeyFilter& filter);
/// A group with its own values. The broker keys `group.<key>` give the defaults.
std::vector<ConfigEntry> describe_group(const KafkaConfig& broker, const Properties& overrides,
                                        const KeyFilter& filter);
std::vector<ConfigEntry> describe_client_metrics(const Properties& values, const KeyFilter& filter);

}  // namespace milena::config
