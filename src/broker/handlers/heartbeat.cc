#include "broker/handlers/heartbeat.h"

#include <utility>

#include "broker/group_request.h"

namespace milena::broker {

using wire::ErrorCode;
using Request = HeartbeatHandler::Api::Request;
using Response = HeartbeatHandler::Api::Response;

io::Task<Response> HeartbeatHandler::handle(RequestContext context, Request request) {
  std::string group_id = request.group_id;
  auto step = [request = std::move(request)](group::Groups& groups, const group::RequestInfo& info, group::Now now) {
    return groups.heartbeat(request, info, now);
  };
  auto answer = co_await ask_group<Response>(context, std::move(group_id), std::move(step));
  if (answer.has_value()) co_return std::move(*answer);
  Response response;
  if (answer.error() != ErrorCode::COORDINATOR_LOAD_IN_PROGRESS) {
    response.error_code = wire::to_int16(answer.error());
  }
  co_return response;
}

const HandlerEntry kHeartbeat = make_handler<HeartbeatHandler>();

}  // namespace milena::broker
