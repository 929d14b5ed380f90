#include "broker/handlers/delete_groups.h"

#include <set>
#include <utility>

#include "broker/group_request.h"

namespace milena::broker {

using Request = DeleteGroupsHandler::Api::Request;
using Response = DeleteGroupsHandler::Api::Response;

io::Task<Response> DeleteGroupsHandler::handle(RequestContext context, Request request) {
  Response response;
  std::set<std::string> done;
  for (const std::string& group_id : request.groups_names) {
    if (!done.insert(group_id).second) continue;
    Request one;
    one.groups_names.push_back(group_id);
    auto step = [one = std::move(one)](group::Groups& groups, const group::RequestInfo& info, group::Now) {
      return groups.delete_groups(one, info);
    };
    co_await settle_group(context, group_id);
    auto answer = co_await ask_group<Response>(context, group_id, std::move(step));
    if (answer.has_value()) {
      for (auto& result : answer->results) response.results.push_back(std::move(result));
      continue;
    }
    Response::DeletableGroupResult result;
    result.group_id = group_id;
    result.error_code = wire::to_int16(answer.error());
    response.results.push_back(std::move(result));
  }
  co_return response;
}

const HandlerEntry kDeleteGroups = make_handler<DeleteGroupsHandler>();

}  // namespace milena::broker
