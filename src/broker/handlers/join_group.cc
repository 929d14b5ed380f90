#include "broker/handlers/join_group.h"

#include <utility>

#include "broker/group_request.h"

namespace milena::broker {

using Request = JoinGroupHandler::Api::Request;
using Response = JoinGroupHandler::Api::Response;

io::Task<Response> JoinGroupHandler::handle(RequestContext context, Request request) {
  std::string group_id = request.group_id;
  std::string member_id = request.member_id;
  auto step = [request = std::move(request)](group::Groups& groups, const group::RequestInfo& info, group::Now now) {
    return groups.join_group(request, info, now);
  };
  auto answer = co_await ask_group<Response>(context, std::move(group_id), std::move(step));
  if (answer.has_value()) co_return std::move(*answer);
  Response refused;
  refused.error_code = wire::to_int16(answer.error());
  refused.member_id = std::move(member_id);
  if (context.api_version >= 7) refused.protocol_name.reset();
  co_return refused;
}

const HandlerEntry kJoinGroup = make_handler<JoinGroupHandler>();

}  // namespace milena::broker
