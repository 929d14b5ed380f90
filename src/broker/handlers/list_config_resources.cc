#include "broker/handlers/list_config_resources.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <utility>

#include "broker/topics.h"

namespace milena::broker {
namespace {

using image::ResourceType;
using Request = ListConfigResourcesHandler::Api::Request;
using Response = ListConfigResourcesHandler::Api::Response;

constexpr ResourceType kTypes[] = {ResourceType::kTopic, ResourceType::kBroker, ResourceType::kBrokerLogger,
                                   ResourceType::kClientMetrics, ResourceType::kGroup};

void add(Response& response, ResourceType type, std::string name) {
  auto& resource = response.config_resources.emplace_back();
  resource.resource_name = std::move(name);
  resource.resource_type = static_cast<std::int8_t>(type);
}

void add_configured(const image::Image& image, ResourceType type, Response& response) {
  for (const auto& [resource, values] : image.configs)
    if (resource.type == static_cast<std::int8_t>(type)) add(response, type, resource.name);
}

void add_brokers(const RequestContext& context, ResourceType type, Response& response) {
  for (const auto& [id, broker] : context.image->brokers) {
    if (broker->fenced || !broker_address(*broker, context.listener->name).has_value()) continue;
    add(response, type, std::to_string(id.value()));
  }
}

void add_all(const RequestContext& context, ResourceType type, Response& response) {
  switch (type) {
    case ResourceType::kTopic:
      for (const auto& [name, id] : context.image->topic_ids) add(response, type, name);
      break;
    case ResourceType::kBroker:
    case ResourceType::kBrokerLogger: add_brokers(context, type, response); break;
    case ResourceType::kClientMetrics:
    case ResourceType::kGroup: add_configured(*context.image, type, response); break;
  }
}

}  // namespace

io::Task<Response> ListConfigResourcesHandler::handle(RequestContext context, Request request) {
  Response response;
  std::set<ResourceType> types;
  for (std::int8_t number : request.resource_types) {
    auto type = static_cast<ResourceType>(number);
    if (std::ranges::find(kTypes, type) == std::end(kTypes)) {
      response.error_code = wire::to_int16(wire::ErrorCode::UNSUPPORTED_VERSION);
      co_return response;
    }
    types.insert(type);
  }
  if (context.api_version == 0) types = {ResourceType::kClientMetrics};
  else if (types.empty()) types.insert(std::begin(kTypes), std::end(kTypes));
  for (ResourceType type : types) add_all(context, type, response);
  co_return response;
}

const HandlerEntry kListConfigResources = make_handler<ListConfigResourcesHandler>();

}  // namespace milena::broker
