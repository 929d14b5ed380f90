#include "broker/handlers/incremental_alter_configs.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "broker/alter_configs.h"
#include "broker/resource_names.h"
#include "config/alter.h"
#include "config/key.h"
#include "meta/configs.h"

namespace milena::broker {
namespace {

using image::ResourceType;
using meta::ApiError;
using wire::ErrorCode;
using Request = IncrementalAlterConfigsHandler::Api::Request;
using Response = IncrementalAlterConfigsHandler::Api::Response;
using Resource = Request::AlterConfigsResource;

ApiError check_entries(const Resource& resource) {
  std::set<std::string> names;
  std::string nulls;
  for (const auto& entry : resource.configs) {
    if (!names.insert(entry.name).second) return {ErrorCode::INVALID_REQUEST, "Error due to duplicate config keys"};
    bool removes = entry.config_operation == static_cast<std::int8_t>(config::AlterKind::kDelete);
    if (!removes && !entry.value.has_value()) nulls += (nulls.empty() ? "" : ", ") + entry.name;
  }
  if (nulls.empty()) return {};
  return {ErrorCode::INVALID_REQUEST, "Null value not supported for : " + nulls};
}

// Appending and subtracting are for lists. NONE: all well.
ApiError check_list_operation(const config::AlterOp& op) {
  if (op.kind != config::AlterKind::kAppend && op.kind != config::AlterKind::kSubtract) return {};
  const config::Key* key = config::find_key(config::Scope::kBroker, op.key);
  if (key == nullptr) return {ErrorCode::INVALID_CONFIG, "Unknown config name: " + op.key};
  if (key->type == config::Type::kList) return {};
  const char* verb = op.kind == config::AlterKind::kAppend ? "append" : "subtract";
  return {ErrorCode::INVALID_CONFIG, fmt::format("Config value {} is not allowed for config key: {}", verb, op.key)};
}

// A broker takes changes of its own values and of all brokers' default, and tries them before the controller does.
ApiError check_broker(const RequestContext& context, const Resource& resource) {
  std::vector<config::AlterOp> ops;
  for (const auto& entry : resource.configs) {
    if (entry.config_operation < 0 || entry.config_operation > 3) {
      return {ErrorCode::INVALID_REQUEST, fmt::format("Unknown operations type {}", entry.config_operation)};
    }
    ops.push_back({entry.name, static_cast<config::AlterKind>(entry.config_operation), entry.value});
    ApiError error = check_list_operation(ops.back());
    if (error.failed()) return error;
  }
  const auto& current = context.image->config(ResourceType::kBroker, resource.resource_name);
  auto altered = config::apply_incremental(config::Scope::kBroker, current, ops);
  if (altered.failed()) {
    bool request_wrong = altered.error().code == config::AlterError::Code::kInvalidRequest;
    return {request_wrong ? ErrorCode::INVALID_REQUEST : ErrorCode::INVALID_CONFIG, altered.error().message};
  }
  return try_broker_config(context, key_of(resource), altered->values);
}

constexpr std::string_view kLogLevels = "FATAL, ERROR, WARN, INFO, DEBUG, TRACE";

ApiError check_logger(const Request::AlterableConfig& entry) {
  auto kind = static_cast<config::AlterKind>(entry.config_operation);
  if (kind == config::AlterKind::kAppend || kind == config::AlterKind::kSubtract) {
    std::string_view name = kind == config::AlterKind::kAppend ? "APPEND" : "SUBTRACT";
    return {ErrorCode::INVALID_REQUEST, fmt::format("{} operation is not allowed for the BROKER_LOGGER resource", name)};
  }
  if (kind != config::AlterKind::kSet && kind != config::AlterKind::kDelete) {
    return {ErrorCode::INVALID_REQUEST, fmt::format("Unknown operation type {} is not allowed for the BROKER_LOGGER "
                                                    "resource", entry.config_operation)};
  }
  if (!io::LogLevels::exists(entry.name)) {
    return {ErrorCode::INVALID_CONFIG, fmt::format("Logger {} does not exist!", entry.name)};
  }
  std::string level = entry.value.value_or("");
  if (kind == config::AlterKind::kSet && !io::LogLevels::is_level(level)) {
    return {ErrorCode::INVALID_CONFIG,
            fmt::format("Cannot set the log level of {} to {} as it is not a supported log level. Valid log levels are {}",
                        entry.name, level, kLogLevels)};
  }
  if (kind == config::AlterKind::kDelete && entry.name == io::LogLevels::kRoot) {
    return {ErrorCode::INVALID_REQUEST, "Removing the log level of the root logger is not allowed"};
  }
  return {};
}

// The levels of this node's loggers: its own business, and gone with its process.
ApiError alter_loggers(const RequestContext& context, const Resource& resource, bool validate_only) {
  io::LogLevels* levels = context.services().log_levels;
  if (levels == nullptr) return {ErrorCode::INVALID_REQUEST, "loggers of this server cannot be changed while it runs"};
  auto problem = node_name_problem(NodeNameIn::kAlterLogger, resource.resource_name, context.services().broker.node_id);
  if (problem.has_value()) return {ErrorCode::INVALID_REQUEST, *std::move(problem)};
  for (const auto& entry : resource.configs) {
    ApiError error = check_logger(entry);
    if (error.failed()) return error;
  }
  for (const auto& entry : resource.configs) {
    if (validate_only) break;
    bool sets = entry.config_operation == static_cast<std::int8_t>(config::AlterKind::kSet);
    if (sets) levels->set(entry.name, *entry.value);
    else levels->unset(entry.name);
  }
  return {};
}

// What the node that is asked says itself; NONE: a question for the controller.
ApiError check_here(const RequestContext& context, const Resource& resource, bool validate_only) {
  bool logger = resource.resource_type == static_cast<std::int8_t>(ResourceType::kBrokerLogger);
  if (context.listener->controller && !logger) return {};
  ApiError error = check_entries(resource);
  if (error.failed()) return error;
  if (logger) return alter_loggers(context, resource, validate_only);
  error = check_resource(context, key_of(resource));
  if (error.failed() || resource.resource_type != static_cast<std::int8_t>(ResourceType::kBroker)) return error;
  return check_broker(context, resource);
}

}  // namespace

io::Task<Response> IncrementalAlterConfigsHandler::handle(RequestContext context, Request request) {
  bool validate_only = request.validate_only;
  auto check = [context, validate_only](const Resource& resource) {
    return check_here(context, resource, validate_only);
  };
  auto decide = [](const meta::Context& controller, const Request& open) {
    return meta::incremental_alter_configs(controller, open);
  };
  co_return co_await alter_configs<Response>(context, std::move(request), std::move(check), decide);
}

const HandlerEntry kIncrementalAlterConfigs = make_handler<IncrementalAlterConfigsHandler>(Serves::kBoth);

}  // namespace milena::broker
