#include "broker/handlers/alter_configs.h"

#include <utility>

#include "broker/alter_configs.h"
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

ApiError check_here(const RequestContext& context, const Resource& resource) {
  bool logger = resource.resource_type == static_cast<std::int8_t>(ResourceType::kBrokerLogger);
  if (logger) return check_resource(context, key_of(resource));
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
  ApiError error = check_resource(context, key_of(resource));
  if (error.failed() || resource.resource_type != static_cast<std::int8_t>(ResourceType::kBroker)) return error;
  return try_broker_config(context, key_of(resource), values);
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
