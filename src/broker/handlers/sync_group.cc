#include "broker/handlers/sync_group.h"

#include <utility>

#include "broker/group_request.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Request = SyncGroupHandler::Api::Request;
using Response = SyncGroupHandler::Api::Response;

constexpr std::int16_t kProtocolNamedVersion = 5;

Response refused(ErrorCode error) {
  Response response;
  response.error_code = wire::to_int16(error);
  return response;
}

}  // namespace

io::Task<Response> SyncGroupHandler::handle(RequestContext context, Request request) {
  if (context.api_version >= kProtocolNamedVersion &&
      (!request.protocol_type.has_value() || !request.protocol_name.has_value())) {
    co_return refused(ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
  }
  auto answer = co_await forward_to_group<Api>(context, std::move(request), &group::Groups::sync_group);
  if (answer.failed()) co_return refused(answer.error());
  co_return std::move(*answer);
}

const HandlerEntry kSyncGroup = make_handler<SyncGroupHandler>();

}  // namespace milena::broker
