#include "broker/handlers/broker_registration.h"

#include <utility>

#include "broker/controller_request.h"
#include "meta/brokers.h"

namespace milena::broker {

using Request = BrokerRegistrationHandler::Api::Request;
using Response = BrokerRegistrationHandler::Api::Response;

io::Task<Response> BrokerRegistrationHandler::handle(RequestContext context, Request request) {
  return forward_to_controller<Api, meta::register_broker>(std::move(context), std::move(request));
}

const HandlerEntry kBrokerRegistration = make_handler<BrokerRegistrationHandler>(Serves::kController);

}  // namespace milena::broker
