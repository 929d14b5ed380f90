#include "broker/handlers/leave_group.h"

#include <utility>

#include "broker/group_request.h"

namespace milena::broker {

using Request = LeaveGroupHandler::Api::Request;
using Response = LeaveGroupHandler::Api::Response;

io::Task<Response> LeaveGroupHandler::handle(RequestContext context, Request request) {
  std::string group_id = request.group_id;
  auto step = [request = std::move(request)](group::Groups& groups, const group::RequestInfo& info, group::Now now) {
    return groups.leave_group(request, info, now);
  };
  auto answer = co_await ask_group<Response>(context, std::move(group_id), std::move(step));
  if (answer.has_value()) co_return std::move(*answer);
  Response refused;
  refused.error_code = wire::to_int16(answer.error());
  co_return refused;
}

const HandlerEntry kLeaveGroup = make_handler<LeaveGroupHandler>();

}  // namespace milena::broker
