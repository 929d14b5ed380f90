#include "broker/handlers/allocate_producer_ids.h"

#include <utility>

#include "broker/controller_request.h"
#include "meta/producer_ids.h"

namespace milena::broker {

using Request = AllocateProducerIdsHandler::Api::Request;
using Response = AllocateProducerIdsHandler::Api::Response;

io::Task<Response> AllocateProducerIdsHandler::handle(RequestContext context, Request request) {
  auto decide = [request = std::move(request)](const meta::Context& controller) {
    return meta::allocate_producer_ids(controller, request);
  };
  auto response = co_await ask_controller(context, std::move(decide), Settle::kCommitted);
  if (response.has_value()) co_return std::move(*response);
  Response failed;
  failed.error_code = wire::to_int16(wire::ErrorCode::NOT_CONTROLLER);
  co_return failed;
}

const HandlerEntry kAllocateProducerIds = make_handler<AllocateProducerIdsHandler>(Serves::kController);

}  // namespace milena::broker
