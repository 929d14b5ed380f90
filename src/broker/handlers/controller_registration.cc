#include "broker/handlers/controller_registration.h"

#include <utility>

#include "broker/controller_request.h"
#include "meta/brokers.h"

namespace milena::broker {

using Request = ControllerRegistrationHandler::Api::Request;
using Response = ControllerRegistrationHandler::Api::Response;

io::Task<Response> ControllerRegistrationHandler::handle(RequestContext context, Request request) {
  auto decide = [request = std::move(request)](const meta::Context& controller) {
    return meta::register_controller(controller, request);
  };
  auto response = co_await ask_controller(context, std::move(decide), Settle::kCommitted);
  if (response.has_value()) co_return std::move(*response);
  Response failed;
  failed.error_code = wire::to_int16(wire::ErrorCode::NOT_CONTROLLER);
  co_return failed;
}

const HandlerEntry kControllerRegistration = make_handler<ControllerRegistrationHandler>(Serves::kController);

}  // namespace milena::broker
