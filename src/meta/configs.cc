#include "meta/configs.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include "meta/topics.h"

namespace milena::meta {
namespace {

using image::ConfigResource;
using image::ResourceType;
using wire::ErrorCode;

constexpr const char* kMinInsyncReplicas = "min.insync.replicas";
constexpr const char* kUncleanElection = "unclean.leader.election.enable";
constexpr std::size_t kValueBytesMax = 32767;

/// Topic, this node, all brokers; nothing: the node's own file.
const std::string* effective(const Context& context, std::string_view topic, const std::string& key) {
  const image::Image& image = context.image;
  if (const std::string* value = image.config(ResourceType::kTopic, topic, key)) return value;
  std::string node = fmt::format("{}", context.settings.node_id);
  if (const std::string* value = image.config(ResourceType::kBroker, node, key)) return value;
  return image.config(ResourceType::kBroker, "", key);
}

std::optional<std::int32_t> number(std::string_view text) {
  std::int32_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    std::size_t comma = std::min(list.find(','), list.size());
    if (comma > 0) parts.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return parts;
}

std::string join(const std::vector<std::string>& parts) { return fmt::format("{}", fmt::join(parts, ",")); }

image::MetadataRecord config_record(const ConfigResource& resource, const std::string& name,
                                    std::optional<std::string> value) {
  wire::ConfigRecord record;
  record.resource_type = resource.type;
  record.resource_name = resource.name;
  record.name = name;
  record.value = std::move(value);
  return {std::move(record), 0};
}

ApiError check_existence(const image::Image& image, const ConfigResource& resource) {
  switch (static_cast<ResourceType>(resource.type)) {
    case ResourceType::kTopic:
      if (image.topic(resource.name) == nullptr)
        return {ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, fmt::format("The topic '{}' does not exist.", resource.name)};
      return {};
    case ResourceType::kBroker: {
      if (resource.name.empty()) return {};
      auto id = number(resource.name);
      if (!id.has_value()) return {};  // check_name has refused it
      if (image.broker(BrokerId(*id)) == nullptr && !image.controllers.contains(BrokerId(*id)))
        return {ErrorCode::BROKER_ID_NOT_REGISTERED, fmt::format("No node with id {} found.", *id)};
      return {};
    }
    case ResourceType::kBrokerLogger:
    case ResourceType::kClientMetrics:
    case ResourceType::kGroup: break;
  }
  return {};
}

ApiError check_values(const Context& context, const ConfigResource& resource,
                      const std::map<std::string, std::optional<std::string>>& changes) {
  bool broker = resource.type == static_cast<std::int8_t>(ResourceType::kBroker);
  for (const auto& [name, value] : changes) {
    if (value.has_value() && value->size() > kValueBytesMax)
      return {ErrorCode::INVALID_CONFIG,
              "The configuration value cannot be added because it exceeds the maximum value size of 32767 bytes."};
    if (name != kMinInsyncReplicas || !broker || !context.image.elr_enabled()) continue;
    if (!resource.name.empty())
      return {ErrorCode::INVALID_CONFIG, "Broker-level min.insync.replicas cannot be altered while ELR is enabled."};
    if (!value.has_value())
      return {ErrorCode::INVALID_CONFIG, "Cluster-level min.insync.replicas cannot be removed while ELR is enabled."};
  }
  return {};
}

/// What the name alone tells. Only brokers have a resource without a name, which stands for all of them.
ApiError check_name(const ConfigResource& resource) {
  switch (static_cast<ResourceType>(resource.type)) {
    case ResourceType::kTopic:
      if (resource.name.empty()) return {ErrorCode::INVALID_REQUEST, "Default topic resources are not allowed."};
      if (auto problem = topic_name_problem(resource.name)) return {ErrorCode::INVALID_TOPIC_EXCEPTION, *problem};
      return {};
    case ResourceType::kBroker:
      if (resource.name.empty() || number(resource.name).has_value()) return {};
      return {ErrorCode::INVALID_REQUEST, "Unable to parse broker name as a base 10 number."};
    case ResourceType::kGroup:
      if (resource.name.empty()) return {ErrorCode::INVALID_REQUEST, "Default group resources are not allowed."};
      return {};
    case ResourceType::kClientMetrics:
      if (resource.name.empty()) return {ErrorCode::INVALID_REQUEST, "Subscription name can't be empty"};
      return {};
    case ResourceType::kBrokerLogger: break;
  }
  return {};
}

/// Checks the resource as it would be and appends the records.
ApiError apply(const Context& context, const ConfigResource& resource,
               const std::map<std::string, std::optional<std::string>>& changes, bool new_resource,
               std::vector<image::MetadataRecord>& records) {
  ApiError error = check_values(context, resource, changes);
  if (!error.failed()) error = check_name(resource);
  if (error.failed()) return error;
  image::ConfigMap proposed = context.image.config(static_cast<ResourceType>(resource.type), resource.name);
  for (const auto& [name, value] : changes) {
    if (value.has_value()) proposed[name] = *value;
    else proposed.erase(name);
  }
  if (auto problem = context.configs.validate(resource, proposed)) {
    return {problem->request_wrong ? ErrorCode::INVALID_REQUEST : ErrorCode::INVALID_CONFIG, problem->message};
  }
  if (!new_resource) {
    error = check_existence(context.image, resource);
    if (error.failed()) return error;
  }
  for (const auto& [name, value] : changes) records.push_back(config_record(resource, name, value));
  return {};
}

/// After a change of min.insync.replicas nobody may be elected from an ELR that was formed under the old value.
void clear_elrs(const image::Image& image, std::vector<image::MetadataRecord>& records) {
  if (!image.elr_enabled()) return;
  std::vector<image::MetadataRecord> clears;
  for (const image::MetadataRecord& record : records) {
    const auto* config = std::get_if<wire::ConfigRecord>(&record.message);
    if (config == nullptr || config->name != kMinInsyncReplicas) continue;
    wire::ClearElrRecord clear;
    if (config->resource_type == static_cast<std::int8_t>(ResourceType::kTopic)) clear.topic_name = config->resource_name;
    clears.push_back({std::move(clear), 0});
  }
  std::ranges::move(clears, std::back_inserter(records));
}

bool known_type(std::int8_t type) {
  switch (static_cast<ResourceType>(type)) {
    case ResourceType::kTopic:
    case ResourceType::kBroker:
    case ResourceType::kClientMetrics:
    case ResourceType::kGroup: return true;
    case ResourceType::kBrokerLogger: break;
  }
  return false;
}

template <class Request>
std::set<ConfigResource> duplicates(const Request& request) {
  std::set<ConfigResource> seen;
  std::set<ConfigResource> twice;
  for (const auto& resource : request.resources) {
    ConfigResource id{resource.resource_type, resource.resource_name};
    if (!seen.insert(id).second) twice.insert(id);
  }
  return twice;
}

/// What both APIs check of a resource before its values.
template <class Resource>
ApiError check_request(const Resource& resource, const std::set<ConfigResource>& twice) {
  if (!known_type(resource.resource_type))
    return {ErrorCode::UNSUPPORTED_VERSION, fmt::format("Unknown resource type {}.", resource.resource_type)};
  if (twice.contains({resource.resource_type, resource.resource_name}))
    return {ErrorCode::INVALID_REQUEST, "Duplicate resource."};
  std::set<std::string> names;
  for (const auto& config : resource.configs)
    if (!names.insert(config.name).second) return {ErrorCode::INVALID_REQUEST, "Error due to duplicate config keys"};
  return {};
}

template <class Response, class Resource>
void answer(Response& response, const Resource& resource, const ApiError& error) {
  auto& out = response.responses.emplace_back();
  out.resource_type = resource.resource_type;
  out.resource_name = resource.resource_name;
  out.error_code = error.number();
  out.error_message = error.text();
}

ApiError change_resource(const Context& context, const wire::IncrementalAlterConfigsRequest::AlterConfigsResource& resource,
                         const std::set<ConfigResource>& twice, std::vector<image::MetadataRecord>& records) {
  ApiError error = check_request(resource, twice);
  if (error.failed()) return error;
  std::vector<ConfigChange> changes;
  for (const auto& config : resource.configs) {
    if (config.config_operation < 0 || config.config_operation > 3)
      return {ErrorCode::INVALID_REQUEST, fmt::format("Unknown operation {}.", config.config_operation)};
    auto operation = static_cast<ConfigOperation>(config.config_operation);
    if (operation != ConfigOperation::kDelete && !config.value.has_value())
      return {ErrorCode::INVALID_REQUEST, fmt::format("Null value not supported for : {}", config.name)};
    changes.push_back({config.name, operation, config.value.value_or("")});
  }
  return change_configs(context, {resource.resource_type, resource.resource_name}, changes, false, records);
}

ApiError replace_resource(const Context& context, const wire::AlterConfigsRequest::AlterConfigsResource& resource,
                          const std::set<ConfigResource>& twice, std::vector<image::MetadataRecord>& records) {
  ApiError error = check_request(resource, twice);
  if (error.failed()) return error;
  ConfigResource id{resource.resource_type, resource.resource_name};
  const image::ConfigMap& current = context.image.config(static_cast<ResourceType>(id.type), id.name);
  bool broker = id.type == static_cast<std::int8_t>(ResourceType::kBroker);
  std::map<std::string, std::optional<std::string>> changes;
  for (const auto& [name, value] : current) changes[name] = std::nullopt;
  for (const auto& config : resource.configs) {
    if (!config.value.has_value())
      return {ErrorCode::INVALID_REQUEST, fmt::format("Null value not supported for : {}", config.name)};
    auto found = current.find(config.name);
    if (found != current.end() && found->second == *config.value && !broker) changes.erase(config.name);
    else changes[config.name] = config.value;
  }
  return apply(context, id, changes, false, records);
}

}  // namespace

ApiError change_configs(const Context& context, const ConfigResource& resource,
                        const std::vector<ConfigChange>& changes, bool new_resource,
                        std::vector<image::MetadataRecord>& records) {
  const image::ConfigMap& current = context.image.config(static_cast<ResourceType>(resource.type), resource.name);
  bool broker = resource.type == static_cast<std::int8_t>(ResourceType::kBroker);
  std::map<std::string, std::optional<std::string>> result;
  for (const ConfigChange& change : changes) {
    auto found = current.find(change.name);
    std::optional<std::string> before = found == current.end() ? std::nullopt : std::optional(found->second);
    std::optional<std::string> after = change.value;
    if (change.operation == ConfigOperation::kDelete) after.reset();
    if (change.operation == ConfigOperation::kAppend || change.operation == ConfigOperation::kSubtract) {
      bool append = change.operation == ConfigOperation::kAppend;
      if (!context.configs.is_list(resource.type, change.name))
        return {ErrorCode::INVALID_CONFIG, fmt::format("Can't {} to key {} because its type is not LIST.",
                                                       append ? "APPEND" : "SUBTRACT", change.name)};
      std::vector<std::string> parts =
          split(before.has_value() ? *before : context.configs.default_value(resource.type, change.name));
      for (const std::string& part : split(change.value)) {
        auto at = std::ranges::find(parts, part);
        if (append && at == parts.end()) parts.push_back(part);
        if (!append && at != parts.end()) parts.erase(at);
      }
      after = join(parts);
    }
    if (before != after || broker) result[change.name] = std::move(after);
  }
  return apply(context, resource, result, new_resource, records);
}

Decision<wire::IncrementalAlterConfigsResponse> incremental_alter_configs(
    const Context& context, const wire::IncrementalAlterConfigsRequest& request) {
  Decision<wire::IncrementalAlterConfigsResponse> decision;
  std::set<ConfigResource> twice = duplicates(request);
  for (const auto& resource : request.resources)
    answer(decision.response, resource, change_resource(context, resource, twice, decision.records));
  clear_elrs(context.image, decision.records);
  if (request.validate_only) decision.records.clear();
  return decision;
}

Decision<wire::AlterConfigsResponse> alter_configs(const Context& context, const wire::AlterConfigsRequest& request) {
  Decision<wire::AlterConfigsResponse> decision;
  std::set<ConfigResource> twice = duplicates(request);
  for (const auto& resource : request.resources)
    answer(decision.response, resource, replace_resource(context, resource, twice, decision.records));
  clear_elrs(context.image, decision.records);
  if (request.validate_only) decision.records.clear();
  return decision;
}

std::int32_t effective_min_insync_replicas(const Context& context, std::string_view topic) {
  std::int32_t value = context.settings.min_insync_replicas;
  if (const std::string* text = effective(context, topic, kMinInsyncReplicas)) value = number(*text).value_or(value);
  const image::Topic* found = context.image.topic(topic);
  if (found == nullptr || found->partitions.empty()) return value;
  auto replicas = static_cast<std::int32_t>((*found->partitions.begin()).second->replicas.size());
  return std::min(value, replicas);
}

bool unclean_election_enabled(const Context& context, std::string_view topic) {
  const std::string* text = effective(context, topic, kUncleanElection);
  return text == nullptr ? context.settings.unclean_leader_election : *text == "true";
}

}  // namespace milena::meta
