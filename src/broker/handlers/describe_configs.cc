#include "broker/handlers/describe_configs.h"

#include <fmt/format.h>

#include <utility>

#include "broker/resource_names.h"
#include "config/describe.h"
#include "meta/topics.h"

namespace milena::broker {
namespace {

using config::ConfigEntry;
using image::ResourceType;
using wire::ErrorCode;
using Request = DescribeConfigsHandler::Api::Request;
using Response = DescribeConfigsHandler::Api::Response;
using Resource = Request::DescribeConfigsResource;
using Described = Response::DescribeConfigsResult;

Described result_for(const Resource& resource) {
  Described result;
  result.resource_type = resource.resource_type;
  result.resource_name = resource.resource_name;
  return result;
}

Described failed(const Resource& resource, ErrorCode error, std::string message = {}) {
  Described result = result_for(resource);
  result.error_code = wire::to_int16(error);
  result.error_message = std::move(message);
  return result;
}

Response::DescribeConfigsResourceResult to_response(ConfigEntry entry, const Request& request) {
  Response::DescribeConfigsResourceResult result;
  result.name = std::move(entry.name);
  result.value = std::move(entry.value);
  result.read_only = entry.read_only;
  result.config_source = static_cast<std::int8_t>(entry.source);
  result.is_sensitive = entry.sensitive;
  result.config_type = entry.type;
  // As Kafka: a logger has an empty one, asked for or not.
  if (entry.source != config::ConfigSource::kDynamicBrokerLogger) result.documentation.reset();
  if (request.include_documentation) result.documentation = std::string(entry.documentation);
  if (!request.include_synonyms) return result;
  for (config::ConfigSynonym& synonym : entry.synonyms) {
    auto& to = result.synonyms.emplace_back();
    to.name = std::move(synonym.name);
    to.value = std::move(synonym.value);
    to.source = static_cast<std::int8_t>(synonym.source);
  }
  return result;
}

// This node under its dynamic configuration.
config::KafkaConfig broker_now(const RequestContext& context) {
  std::string self = fmt::format("{}", context.services().broker.node_id.value());
  return context.local->config->with_dynamic(context.image->config(ResourceType::kBroker, ""),
                                             context.image->config(ResourceType::kBroker, self));
}

// The lowest level that is written, under Kafka's name.
std::string_view log_level(const io::Log& log) {
  if (log.enabled(io::Level::kTrace)) return "TRACE";
  if (log.enabled(io::Level::kDebug)) return "DEBUG";
  if (log.enabled(io::Level::kInfo)) return "INFO";
  if (log.enabled(io::Level::kWarn)) return "WARN";
  return "ERROR";
}

std::vector<ConfigEntry> describe_logger(const RequestContext& context, const config::KeyFilter& filter) {
  const io::LogLevels* levels = context.services().log_levels;
  std::map<std::string, std::string> all;
  if (levels != nullptr) all = levels->levels();
  else all.emplace(io::LogLevels::kRoot, log_level(context.loop().log()));
  std::vector<ConfigEntry> entries;
  for (auto& [logger, level] : all) {
    if (filter.has_value() && std::ranges::find(*filter, logger) == filter->end()) continue;
    ConfigEntry& entry = entries.emplace_back();
    entry.name = logger;
    entry.value = level;
    entry.source = config::ConfigSource::kDynamicBrokerLogger;
    entry.read_only = levels == nullptr;
  }
  return entries;
}

using Entries = Result<std::vector<ConfigEntry>, std::pair<ErrorCode, std::string>>;

Entries invalid(std::string message) { return Err(std::pair(ErrorCode::INVALID_REQUEST, std::move(message))); }

Entries describe_topic(const RequestContext& context, const std::string& name, const config::KeyFilter& filter) {
  if (auto problem = meta::topic_name_problem(name)) {
    return Err(std::pair(ErrorCode::INVALID_TOPIC_EXCEPTION, *std::move(problem)));
  }
  if (context.image->topic(name) == nullptr) {
    return Err(std::pair(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, std::string()));
  }
  return config::describe_topic(broker_now(context), context.image->config(ResourceType::kTopic, name), filter);
}

Entries describe_broker(const RequestContext& context, const std::string& name, const config::KeyFilter& filter) {
  if (name.empty()) return config::describe_all_brokers(broker_now(context), filter);
  auto problem = node_name_problem(NodeNameIn::kDescribeBroker, name, context.services().broker.node_id);
  if (problem.has_value()) return invalid(*std::move(problem));
  return config::describe_broker(broker_now(context), filter);
}

Entries describe(const RequestContext& context, const Resource& resource, const config::KeyFilter& filter) {
  const std::string& name = resource.resource_name;
  switch (static_cast<ResourceType>(resource.resource_type)) {
    case ResourceType::kTopic: return describe_topic(context, name, filter);
    case ResourceType::kBroker: return describe_broker(context, name, filter);
    case ResourceType::kBrokerLogger: {
      if (name.empty()) return invalid("Broker id must not be empty");
      auto problem = node_name_problem(NodeNameIn::kDescribeLogger, name, context.services().broker.node_id);
      if (problem.has_value()) return invalid(*std::move(problem));
      return describe_logger(context, filter);
    }
    case ResourceType::kClientMetrics:
      if (name.empty()) return invalid("Client metrics subscription name must not be empty");
      return config::describe_client_metrics(context.image->config(ResourceType::kClientMetrics, name), filter);
    case ResourceType::kGroup:
      if (name.empty()) return invalid("Group name must not be empty");
      return config::describe_group(broker_now(context), context.image->config(ResourceType::kGroup, name), filter);
  }
  return invalid(fmt::format("Unsupported resource type: {}", resource.resource_type));
}

bool known_type(std::int8_t type) {
  switch (static_cast<ResourceType>(type)) {
    case ResourceType::kTopic:
    case ResourceType::kBroker:
    case ResourceType::kBrokerLogger:
    case ResourceType::kClientMetrics:
    case ResourceType::kGroup: return true;
  }
  return false;
}

}  // namespace

io::Task<Response> DescribeConfigsHandler::handle(RequestContext context, Request request) {
  Response response;
  for (const Resource& resource : request.resources) {
    if (known_type(resource.resource_type)) continue;
    // Kafka refuses the whole request.
    std::string message = fmt::format("Unexpected resource type {} for resource {}", resource.resource_type,
                                      resource.resource_name);
    for (const Resource& each : request.resources) {
      response.results.push_back(failed(each, ErrorCode::INVALID_REQUEST, message));
    }
    co_return response;
  }
  for (const Resource& resource : request.resources) {
    config::KeyFilter filter;
    if (resource.configuration_keys.has_value() && !resource.configuration_keys->empty()) {
      filter = resource.configuration_keys;
    }
    Entries entries = describe(context, resource, filter);
    if (entries.failed()) {
      response.results.push_back(failed(resource, entries.error().first, entries.error().second));
      continue;
    }
    Described result = result_for(resource);
    for (ConfigEntry& entry : *entries) result.configs.push_back(to_response(std::move(entry), request));
    response.results.push_back(std::move(result));
  }
  co_return response;
}

const HandlerEntry kDescribeConfigs = make_handler<DescribeConfigsHandler>(Serves::kBoth);

}  // namespace milena::broker
