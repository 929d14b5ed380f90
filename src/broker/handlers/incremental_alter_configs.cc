#include "broker/handlers/incremental_alter_configs.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>

#include "broker/controller_request.h"
#include "broker/resource_names.h"
#include "config/alter.h"
#include "meta/configs.h"

namespace milena::broker {
namespace {

using image::ResourceType;
using meta::ApiError;
using wire::ErrorCode;
using Request = IncrementalAlterConfigsHandler::Api::Request;
using Response = IncrementalAlterConfigsHandler::Api::Response;
using Resource = Request::AlterConfigsResource;
using ResourceKey = std::pair<std::int8_t, std::string>;

ResourceKey key_of(const Resource& resource) { return {resource.resource_type, resource.resource_name}; }

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

// A broker takes changes of its own values and of all brokers' default, and tries them before the controller does.
ApiError check_broker(const RequestContext& context, const Resource& resource) {
  bool one_broker = !resource.resource_name.empty();
  if (one_broker) {
    auto problem = node_name_problem("Node", resource.resource_name, context.services().broker.node_id);
    if (problem.has_value()) return {ErrorCode::INVALID_REQUEST, *std::move(problem)};
  }
  std::vector<config::AlterOp> ops;
  for (const auto& entry : resource.configs) {
    if (entry.config_operation < 0 || entry.config_operation > 3) {
      return {ErrorCode::INVALID_REQUEST, fmt::format("Unknown operations type {}", entry.config_operation)};
    }
    ops.push_back({entry.name, static_cast<config::AlterKind>(entry.config_operation), entry.value});
  }
  const auto& current = context.image->config(ResourceType::kBroker, resource.resource_name);
  auto altered = config::apply_incremental(config::Scope::kBroker, current, ops);
  if (altered.failed()) {
    bool request_wrong = altered.error().code == config::AlterError::Code::kInvalidRequest;
    return {request_wrong ? ErrorCode::INVALID_REQUEST : ErrorCode::INVALID_CONFIG, altered.error().message};
  }
  auto valid = config::validate_broker(altered->values, one_broker);
  // KAFKA-13609: Kafka's brokers say INVALID_REQUEST here, and clients may know it.
  if (valid.failed()) return {ErrorCode::INVALID_REQUEST, valid.error().message};
  return {};
}

// What the node that is asked says itself; NONE: a question for the controller.
ApiError check_here(const RequestContext& context, const Resource& resource) {
  bool logger = resource.resource_type == static_cast<std::int8_t>(ResourceType::kBrokerLogger);
  if (logger) return {ErrorCode::INVALID_REQUEST, "loggers of this server cannot be changed while it runs"};
  if (context.listener->controller) return {};
  ApiError error = check_entries(resource);
  if (error.failed()) return error;
  switch (static_cast<ResourceType>(resource.resource_type)) {
    case ResourceType::kBroker: return check_broker(context, resource);
    case ResourceType::kTopic:
    case ResourceType::kClientMetrics:
    case ResourceType::kGroup: return {};
    case ResourceType::kBrokerLogger: break;
  }
  return {ErrorCode::INVALID_REQUEST, fmt::format("Unknown resource type {}", resource.resource_type)};
}

Response::AlterConfigsResourceResponse to_response(const Resource& resource, const ApiError& error) {
  Response::AlterConfigsResourceResponse result;
  result.resource_type = resource.resource_type;
  result.resource_name = resource.resource_name;
  result.error_code = wire::to_int16(error.code);
  result.error_message.reset();
  if (error.failed()) result.error_message = error.message;
  return result;
}

// Each of the resources that stand more than once fails, on a broker; the controller tells it itself.
std::set<ResourceKey> given_twice(const Request& request) {
  std::set<ResourceKey> seen;
  std::set<ResourceKey> twice;
  for (const Resource& resource : request.resources) {
    if (!seen.insert(key_of(resource)).second) twice.insert(key_of(resource));
  }
  return twice;
}

}  // namespace

io::Task<Response> IncrementalAlterConfigsHandler::handle(RequestContext context, Request request) {
  std::set<ResourceKey> twice;
  if (!context.listener->controller) twice = given_twice(request);
  Request open;
  open.validate_only = request.validate_only;
  std::map<std::size_t, ApiError> own;  // by place in the request
  for (std::size_t i = 0; i < request.resources.size(); ++i) {
    const Resource& resource = request.resources[i];
    ApiError error{ErrorCode::INVALID_REQUEST, "Each resource must appear at most once."};
    if (!twice.contains(key_of(resource))) error = check_here(context, resource);
    if (error.failed()) own[i] = error;
    else open.resources.push_back(resource);
  }
  std::map<ResourceKey, ApiError> answers;
  if (!open.resources.empty()) {
    auto decide = [open](const meta::Context& controller) { return meta::incremental_alter_configs(controller, open); };
    Settle settle = open.validate_only ? Settle::kCommitted : Settle::kApplied;
    auto decided = co_await ask_controller(context, std::move(decide), settle);
    for (const Resource& resource : open.resources) {
      if (!decided.has_value()) answers[key_of(resource)] = {ErrorCode::NOT_CONTROLLER, "no active controller"};
    }
    if (decided.has_value()) {
      for (const auto& answer : decided->responses) {
        answers[{answer.resource_type, answer.resource_name}] = {static_cast<ErrorCode>(answer.error_code),
                                                                 answer.error_message.value_or("")};
      }
    }
  }
  Response response;
  for (std::size_t i = 0; i < request.resources.size(); ++i) {
    auto it = own.find(i);
    const ApiError& error = it != own.end() ? it->second : answers[key_of(request.resources[i])];
    response.responses.push_back(to_response(request.resources[i], error));
  }
  co_return response;
}

const HandlerEntry kIncrementalAlterConfigs = make_handler<IncrementalAlterConfigsHandler>(Serves::kBoth);

}  // namespace milena::broker
