#include "broker/handlers/unregister_broker.h"

#include <utility>

#include "broker/controller_request.h"
#include "meta/brokers.h"

namespace milena::broker {

using Request = UnregisterBrokerHandler::Api::Request;
using Response = UnregisterBrokerHandler::Api::Response;

io::Task<Response> UnregisterBrokerHandler::handle(RequestContext context, Request request) {
  return forward_to_controller<Api, meta::unregister_broker>(std::move(context), std::move(request));
}

const HandlerEntry kUnregisterBroker = make_handler<UnregisterBrokerHandler>(Serves::kBoth);

}  // namespace milena::broker
