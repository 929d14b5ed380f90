#include "broker/handlers/create_partitions.h"

#include <utility>

#include "broker/controller_request.h"
#include "meta/topics.h"

namespace milena::broker {

using Request = CreatePartitionsHandler::Api::Request;
using Response = CreatePartitionsHandler::Api::Response;

io::Task<Response> CreatePartitionsHandler::handle(RequestContext context, Request request) {
  auto decide = [request](const meta::Context& controller) { return meta::create_partitions(controller, request); };
  Settle settle = request.validate_only ? Settle::kCommitted : Settle::kApplied;
  auto response = co_await ask_controller(context, std::move(decide), settle);
  if (response.has_value()) co_return std::move(*response);
  Response failed;
  for (const auto& topic : request.topics) {
    auto& result = failed.results.emplace_back();
    result.name = topic.name;
    result.error_code = wire::to_int16(wire::ErrorCode::NOT_CONTROLLER);
  }
  co_return failed;
}

const HandlerEntry kCreatePartitions = make_handler<CreatePartitionsHandler>(Serves::kBoth);

}  // namespace milena::broker
