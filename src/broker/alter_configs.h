/// What IncrementalAlterConfigs and AlterConfigs share: a request is split into what the node that is asked answers
/// itself and what the controller decides, and put together again in the request's order.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "broker/controller_request.h"
#include "wire/error_code.h"

namespace milena::broker {

using ConfigResourceKey = std::pair<std::int8_t, std::string>;

template <class Resource>
ConfigResourceKey key_of(const Resource& resource) {
  return {resource.resource_type, resource.resource_name};
}

/// The resources that stand more than once. A broker refuses each of them; a controller tells it itself.
template <class Request>
std::set<ConfigResourceKey> given_twice(const RequestContext& context, const Request& request) {
  std::set<ConfigResourceKey> seen;
  std::set<ConfigResourceKey> twice;
  if (context.listener->controller) return twice;
  for (const auto& resource : request.resources) {
    if (!seen.insert(key_of(resource)).second) twice.insert(key_of(resource));
  }
  return twice;
}

/// What a broker says of a resource before it looks at the entries: an unknown type, or another node's values. None:
/// go on; the entries of a kBroker resource are this node's to check, all others are the controller's.
meta::ApiError check_resource(const RequestContext& context, const ConfigResourceKey& resource);

/// A broker tries its own values, and those of all brokers, before the controller does. What is wrong with them is
/// INVALID_REQUEST there (KAFKA-13609), and INVALID_CONFIG where a controller is asked.
meta::ApiError try_broker_config(const RequestContext& context, const ConfigResourceKey& resource,
                                 const image::ConfigMap& values);

/// `check_here(resource)`: this node's own error, or none: the controller's turn, but for loggers, which are this
/// node's own and done with then. `decide(context, request)`: the
/// controller's decision on what is left.
template <class Response, class Request, class Check, class Decide>
io::Task<Response> alter_configs(RequestContext context, Request request, Check check_here, Decide decide) {
  using meta::ApiError;
  std::set<ConfigResourceKey> twice = given_twice(context, request);
  Request open;
  open.validate_only = request.validate_only;
  std::map<std::size_t, ApiError> own;  // by place in the request
  for (std::size_t i = 0; i < request.resources.size(); ++i) {
    const auto& resource = request.resources[i];
    ApiError error{wire::ErrorCode::INVALID_REQUEST, "Each resource must appear at most once."};
    if (!twice.contains(key_of(resource))) error = check_here(resource);
    bool logger = resource.resource_type == static_cast<std::int8_t>(image::ResourceType::kBrokerLogger);
    if (error.failed() || logger) own[i] = error;
    else open.resources.push_back(resource);
  }
  std::map<ConfigResourceKey, ApiError> answers;
  if (!open.resources.empty()) {
    Settle settle = open.validate_only ? Settle::kCommitted : Settle::kApplied;
    auto ask = [open, decide](const meta::Context& controller) { return decide(controller, open); };
    auto decided = co_await ask_controller(context, std::move(ask), settle);
    for (const auto& resource : open.resources) {
      if (decided.has_value()) break;
      answers[key_of(resource)] = {wire::ErrorCode::NOT_CONTROLLER, "The active controller is not known."};
    }
    if (decided.has_value()) {
      for (const auto& answer : decided->responses) {
        answers[key_of(answer)] = {static_cast<wire::ErrorCode>(answer.error_code), answer.error_message.value_or("")};
      }
    }
  }
  Response response;
  std::set<ConfigResourceKey> told;
  for (std::size_t i = 0; i < request.resources.size(); ++i) {
    bool first = told.insert(key_of(request.resources[i])).second;
    if (!first && context.listener->controller) continue;  // as in Kafka, a controller names a resource once
    auto it = own.find(i);
    const ApiError& error = it != own.end() ? it->second : answers[key_of(request.resources[i])];
    auto& result = response.responses.emplace_back();
    result.resource_type = request.resources[i].resource_type;
    result.resource_name = request.resources[i].resource_name;
    result.error_code = wire::to_int16(error.code);
    result.error_message.reset();
    if (error.failed()) result.error_message = error.message;
  }
  co_return response;
}

}  // namespace milena::broker
