#include "broker/handlers/list_groups.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "broker/group_request.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Request = ListGroupsHandler::Api::Request;
using Response = ListGroupsHandler::Api::Response;

Response failure(ErrorCode error) {
  Response response;
  response.error_code = wire::to_int16(error);
  return response;
}

io::Task<Response> list_there(replica::GroupCoordinator* coordinator, std::shared_ptr<const Request> request) {
  Response response;
  auto partitions = coordinator->partitions();
  if (partitions.failed()) co_return failure(partitions.error());
  for (PartitionId partition : *partitions) {
    std::vector<Response::ListedGroup> listed;
    replica::GroupCoordinator::Read read = [&listed, request](const group::Groups& groups) {
      listed = groups.list_groups(request->states_filter, request->types_filter);
    };
    ErrorCode error = co_await coordinator->read_partition(partition, std::move(read));
    if (error == ErrorCode::NOT_COORDINATOR) continue;  // another node lists it
    if (error != ErrorCode::NONE) co_return failure(error);
    std::ranges::move(listed, std::back_inserter(response.groups));
  }
  co_return response;
}

}  // namespace

io::Task<Response> ListGroupsHandler::handle(RequestContext context, Request request) {
  replica::GroupCoordinator* coordinator = &context.services().groups;
  auto shared = std::make_shared<const Request>(std::move(request));
  auto work = [coordinator, shared] { return list_there(coordinator, shared); };
  co_return co_await io::run_on(context.services().control, std::move(work));
}

const HandlerEntry kListGroups = make_handler<ListGroupsHandler>();

}  // namespace milena::broker
