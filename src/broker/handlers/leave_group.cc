#include "broker/handlers/leave_group.h"

#include <utility>

#include "broker/group_request.h"

namespace milena::broker {

using Request = LeaveGroupHandler::Api::Request;
using Response = LeaveGroupHandler::Api::Response;

io::Task<Response> LeaveGroupHandler::handle(RequestContext context, Request request) {
  auto answer = co_await forward_to_group<Api>(context, std::move(request), &group::Groups::leave_group);
  if (answer.has_value()) co_return std::move(*answer);
  Response refused;
  refused.error_code = wire::to_int16(answer.error());
  co_return refused;
}

const HandlerEntry kLeaveGroup = make_handler<LeaveGroupHandler>();

}  // namespace milena::broker
