#include "broker/handlers/describe_quorum.h"

#include <utility>

#include "raft/describe_quorum.h"

namespace milena::broker {
namespace {

using Request = DescribeQuorumHandler::Api::Request;
using Response = DescribeQuorumHandler::Api::Response;

io::Task<Response> describe_there(Services* services, Request request) {
  co_return raft::describe_quorum(services->metadata.raft(), request, services->control.wall_now());
}

}  // namespace

io::Task<Response> DescribeQuorumHandler::handle(RequestContext context, Request request) {
  Services* services = &context.services();
  auto work = [services, request = std::move(request)] { return describe_there(services, request); };
  co_return co_await io::run_on(services->control, std::move(work));
}

const HandlerEntry kDescribeQuorum = make_handler<DescribeQuorumHandler>(Serves::kBoth);

}  // namespace milena::broker
