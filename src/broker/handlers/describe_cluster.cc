#include "broker/handlers/describe_cluster.h"

#include <algorithm>
#include <utility>

#include "broker/authorized_operations.h"
#include "broker/topics.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Request = DescribeClusterHandler::Api::Request;
using Response = DescribeClusterHandler::Api::Response;

constexpr std::int8_t kBrokers = 1;
constexpr std::int8_t kControllers = 2;

Response failed(ErrorCode error, std::string message) {
  Response response;
  response.error_code = wire::to_int16(error);
  response.error_message = std::move(message);
  return response;
}

std::string_view endpoint_name(std::int8_t type) { return type == kBrokers ? "BROKER" : "CONTROLLER"; }

void add_brokers(const RequestContext& context, bool with_fenced, Response& response) {
  for (const auto& [id, broker] : context.image->brokers) {
    if (broker->fenced && !with_fenced) continue;
    auto address = broker_address(*broker, context.listener->name);
    if (!address.has_value()) continue;
    Response::DescribeClusterBroker one;
    one.broker_id = id.value();
    one.host = address->host;
    one.port = address->port;
    one.rack = address->rack;
    one.is_fenced = broker->fenced;
    // Some live broker stands for the controller: it forwards.
    if (!broker->fenced) response.controller_id = id.value();
    response.brokers.push_back(std::move(one));
  }
}

void add_controllers(const RequestContext& context, BrokerId active, Response& response) {
  for (const auto& [id, controller] : context.image->controllers) {
    auto it = std::ranges::find(controller->end_points, context.listener->name,
                                &wire::RegisterControllerRecord_ControllerEndpoint::name);
    if (it == controller->end_points.end()) continue;
    Response::DescribeClusterBroker one;
    one.broker_id = id.value();
    one.host = it->host;
    one.port = it->port;
    if (id == active) response.controller_id = id.value();
    response.brokers.push_back(std::move(one));
  }
}

io::Task<BrokerId> active_controller(Services* services) { co_return services->metadata.raft().leader_id(); }

}  // namespace

io::Task<Response> DescribeClusterHandler::handle(RequestContext context, Request request) {
  std::int8_t here = context.listener->controller ? kControllers : kBrokers;
  if (context.listener->controller && !context.image->metadata_version().controller_registration()) {
    co_return failed(ErrorCode::UNSUPPORTED_VERSION,
                     "controllers are not registered with the cluster's present metadata.version");
  }
  if (request.endpoint_type != kBrokers && request.endpoint_type != kControllers) {
    ErrorCode error = context.api_version == 0 ? ErrorCode::INVALID_REQUEST : ErrorCode::UNSUPPORTED_ENDPOINT_TYPE;
    co_return failed(error, "Unsupported endpoint type " + std::to_string(request.endpoint_type));
  }
  if (request.endpoint_type != here) {
    ErrorCode error = context.api_version == 0 ? ErrorCode::INVALID_REQUEST : ErrorCode::MISMATCHED_ENDPOINT_TYPE;
    std::string message = "The request was sent to an endpoint of type " + std::string(endpoint_name(here)) +
                          ", but we wanted an endpoint of type " + std::string(endpoint_name(request.endpoint_type));
    co_return failed(error, std::move(message));
  }
  Response response;
  response.endpoint_type = here;
  response.cluster_id = context.services().broker.cluster_id;
  if (request.include_cluster_authorized_operations) response.cluster_authorized_operations = kAllClusterOperations;
  if (here == kBrokers) {
    add_brokers(context, request.include_fenced_brokers, response);
    co_return response;
  }
  Services* services = &context.services();
  auto work = [services] { return active_controller(services); };
  BrokerId active = co_await io::run_on(services->control, std::move(work));
  add_controllers(context, active, response);
  co_return response;
}

const HandlerEntry kDescribeCluster = make_handler<DescribeClusterHandler>(Serves::kBoth);

}  // namespace milena::broker
