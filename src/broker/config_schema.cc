#include "broker/config_schema.h"

#include "config/alter.h"
#include "config/checks.h"
#include "config/describe.h"
#include "config/key.h"
#include "config/listeners.h"
#include "config/startup.h"

namespace milena::broker {
namespace {

std::optional<config::Scope> scope_of(std::int8_t resource_type) {
  switch (static_cast<image::ResourceType>(resource_type)) {
    case image::ResourceType::kTopic: return config::Scope::kTopic;
    case image::ResourceType::kBroker: return config::Scope::kBroker;
    case image::ResourceType::kGroup: return config::Scope::kGroup;
    case image::ResourceType::kClientMetrics: return config::Scope::kClientMetrics;
    case image::ResourceType::kBrokerLogger: return std::nullopt;
  }
  return std::nullopt;
}

const config::Key* key_of(std::int8_t resource_type, std::string_view name) {
  auto scope = scope_of(resource_type);
  return scope.has_value() ? config::find_key(*scope, name) : nullptr;
}

std::optional<meta::ConfigProblem> problem_of(const Result<void, config::AlterError>& result) {
  if (result.has_value()) return std::nullopt;
  bool request_wrong = result.error().code == config::AlterError::Code::kInvalidRequest;
  return meta::ConfigProblem{result.error().message, request_wrong};
}

}  // namespace

bool NodeConfigSchema::is_list(std::int8_t resource_type, std::string_view name) const {
  const config::Key* key = key_of(resource_type, name);
  return key != nullptr && key->type == config::Type::kList;
}

std::string NodeConfigSchema::default_value(std::int8_t resource_type, std::string_view name) const {
  const config::Key* key = key_of(resource_type, name);
  if (key == nullptr || key->default_value.kind != config::Default::Kind::kValue) return {};
  return std::string(key->default_value.text);
}

std::optional<meta::ConfigProblem> NodeConfigSchema::validate(const image::ConfigResource& resource,
                                                              const image::ConfigMap& proposed) const {
  switch (static_cast<image::ResourceType>(resource.type)) {
    case image::ResourceType::kTopic: return problem_of(config::validate_topic(proposed, *broker_));
    case image::ResourceType::kBroker: return validate_broker(resource, proposed);
    case image::ResourceType::kGroup: return problem_of(config::validate_group(proposed, *broker_));
    case image::ResourceType::kClientMetrics: return problem_of(config::validate_client_metrics(proposed));
    case image::ResourceType::kBrokerLogger: return meta::ConfigProblem{"BROKER_LOGGER resources are not kept in the metadata"};
  }
  return meta::ConfigProblem{"unknown resource type " + std::to_string(resource.type)};
}

// What would stop the next start is refused here.
std::optional<meta::ConfigProblem> NodeConfigSchema::validate_broker(const image::ConfigResource& resource,
                                                                     const image::ConfigMap& proposed) const {
  bool one_broker = !resource.name.empty();
  auto valid = config::validate_broker(proposed, one_broker);
  if (valid.failed()) return problem_of(valid);
  const image::ConfigMap none;
  config::KafkaConfig then = broker_->with_dynamic(one_broker ? none : proposed, one_broker ? proposed : none);
  auto listeners = config::read_listeners(then);
  if (listeners.failed()) return meta::ConfigProblem{listeners.error().front().message};
  config::ConfigErrors wrong = config::check_values(then);
  if (!wrong.empty()) return meta::ConfigProblem{wrong.front().message};
  config::ConfigErrors refused = config::startup_refusals(then);
  if (!refused.empty()) return meta::ConfigProblem{refused.front().message};
  return std::nullopt;
}

std::vector<meta::EffectiveConfig> NodeConfigSchema::effective_topic_configs(const image::ConfigMap& default_brokers,
                                                                             const image::ConfigMap& this_broker,
                                                                             const image::ConfigMap& topic) const {
  config::KafkaConfig broker = broker_->with_dynamic(default_brokers, this_broker);
  std::vector<meta::EffectiveConfig> result;
  for (config::ConfigEntry& entry : config::describe_topic(broker, topic, std::nullopt)) {
    meta::EffectiveConfig one;
    one.name = std::move(entry.name);
    one.value = std::move(entry.value);
    one.read_only = entry.read_only;
    one.source = static_cast<std::int8_t>(entry.source);
    one.sensitive = entry.sensitive;
    result.push_back(std::move(one));
  }
  return result;
}

}  // namespace milena::broker
