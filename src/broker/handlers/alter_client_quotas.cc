#include "broker/handlers/alter_client_quotas.h"

#include <utility>

#include "broker/controller_request.h"
#include "meta/client_quotas.h"

namespace milena::broker {
namespace {

using Request = AlterClientQuotasHandler::Api::Request;
using Response = AlterClientQuotasHandler::Api::Response;

Response not_controller(const Request& request) {
  Response response;
  for (const auto& entry : request.entries) {
    auto& out = response.entries.emplace_back();
    out.error_code = wire::to_int16(wire::ErrorCode::NOT_CONTROLLER);
    out.error_message = std::nullopt;
    for (const auto& part : entry.entity) {
      auto& entity = out.entity.emplace_back();
      entity.entity_type = part.entity_type;
      entity.entity_name = part.entity_name;
    }
  }
  return response;
}

}  // namespace

io::Task<Response> AlterClientQuotasHandler::handle(RequestContext context, Request request) {
  auto decide = [request](const meta::Context& controller) { return meta::alter_client_quotas(controller, request); };
  auto response = co_await ask_controller(context, std::move(decide), Settle::kApplied);
  if (response.has_value()) co_return std::move(*response);
  co_return not_controller(request);
}

const HandlerEntry kAlterClientQuotas = make_handler<AlterClientQuotasHandler>(Serves::kBoth);

}  // namespace milena::broker
