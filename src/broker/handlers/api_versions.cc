#include "broker/handlers/api_versions.h"

#include <algorithm>

#include "broker/handlers/handler_list.h"
#include "wire/error_code.h"
#include "wire/frame.h"

namespace milena::broker {
namespace {

using Response = ApiVersionsHandler::Api::Response;

// Letters, digits, '-' and '.' inside; a letter or digit at both ends (KIP-511).
bool valid_software_text(const std::string& text) {
  auto alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (text.empty() || !alphanumeric(text.front()) || !alphanumeric(text.back())) return false;
  return std::ranges::all_of(text, [&](char c) { return alphanumeric(c) || c == '-' || c == '.'; });
}

void add_apis(Response& response, Serves listener, bool unstable) {
  for (const HandlerEntry* handler : all_handlers()) {
    if (!serves(handler->listeners, listener)) continue;
    Response::ApiVersion api;
    api.api_key = handler->key;
    api.min_version = wire::advertised_min_version(*wire::find_api(handler->key));
    api.max_version = handler->served(unstable).high;
    response.api_keys.push_back(api);
  }
}

void add_finalized(Response& response, std::string_view name, std::int16_t level) {
  if (level == 0) return;
  Response::FinalizedFeatureKey key;
  key.name = std::string(name);
  key.min_version_level = level;
  key.max_version_level = level;
  response.finalized_features.push_back(key);
}

void add_features(Response& response, const image::Image& image, std::int16_t kraft_version,
                  std::int16_t version) {
  for (const auto& feature : image::kSupportedFeatures) {
    // Older clients take a minimum of 0 for an error (KAFKA-17492).
    if (version < 4 && feature.min_level == 0) continue;
    Response::SupportedFeatureKey key;
    key.name = std::string(feature.name);
    key.min_version = feature.min_level;
    key.max_version = feature.max_level;
    response.supported_features.push_back(key);
  }
  response.finalized_features_epoch = image.offset.value();
  for (const auto& [name, level] : image.features) add_finalized(response, name, level);
  add_finalized(response, image::kKRaftVersionFeature, kraft_version);
}

}  // namespace

io::Task<Response> ApiVersionsHandler::handle(RequestContext context, Api::Request request) {
  Response response;
  if (context.api_version >= 3) {
    if (!valid_software_text(request.client_software_name) ||
        !valid_software_text(request.client_software_version)) {
      response.error_code = wire::to_int16(wire::ErrorCode::INVALID_REQUEST);
      co_return response;
    }
    context.client->software_name = request.client_software_name;
    context.client->software_version = request.client_software_version;
  }
  Serves listener = context.listener->controller ? Serves::kController : Serves::kBroker;
  add_apis(response, listener, context.services().limits.unstable_api_versions);
  std::int16_t kraft_version = context.services().metadata.kraft_version();
  if (context.api_version >= 3) add_features(response, *context.image, kraft_version, context.api_version);
  co_return response;
}

Answer ApiVersionsHandler::unsupported_version() {
  wire::Writer writer;
  wire::unsupported_api_versions_response().encode(writer, wire::kUnsupportedApiVersionsResponseVersion);
  return Answer(writer.finish());
}

const HandlerEntry kApiVersions = make_handler<ApiVersionsHandler>(Serves::kBoth);

}  // namespace milena::broker
