#include "broker/handlers/allocate_producer_ids.h"

#include <utility>

#include "broker/controller_request.h"
#include "meta/producer_ids.h"

namespace milena::broker {

using Request = AllocateProducerIdsHandler::Api::Request;
using Response = AllocateProducerIdsHandler::Api::Response;

io::Task<Response> AllocateProducerIdsHandler::handle(RequestContext context, Request request) {
  return forward_to_controller<Api, meta::allocate_producer_ids>(std::move(context), std::move(request));
}

const HandlerEntry kAllocateProducerIds = make_handler<AllocateProducerIdsHandler>(Serves::kController);

}  // namespace milena::broker
