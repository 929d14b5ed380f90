#include "broker/handlers/join_group.h"

#include <utility>

#include "broker/group_request.h"

namespace milena::broker {

using Request = JoinGroupHandler::Api::Request;
using Response = JoinGroupHandler::Api::Response;

io::Task<Response> JoinGroupHandler::handle(RequestContext context, Request request) {
  std::string member_id = request.member_id;
  auto answer = co_await forward_to_group<Api>(context, std::move(request), &group::Groups::join_group);
  if (answer.has_value()) co_return std::move(*answer);
  Response refused;
  refused.error_code = wire::to_int16(answer.error());
  refused.member_id = std::move(member_id);
  if (context.api_version >= 7) refused.protocol_name.reset();
  co_return refused;
}

const HandlerEntry kJoinGroup = make_handler<JoinGroupHandler>();

}  // namespace milena::broker
