#include "broker/handlers/create_topics.h"

#include <map>
#include <utility>

#include "broker/create_topics.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Request = CreateTopicsHandler::Api::Request;
using Response = CreateTopicsHandler::Api::Response;

Response::CreatableTopicResult failed(const std::string& name, ErrorCode error, std::string message) {
  Response::CreatableTopicResult result;
  result.name = name;
  result.error_code = wire::to_int16(error);
  result.error_message = std::move(message);
  return result;
}

}  // namespace

io::Task<Response> CreateTopicsHandler::handle(RequestContext context, Request request) {
  std::map<std::string, int> counts;
  for (const auto& topic : request.topics) ++counts[topic.name];
  Response response;
  for (const auto& [name, count] : counts) {
    if (count > 1) response.topics.push_back(failed(name, ErrorCode::INVALID_REQUEST, "Duplicate topic name."));
    else if (name == "__cluster_metadata") {
      response.topics.push_back(failed(name, ErrorCode::INVALID_REQUEST, "Creation of internal topic " + name + " is prohibited."));
    }
  }
  std::erase_if(request.topics, [&](const auto& topic) {
    return counts[topic.name] > 1 || topic.name == "__cluster_metadata";
  });
  if (request.topics.empty()) co_return response;
  auto decided = co_await create_topics(context, request);
  if (decided.has_value()) {
    for (auto& topic : decided->topics) response.topics.push_back(std::move(topic));
    co_return response;
  }
  for (const auto& topic : request.topics) {
    response.topics.push_back(failed(topic.name, ErrorCode::NOT_CONTROLLER, "The active controller is not known."));
  }
  co_return response;
}

const HandlerEntry kCreateTopics = make_handler<CreateTopicsHandler>(Serves::kBoth);

}  // namespace milena::broker
