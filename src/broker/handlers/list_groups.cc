#include "broker/handlers/list_groups.h"

#include <memory>
#include <utility>

#include "broker/group_request.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Request = ListGroupsHandler::Api::Request;
using Response = ListGroupsHandler::Api::Response;

io::Task<Response> list_there(replica::GroupCoordinator* coordinator, std::shared_ptr<const Request> request) {
  Response response;
  ErrorCode error = coordinator->read_all([&](const group::Groups& groups) {
    for (auto& group : groups.list_groups(request->states_filter, request->types_filter)) {
      response.groups.push_back(std::move(group));
    }
  });
  if (error != ErrorCode::NONE) {
    response.groups.clear();
    response.error_code = wire::to_int16(error);
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
