#include "broker/handlers/heartbeat.h"

#include <utility>

#include "broker/group_request.h"

namespace milena::broker {

using wire::ErrorCode;
using Request = HeartbeatHandler::Api::Request;
using Response = HeartbeatHandler::Api::Response;

io::Task<Response> HeartbeatHandler::handle(RequestContext context, Request request) {
  auto answer = co_await forward_to_group<Api>(context, std::move(request), &group::Groups::heartbeat);
  if (answer.has_value()) co_return std::move(*answer);
  Response response;
  if (answer.error() != ErrorCode::COORDINATOR_LOAD_IN_PROGRESS) {
    response.error_code = wire::to_int16(answer.error());
  }
  co_return response;
}

const HandlerEntry kHeartbeat = make_handler<HeartbeatHandler>();

}  // namespace milena::broker
