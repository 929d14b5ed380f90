#include "broker/handlers/delete_records.h"

#include <algorithm>
#include <map>
#include <utility>

#include "broker/owning_loops.h"
#include "broker/topics.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Request = DeleteRecordsHandler::Api::Request;
using Response = DeleteRecordsHandler::Api::Response;

struct Deletion {
  TopicIdPartition id;  // without a topic id: refused already
  Offset offset;
  replica::DeletedRecords result;
};

// Where in the list of deletions a partition stands. Of one that is named twice the last offset counts.
using Index = std::map<std::string, std::map<std::int32_t, std::size_t>>;

Index to_deletions(const image::Image& image, const Request& request, std::vector<Deletion>& deletions) {
  Index index;
  for (const auto& asked : request.topics) {
    const image::Topic* topic = image.topic(asked.name);
    for (const auto& partition : asked.partitions) {
      auto [at, added] = index[asked.name].emplace(partition.partition_index, deletions.size());
      if (added) deletions.emplace_back();
      Deletion& deletion = deletions[at->second];
      PartitionId number(partition.partition_index);
      deletion.offset = Offset(partition.offset);
      if (topic == nullptr || topic->partition(number) == nullptr) {
        deletion.result.error = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
      } else if (is_internal_topic(asked.name)) {
        deletion.result.error = ErrorCode::INVALID_TOPIC_EXCEPTION;
      } else {
        deletion.id = {topic->id, number};
      }
    }
  }
  return index;
}

// An answer that a kill took back would make deleted records readable again.
io::Task<void> make_durable(RequestContext context, std::vector<Deletion>* deletions) {
  std::vector<replica::LogManager::LogStart> starts;
  for (const Deletion& deletion : *deletions) {
    bool deleted = !deletion.id.topic_id.is_zero() && deletion.result.error == ErrorCode::NONE;
    if (deleted) starts.push_back({deletion.id, deletion.result.low_watermark});
  }
  if (starts.empty()) co_return;
  replica::LogManager* logs = &context.services().logs;
  auto save = [logs, starts = std::move(starts)] { return logs->save_log_starts(starts); };
  auto failed = co_await io::run_on(context.services().control, std::move(save));
  for (Deletion& deletion : *deletions) {
    if (std::ranges::find(failed, deletion.id) == failed.end()) continue;
    deletion.result = replica::DeletedRecords(ErrorCode::KAFKA_STORAGE_ERROR);
  }
}

}  // namespace

io::Task<Response> DeleteRecordsHandler::handle(RequestContext context, Request request) {
  std::vector<Deletion> deletions;
  Index index = to_deletions(*context.image, request, deletions);
  auto act = [](replica::LoopPartitions& there, Deletion& deletion) {
    auto partition = there.find(deletion.id);
    if (partition == nullptr) deletion.result.error = there.why_missing(deletion.id);
    else deletion.result = partition->delete_records(deletion.offset);
  };
  co_await on_owning_loops(context, &deletions, std::move(act));
  co_await make_durable(context, &deletions);
  Response response;
  for (const auto& [name, partitions] : index) {
    auto& topic = response.topics.emplace_back();
    topic.name = name;
    for (const auto& [number, at] : partitions) {
      auto& partition = topic.partitions.emplace_back();
      partition.partition_index = number;
      partition.low_watermark = deletions[at].result.low_watermark.value();
      partition.error_code = wire::to_int16(deletions[at].result.error);
    }
  }
  co_return response;
}

const HandlerEntry kDeleteRecords = make_handler<DeleteRecordsHandler>();

}  // namespace milena::broker
