#include "broker/handlers/broker_heartbeat.h"

#include <utility>

#include "meta/brokers.h"

namespace milena::broker {
namespace {

using Request = BrokerHeartbeatHandler::Api::Request;
using Response = BrokerHeartbeatHandler::Api::Response;

io::Task<Response> heartbeat_there(Services* services, Request request) {
  auto decide = [request](const meta::Context& controller) { return meta::broker_heartbeat(controller, request); };
  auto applied = [request, services](meta::Controller& controller, meta::HeartbeatDecision& decision) {
    Offset log_end = services->metadata.raft().log_end();
    meta::apply_heartbeat(controller.heartbeats(), request, decision, log_end, services->control.now());
  };
  auto decision = co_await services->metadata.decide(std::move(decide), std::move(applied));
  Response response;
  if (decision.has_value()) response = std::move(decision->response);
  else response.error_code = wire::to_int16(wire::ErrorCode::NOT_CONTROLLER);
  co_return response;
}

}  // namespace

io::Task<Response> BrokerHeartbeatHandler::handle(RequestContext context, Request request) {
  Services* services = &context.services();
  auto work = [services, request = std::move(request)] { return heartbeat_there(services, request); };
  co_return co_await io::run_on(services->control, std::move(work));
}

const HandlerEntry kBrokerHeartbeat = make_handler<BrokerHeartbeatHandler>(Serves::kController);

}  // namespace milena::broker
