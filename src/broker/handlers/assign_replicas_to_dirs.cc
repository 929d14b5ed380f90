#include "broker/handlers/assign_replicas_to_dirs.h"

#include <utility>

#include "broker/controller_request.h"
#include "meta/directories.h"

namespace milena::broker {

using Request = AssignReplicasToDirsHandler::Api::Request;
using Response = AssignReplicasToDirsHandler::Api::Response;

io::Task<Response> AssignReplicasToDirsHandler::handle(RequestContext context, Request request) {
  return forward_to_controller<Api, meta::assign_replicas_to_dirs>(std::move(context), std::move(request));
}

const HandlerEntry kAssignReplicasToDirs = make_handler<AssignReplicasToDirsHandler>(Serves::kController);

}  // namespace milena::broker
