#include "broker/handlers/offset_delete.h"

#include <utility>

#include "broker/group_request.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Request = OffsetDeleteHandler::Api::Request;
using Response = OffsetDeleteHandler::Api::Response;

// Takes what does not exist out of the request and answers it.
void take_out_unknown(const image::Image& image, Request& request, Response& response) {
  for (auto& topic : request.topics) {
    const image::Topic* found = image.topic(topic.name);
    Response::OffsetDeleteResponseTopic answer;
    answer.name = topic.name;
    std::erase_if(topic.partitions, [&](const auto& partition) {
      PartitionId index(partition.partition_index);
      if (found != nullptr && found->partition(index) != nullptr) return false;
      Response::OffsetDeleteResponsePartition result;
      result.partition_index = partition.partition_index;
      result.error_code = wire::to_int16(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
      answer.partitions.push_back(result);
      return true;
    });
    if (!answer.partitions.empty()) response.topics.push_back(std::move(answer));
  }
  std::erase_if(request.topics, [](const auto& topic) { return topic.partitions.empty(); });
}

void merge(Response& response, Response answered) {
  for (auto& topic : answered.topics) {
    auto it = response.topics.begin();
    while (it != response.topics.end() && it->name != topic.name) ++it;
    if (it == response.topics.end()) response.topics.push_back(std::move(topic));
    else it->partitions.insert(it->partitions.end(), topic.partitions.begin(), topic.partitions.end());
  }
}

}  // namespace

io::Task<Response> OffsetDeleteHandler::handle(RequestContext context, Request request) {
  Response response;
  take_out_unknown(*context.image, request, response);
  auto answer = co_await forward_to_group<Api>(context, std::move(request), &group::Groups::offset_delete);
  Response refused;
  if (answer.failed()) {
    refused.error_code = wire::to_int16(answer.error());
    co_return refused;
  }
  if (answer->error_code != 0) co_return std::move(*answer);
  merge(response, std::move(*answer));
  co_return response;
}

const HandlerEntry kOffsetDelete = make_handler<OffsetDeleteHandler>();

}  // namespace milena::broker
