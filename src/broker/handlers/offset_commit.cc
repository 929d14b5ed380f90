#include "broker/handlers/offset_commit.h"

#include <utility>

#include "broker/group_request.h"
#include "broker/topics.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Request = OffsetCommitHandler::Api::Request;
using Response = OffsetCommitHandler::Api::Response;

constexpr std::int16_t kTopicIdVersion = 10;

// The request without what does not exist; `response` has all its partitions in order, and `open` points at those
// that the coordinator is to answer, in the order of the request that it gets.
struct Sorted {
  Request known;
  Response response;
  std::vector<std::pair<std::size_t, std::size_t>> open;
};

void sort_topic(const RequestContext& context, const Request::OffsetCommitRequestTopic& topic, Sorted& sorted) {
  bool by_id = context.api_version >= kTopicIdVersion;
  const image::Topic* found = find_topic(*context.image, by_id ? topic.topic_id : kZeroUuid, topic.name);
  Response::OffsetCommitResponseTopic answer;
  answer.name = topic.name;
  answer.topic_id = topic.topic_id;
  Request::OffsetCommitRequestTopic known;
  if (found != nullptr) known.name = found->name;
  known.topic_id = topic.topic_id;
  for (const auto& partition : topic.partitions) {
    Response::OffsetCommitResponsePartition result;
    result.partition_index = partition.partition_index;
    if (found == nullptr) {
      ErrorCode error = by_id ? ErrorCode::UNKNOWN_TOPIC_ID : ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
      result.error_code = wire::to_int16(error);
    } else if (found->partition(PartitionId(partition.partition_index)) == nullptr) {
      result.error_code = wire::to_int16(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    } else {
      sorted.open.emplace_back(sorted.response.topics.size(), answer.partitions.size());
      known.partitions.push_back(partition);
    }
    answer.partitions.push_back(result);
  }
  sorted.response.topics.push_back(std::move(answer));
  if (!known.partitions.empty()) sorted.known.topics.push_back(std::move(known));
}

void answer_open(Sorted& sorted, const Result<Response, ErrorCode>& answer) {
  std::vector<std::int16_t> errors;
  if (answer.has_value()) {
    for (const auto& topic : answer->topics) {
      for (const auto& partition : topic.partitions) errors.push_back(partition.error_code);
    }
    CHECK(errors.size() == sorted.open.size(), "the coordinator answers each partition of a commit");
  } else {
    errors.assign(sorted.open.size(), wire::to_int16(answer.error()));
  }
  for (std::size_t i = 0; i < errors.size(); ++i) {
    auto [topic, partition] = sorted.open[i];
    sorted.response.topics[topic].partitions[partition].error_code = errors[i];
  }
}

}  // namespace

io::Task<Response> OffsetCommitHandler::handle(RequestContext context, Request request) {
  Sorted sorted;
  for (const auto& topic : request.topics) sort_topic(context, topic, sorted);
  if (sorted.open.empty()) co_return std::move(sorted.response);
  request.topics = std::move(sorted.known.topics);
  auto answer = co_await forward_to_group<Api>(context, std::move(request), &group::Groups::offset_commit);
  answer_open(sorted, answer);
  co_return std::move(sorted.response);
}

const HandlerEntry kOffsetCommit = make_handler<OffsetCommitHandler>();

}  // namespace milena::broker
