#include "broker/handlers/assign_replicas_to_dirs.h"

#include <utility>

#include "broker/controller_request.h"
#include "meta/directories.h"

namespace milena::broker {

using Request = AssignReplicasToDirsHandler::Api::Request;
using Response = AssignReplicasToDirsHandler::Api::Response;

io::Task<Response> AssignReplicasToDirsHandler::handle(RequestContext context, Request request) {
  auto decide = [request = std::move(request)](const meta::Context& controller) {
    return meta::assign_replicas_to_dirs(controller, request);
  };
  auto response = co_await ask_controller(context, std::move(decide), Settle::kCommitted);
  if (response.has_value()) co_return std::move(*response);
  Response failed;
  failed.error_code = wire::to_int16(wire::ErrorCode::NOT_CONTROLLER);
  co_return failed;
}

const HandlerEntry kAssignReplicasToDirs = make_handler<AssignReplicasToDirsHandler>(Serves::kController);

}  // namespace milena::broker
