#include "broker/handlers/describe_groups.h"

#include <utility>

#include "broker/authorized_operations.h"
#include "broker/group_request.h"

namespace milena::broker {

using Request = DescribeGroupsHandler::Api::Request;
using Response = DescribeGroupsHandler::Api::Response;
using Group = Response::DescribedGroup;

io::Task<Response> DescribeGroupsHandler::handle(RequestContext context, Request request) {
  Response response;
  for (const std::string& group_id : request.groups) {
    auto read = [group_id, version = context.api_version](const group::Groups& groups) {
      return groups.describe_group(group_id, version);
    };
    auto answer = co_await read_group<Group>(context, group_id, std::move(read));
    Group group;
    if (answer.has_value()) {
      group = std::move(*answer);
    } else {
      group.group_id = group_id;
      group.error_code = wire::to_int16(answer.error());
    }
    if (request.include_authorized_operations && group.error_code == 0) {
      group.authorized_operations = kAllGroupOperations;
    }
    response.groups.push_back(std::move(group));
  }
  co_return response;
}

const HandlerEntry kDescribeGroups = make_handler<DescribeGroupsHandler>();

}  // namespace milena::broker
