#include "broker/handlers/controller_registration.h"

#include <utility>

#include "broker/controller_request.h"
#include "meta/brokers.h"

namespace milena::broker {

using Request = ControllerRegistrationHandler::Api::Request;
using Response = ControllerRegistrationHandler::Api::Response;

io::Task<Response> ControllerRegistrationHandler::handle(RequestContext context, Request request) {
  return forward_to_controller<Api, meta::register_controller>(std::move(context), std::move(request));
}

const HandlerEntry kControllerRegistration = make_handler<ControllerRegistrationHandler>(Serves::kController);

}  // namespace milena::broker
