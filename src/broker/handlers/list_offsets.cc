#include "broker/handlers/list_offsets.h"

#include <set>
#include <utility>

#include "broker/topics.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Request = ListOffsetsHandler::Api::Request;
using Response = ListOffsetsHandler::Api::Response;

// Which version brought each special timestamp.
bool known_timestamp(std::int64_t timestamp, std::int16_t version) {
  switch (timestamp) {
    case replica::kMaxTimestamp: return version >= 7;
    case replica::kEarliestLocal: return version >= 8;
    case replica::kLatestTiered: return version >= 9;
    case replica::kEarliestPendingUpload: return version >= 11;
    default: return timestamp >= replica::kEarliest;
  }
}

io::Task<replica::LookupResult> look_up_there(replica::LoopPartitions* there, replica::LookupRequest request) {
  auto partition = there->find(request.id);
  if (partition == nullptr) co_return replica::LookupResult(there->why_missing(request.id));
  co_return co_await replica::Partition::lookup(partition, request);
}

io::Task<replica::LookupResult> look_up(RequestContext context, const std::string* topic_name,
                                        const Request::ListOffsetsPartition* asked, bool read_committed) {
  if (!known_timestamp(asked->timestamp, context.api_version)) {
    co_return replica::LookupResult(ErrorCode::UNSUPPORTED_VERSION);
  }
  const image::Topic* topic = context.image->topic(*topic_name);
  PartitionId index(asked->partition_index);
  if (topic == nullptr || topic->partition(index) == nullptr) {
    co_return replica::LookupResult(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
  }
  replica::LookupRequest request;
  request.id = {topic->id, index};
  request.timestamp = asked->timestamp;
  request.current_leader_epoch = Epoch(asked->current_leader_epoch);
  request.read_committed = read_committed;
  replica::LoopPartitions* there = &context.services().partitions.owning(request.id);
  auto work = [there, request] { return look_up_there(there, request); };
  co_return co_await io::run_on(there->loop(), std::move(work));
}

}  // namespace

io::Task<Response> ListOffsetsHandler::handle(RequestContext context, Request request) {
  Response response;
  // A partition that is asked for twice is refused, once.
  std::set<std::pair<std::string, std::int32_t>> seen;
  std::set<std::pair<std::string, std::int32_t>> twice;
  std::set<std::pair<std::string, std::int32_t>> refused;
  for (const auto& topic : request.topics) {
    for (const auto& asked : topic.partitions) {
      if (!seen.emplace(topic.name, asked.partition_index).second) twice.emplace(topic.name, asked.partition_index);
    }
  }
  for (const auto& topic : request.topics) {
    Response::ListOffsetsTopicResponse answer;
    answer.name = topic.name;
    for (const auto& asked : topic.partitions) {
      replica::LookupResult result(ErrorCode::INVALID_REQUEST);
      if (twice.contains({topic.name, asked.partition_index})) {
        if (!refused.emplace(topic.name, asked.partition_index).second) continue;
      } else {
        result = co_await look_up(context, &topic.name, &asked, request.isolation_level == 1);
      }
      Response::ListOffsetsPartitionResponse partition;
      partition.partition_index = asked.partition_index;
      partition.error_code = wire::to_int16(result.error);
      partition.offset = result.offset.value();
      partition.timestamp = result.timestamp.value();
      partition.leader_epoch = result.leader_epoch.value();
      answer.partitions.push_back(partition);
    }
    response.topics.push_back(std::move(answer));
  }
  co_return response;
}

const HandlerEntry kListOffsets = make_handler<ListOffsetsHandler>();

}  // namespace milena::broker
