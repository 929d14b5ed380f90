#include "broker/handlers/alter_configs.h"

#include <fmt/format.h>

#include <utility>

#include "broker/alter_configs.h"
#include "broker/resource_names.h"
#include "config/alter.h"
#include "meta/configs.h"

namespace milena::broker {
namespace {

using image::ResourceType;
using meta::ApiError;
using wire::ErrorCode;
using Request = AlterConfigsHandler::Api::Request;
using Response = AlterConfigsHandler::Api::Response;
using Resource = Request::AlterConfigsResource;

ApiError check_broker(const RequestContext& context, const Resource& resource, const Properties& values) {
  bool one_broker = !resource.resource_name.empty();
  if (one_broker) {
    auto problem = node_name_problem(NodeNameIn::kAlter, resource.resource_name, context.services().broker.node_id);
    if (problem.has_value()) return {ErrorCode::INVALID_REQUEST, *std::move(problem)};
  }
  auto valid = config::validate_broker(values, one_broker);
  if (valid.failed()) return {ErrorCode::INVALID_REQUEST, valid.error().message};
  return {};
}

ApiError check_here(const RequestContext& context, const Resource& resource) {
  if (context.listener->controller) return {};
  Properties values;
  std::string nulls;
  for (const auto& entry : resource.configs) {
    if (!values.emplace(entry.name, entry.value.value_or("")).second) {
      return {ErrorCode::INVALID_REQUEST, "Error due to duplicate config keys"};
    }
    if (!entry.value.has_value()) nulls += (nulls.empty() ? "" : ", ") + entry.name;
  }
  if (!nulls.empty()) return {ErrorCode::INVALID_REQUEST, "Null value not supported for : " + nulls};
  switch (static_cast<ResourceType>(resource.resource_type)) {
    case ResourceType::kBroker: return check_broker(context, resource, values);
    case ResourceType::kTopic:
    case ResourceType::kClientMetrics:
    case ResourceType::kGroup: return {};
    case ResourceType::kBrokerLogger: break;
  }
  return {ErrorCode::INVALID_REQUEST, fmt::format("Unknown resource type {}", resource.resource_type)};
}

}  // namespace

io::Task<Response> AlterConfigsHandler::handle(RequestContext context, Request request) {
  auto check = [context](const Resource& resource) { return check_here(context, resource); };
  auto decide = [](const meta::Context& controller, const Request& open) {
    return meta::alter_configs(controller, open);
  };
  co_return co_await alter_configs<Response>(context, std::move(request), std::move(check), decide);
}

const HandlerEntry kAlterConfigs = make_handler<AlterConfigsHandler>(Serves::kBoth);

}  // namespace milena::broker
