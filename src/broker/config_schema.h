/// What the controller asks about configuration keys, answered by the config room.
#pragma once

#include <memory>

#include "config/kafka_config.h"
#include "meta/settings.h"

namespace milena::broker {

/// Threads: the control loop.
class NodeConfigSchema : public meta::ConfigSchema {
 public:
  explicit NodeConfigSchema(std::shared_ptr<const config::KafkaConfig> broker) : broker_(std::move(broker)) {}

  bool is_list(std::int8_t resource_type, std::string_view name) const override;
  std::string default_value(std::int8_t resource_type, std::string_view name) const override;
  std::optional<meta::ConfigProblem> validate(const image::ConfigResource& resource,
                                              const image::ConfigMap& proposed) const override;
  std::vector<meta::EffectiveConfig> effective_topic_configs(const image::ConfigMap& default_brokers,
                                                             const image::ConfigMap& this_broker,
                                                             const image::ConfigMap& topic) const override;

 private:
  std::optional<meta::ConfigProblem> validate_broker(const image::ConfigResource& resource,
                                                     const image::ConfigMap& proposed) const;
  std::shared_ptr<const config::KafkaConfig> broker_;
};

}  // namespace milena::broker
