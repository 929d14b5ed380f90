#include "broker/handlers/list_partition_reassignments.h"

#include <utility>

#include "broker/controller_request.h"
#include "meta/reassignments.h"

namespace milena::broker {

using Request = ListPartitionReassignmentsHandler::Api::Request;
using Response = ListPartitionReassignmentsHandler::Api::Response;

io::Task<Response> ListPartitionReassignmentsHandler::handle(RequestContext context, Request request) {
  return forward_to_controller<Api, meta::list_partition_reassignments>(std::move(context), std::move(request));
}

const HandlerEntry kListPartitionReassignments = make_handler<ListPartitionReassignmentsHandler>(Serves::kBoth);

}  // namespace milena::broker
