#include "broker/handlers/elect_leaders.h"

#include <utility>

#include "broker/controller_request.h"
#include "meta/elections.h"

namespace milena::broker {

using Request = ElectLeadersHandler::Api::Request;
using Response = ElectLeadersHandler::Api::Response;

io::Task<Response> ElectLeadersHandler::handle(RequestContext context, Request request) {
  auto decide = [request](const meta::Context& controller) { return meta::elect_leaders(controller, request); };
  auto response = co_await ask_controller(context, std::move(decide), Settle::kApplied);
  if (response.has_value()) co_return std::move(*response);
  co_return meta::elect_leaders_failed(request, {wire::ErrorCode::NOT_CONTROLLER, ""});
}

const HandlerEntry kElectLeaders = make_handler<ElectLeadersHandler>(Serves::kBoth);

}  // namespace milena::broker
