#include "meta/reassignments.h"

#include <utility>

namespace milena::meta {
namespace {

using Response = wire::ListPartitionReassignmentsResponse;

std::vector<std::int32_t> raw(const std::vector<BrokerId>& ids) {
  std::vector<std::int32_t> values;
  for (BrokerId id : ids) values.push_back(id.value());
  return values;
}

void add(Response::OngoingTopicReassignment& topic, PartitionId number, const image::Partition& partition) {
  if (partition.adding_replicas.empty() && partition.removing_replicas.empty()) return;
  auto& out = topic.partitions.emplace_back();
  out.partition_index = number.value();
  out.replicas = raw(partition.replicas);
  out.adding_replicas = raw(partition.adding_replicas);
  out.removing_replicas = raw(partition.removing_replicas);
}

void keep(Response& response, Response::OngoingTopicReassignment topic) {
  if (!topic.partitions.empty()) response.topics.push_back(std::move(topic));
}

}  // namespace

Decision<Response> list_partition_reassignments(const Context& context,
                                                const wire::ListPartitionReassignmentsRequest& request) {
  Decision<Response> decision;
  decision.response.error_message = std::nullopt;
  if (!request.topics.has_value()) {
    for (const auto& [id, topic] : context.image.topics) {
      Response::OngoingTopicReassignment out;
      out.name = topic->name;
      for (const auto& [number, partition] : topic->partitions) add(out, number, *partition);
      keep(decision.response, std::move(out));
    }
    return decision;
  }
  for (const auto& asked : *request.topics) {
    const image::Topic* topic = context.image.topic(asked.name);
    if (topic == nullptr) continue;
    Response::OngoingTopicReassignment out;
    out.name = topic->name;
    for (std::int32_t index : asked.partition_indexes) {
      PartitionId number(index);
      if (const image::Partition* partition = topic->partition(number)) add(out, number, *partition);
    }
    keep(decision.response, std::move(out));
  }
  return decision;
}

}  // namespace milena::meta
