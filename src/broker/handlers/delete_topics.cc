#include "broker/handlers/delete_topics.h"

#include <utility>

#include "broker/controller_request.h"
#include "meta/topics.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Request = DeleteTopicsHandler::Api::Request;
using Response = DeleteTopicsHandler::Api::Response;

void add_failed(Response& response, std::optional<std::string> name, const Uuid& id) {
  auto& result = response.responses.emplace_back();
  result.name = std::move(name);
  result.topic_id = id;
  result.error_code = wire::to_int16(ErrorCode::NOT_CONTROLLER);
}

}  // namespace

io::Task<Response> DeleteTopicsHandler::handle(RequestContext context, Request request) {
  auto decide = [request, version = context.api_version](const meta::Context& controller) {
    return meta::delete_topics(controller, request, version);
  };
  auto response = co_await ask_controller(context, std::move(decide), Settle::kApplied);
  if (response.has_value()) co_return std::move(*response);
  Response failed;
  for (const std::string& name : request.topic_names) add_failed(failed, name, kZeroUuid);
  for (const auto& topic : request.topics) add_failed(failed, topic.name, topic.topic_id);
  co_return failed;
}

const HandlerEntry kDeleteTopics = make_handler<DeleteTopicsHandler>(Serves::kBoth);

}  // namespace milena::broker
