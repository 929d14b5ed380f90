#include "broker/handlers/unregister_broker.h"

#include <utility>

#include "broker/controller_request.h"
#include "meta/brokers.h"

namespace milena::broker {

using Request = UnregisterBrokerHandler::Api::Request;
using Response = UnregisterBrokerHandler::Api::Response;

io::Task<Response> UnregisterBrokerHandler::handle(RequestContext context, Request request) {
  auto decide = [request](const meta::Context& controller) { return meta::unregister_broker(controller, request); };
  auto response = co_await ask_controller(context, std::move(decide), Settle::kCommitted);
  if (response.has_value()) co_return std::move(*response);
  Response failed;
  failed.error_code = wire::to_int16(wire::ErrorCode::NOT_CONTROLLER);
  co_return failed;
}

const HandlerEntry kUnregisterBroker = make_handler<UnregisterBrokerHandler>(Serves::kBoth);

}  // namespace milena::broker
