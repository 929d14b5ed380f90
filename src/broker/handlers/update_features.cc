#include "broker/handlers/update_features.h"

#include <utility>

#include "broker/controller_request.h"
#include "meta/features.h"

namespace milena::broker {

using Request = UpdateFeaturesHandler::Api::Request;
using Response = UpdateFeaturesHandler::Api::Response;

io::Task<Response> UpdateFeaturesHandler::handle(RequestContext context, Request request) {
  std::int16_t version = context.api_version;
  std::int16_t kraft_version = context.services().metadata.kraft_version();
  auto decide = [request = std::move(request), version, kraft_version](const meta::Context& controller) {
    return meta::update_features(controller, request, version, kraft_version);
  };
  auto response = co_await ask_controller(context, std::move(decide), Settle::kApplied);
  if (response.has_value()) co_return std::move(*response);
  Response failed;
  failed.error_code = wire::to_int16(wire::ErrorCode::NOT_CONTROLLER);
  co_return failed;
}

const HandlerEntry kUpdateFeatures = make_handler<UpdateFeaturesHandler>(Serves::kBoth);

}  // namespace milena::broker
