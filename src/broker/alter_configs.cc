#include "broker/alter_configs.h"

#include <fmt/format.h>

#include "broker/config_schema.h"
#include "broker/resource_names.h"

namespace milena::broker {

using image::ResourceType;
using wire::ErrorCode;

meta::ApiError check_resource(const RequestContext& context, const ConfigResourceKey& resource) {
  const auto& [type, name] = resource;
  switch (static_cast<ResourceType>(type)) {
    case ResourceType::kBroker: {
      if (name.empty()) return {};  // the default of all brokers
      auto problem = node_name_problem(NodeNameIn::kAlter, name, context.services().broker.node_id);
      if (problem.has_value()) return {ErrorCode::INVALID_REQUEST, *std::move(problem)};
      return {};
    }
    case ResourceType::kTopic:
    case ResourceType::kClientMetrics:
    case ResourceType::kGroup: return {};
    case ResourceType::kBrokerLogger: break;
  }
  return {ErrorCode::INVALID_REQUEST, fmt::format("Unknown resource type {}", type)};
}

meta::ApiError try_broker_config(const RequestContext& context, const ConfigResourceKey& resource,
                                 const image::ConfigMap& values) {
  NodeConfigSchema schema(context.local->config);
  auto problem = schema.validate({resource.first, resource.second}, values);
  if (problem.has_value()) return {ErrorCode::INVALID_REQUEST, std::move(problem->message)};
  return {};
}

}  // namespace milena::broker
