/// A controller with its log in memory, for the tests of this room: decisions are appended, replayed and committed
/// at once, and the invariants hold after each.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "meta/activation.h"
#include "meta/brokers.h"
#include "meta/controller.h"
#include "meta/topics.h"

namespace milena::meta {

/// Lists are cleanup.policy alone; retention.ms must be digits.
class FakeSchema : public ConfigSchema {
 public:
  bool is_list(std::int8_t, std::string_view name) const override { return name == "cleanup.policy"; }
  std::string default_value(std::int8_t, std::string_view name) const override {
    return name == "cleanup.policy" ? "delete" : "";
  }
  std::optional<ConfigProblem> validate(const image::ConfigResource&, const image::ConfigMap& proposed) const override {
    auto found = proposed.find("retention.ms");
    if (found == proposed.end() || found->second.find_first_not_of("0123456789") == std::string::npos)
      return std::nullopt;
    return ConfigProblem{"Invalid value " + found->second + " for configuration retention.ms"};
  }
  std::vector<EffectiveConfig> effective_topic_configs(const image::ConfigMap&, const image::ConfigMap&,
                                                       const image::ConfigMap& topic) const override {
    std::vector<EffectiveConfig> all;
    for (const auto& [name, value] : topic) all.push_back({name, value, false, 1, false});
    return all;
  }
};

struct World {
  explicit World(Settings custom = {}) : settings(std::move(custom)) { restart(); }

  void restart() {
    settings.node_id = BrokerId(1);
    settings.cluster_id = "cluster";
    image::Image start = controller.has_value() ? controller->image() : image::Image();
    controller.emplace(settings, schema, std::move(start), [this] { return Uuid{1000, ++uuids}; }, 7);
    append(controller->activate(default_bootstrap(), now));
  }

  Offset next() const { return Offset(static_cast<std::int64_t>(log.size())); }
  Context context() { return controller->context(next(), now); }
  const image::Image& image() const { return controller->image(); }

  void append(const std::vector<image::MetadataRecord>& records) {
    if (records.empty()) return;
    log.insert(log.end(), records.begin(), records.end());
    auto replayed = controller->replay(records, next() - 1, Epoch(1), Timestamp(0), now);
    ASSERT_TRUE(replayed.has_value()) << replayed.error().message;
    controller->commit(next());
    controller->check_invariants();
  }

  wire::BrokerRegistrationResponse register_broker(int id, std::uint64_t incarnation, std::int64_t previous = -1,
                                                   std::optional<std::string> rack = std::nullopt) {
    wire::BrokerRegistrationRequest request;
    request.broker_id = id;
    request.cluster_id = "cluster";
    request.incarnation_id = Uuid{5, incarnation};
    request.rack = std::move(rack);
    request.previous_broker_epoch = previous;
    request.log_dirs = {Uuid{100, static_cast<std::uint64_t>(id)}};
    for (const auto& supported : image::kSupportedFeatures) {
      auto& feature = request.features.emplace_back();
      feature.name = supported.name;
      feature.min_supported_version = supported.min_level;
      feature.max_supported_version = supported.max_level;
    }
    auto decision = meta::register_broker(context(), request);
    append(decision.records);
    return decision.response;
  }

  wire::BrokerHeartbeatResponse heartbeat(int id, bool want_shut_down = false, bool want_fence = false) {
    wire::BrokerHeartbeatRequest request;
    request.broker_id = id;
    request.broker_epoch = image().broker(BrokerId(id))->broker_epoch;
    request.current_metadata_offset = next().value() - 1;
    request.want_shut_down = want_shut_down;
    request.want_fence = want_fence;
    auto decision = broker_heartbeat(context(), request);
    append(decision.records);
    apply_heartbeat(controller->heartbeats(), request, decision, next(), now);
    return decision.response;
  }

  void start_broker(int id, std::uint64_t incarnation = 1, std::int64_t previous = -1) {
    ASSERT_EQ(register_broker(id, incarnation, previous).error_code, 0);
    ASSERT_FALSE(heartbeat(id).is_fenced);
  }

  wire::CreateTopicsResponse::CreatableTopicResult create(
      std::string name, int partitions = 1, int replicas = 1,
      std::vector<std::pair<std::string, std::string>> configs = {}) {
    wire::CreateTopicsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = std::move(name);
    topic.num_partitions = partitions;
    topic.replication_factor = static_cast<std::int16_t>(replicas);
    for (auto& [key, value] : configs) {
      auto& config = topic.configs.emplace_back();
      config.name = key;
      config.value = value;
    }
    auto decision = create_topics(context(), request);
    append(decision.records);
    return decision.response.topics.at(0);
  }

  const image::Partition& partition(std::string_view topic, int index = 0) const {
    return *image().topic(topic)->partition(PartitionId(index));
  }

  Settings settings;
  FakeSchema schema;
  Instant now{100s};
  std::uint64_t uuids = 0;
  std::vector<image::MetadataRecord> log;
  std::optional<Controller> controller;
};

inline std::vector<std::string_view> types(const std::vector<image::MetadataRecord>& records, std::size_t from = 0) {
  std::vector<std::string_view> names;
  for (std::size_t i = from; i < records.size(); ++i) names.push_back(image::type_name(records[i].message));
  return names;
}

inline std::vector<BrokerId> ids(std::initializer_list<int> values) {
  std::vector<BrokerId> out;
  for (int value : values) out.emplace_back(value);
  return out;
}

}  // namespace milena::meta
