#include "meta/elections.h"

#include <fmt/format.h>

#include <utility>

#include "meta/configs.h"
#include "meta/partition_change.h"
#include "meta/topics.h"

namespace milena::meta {
namespace {

using wire::ErrorCode;

enum class ElectionType : std::int8_t { kPreferred = 0, kUnclean = 1 };

bool needed(const image::Partition& partition, ElectionType type) {
  if (type == ElectionType::kUnclean) return !partition.has_leader();
  return partition.replicas.empty() || partition.leader != partition.replicas.front();
}

ApiError elect(const Context& context, const image::Topic* topic, PartitionId number, ElectionType type,
               std::vector<image::MetadataRecord>& records) {
  const image::Partition* partition = topic == nullptr ? nullptr : topic->partition(number);
  if (partition == nullptr) return {ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, "There is no such partition."};
  if (!needed(*partition, type)) return {ErrorCode::ELECTION_NOT_NEEDED, ""};
  const image::Image& image = context.image;
  PartitionChange change{.image = image, .id = {topic->id, number}, .before = *partition,
                         .acceptable = [&](BrokerId id) {
                           return image.active(id) && directory_online(image, id, partition->directory_of(id));
                         }};
  change.min_isr = effective_min_insync_replicas(context, topic->name);
  change.election = type == ElectionType::kUnclean ? Election::kUnclean : Election::kPreferred;
  auto record = change.build();
  if (record.has_value()) {
    records.push_back(*std::move(record));
    return {};
  }
  if (type == ElectionType::kPreferred) return {ErrorCode::PREFERRED_LEADER_NOT_AVAILABLE, ""};
  return {ErrorCode::ELIGIBLE_LEADERS_NOT_AVAILABLE, ""};
}

void add(wire::ElectLeadersResponse::ReplicaElectionResult& result, std::int32_t partition, const ApiError& error) {
  auto& out = result.partition_result.emplace_back();
  out.partition_id = partition;
  out.error_code = error.number();
  out.error_message = error.text();
}

}  // namespace

wire::ElectLeadersResponse elect_leaders_failed(const wire::ElectLeadersRequest& request, const ApiError& error) {
  wire::ElectLeadersResponse response;
  response.error_code = error.number();
  if (!request.topic_partitions.has_value()) return response;
  for (const auto& topic : *request.topic_partitions) {
    auto& result = response.replica_election_results.emplace_back();
    result.topic = topic.topic;
    for (std::int32_t partition : topic.partitions) add(result, partition, error);
  }
  return response;
}

Decision<wire::ElectLeadersResponse> elect_leaders(const Context& context, const wire::ElectLeadersRequest& request) {
  Decision<wire::ElectLeadersResponse> decision;
  if (request.topic_partitions.has_value() && request.topic_partitions->empty()) return decision;
  if (request.election_type != 0 && request.election_type != 1) {
    std::string message = fmt::format("Unknown election type {}", request.election_type);
    decision.response = elect_leaders_failed(request, {ErrorCode::INVALID_REQUEST, std::move(message)});
    return decision;
  }
  auto type = static_cast<ElectionType>(request.election_type);
  auto& results = decision.response.replica_election_results;
  if (request.topic_partitions.has_value()) {
    for (const auto& asked : *request.topic_partitions) {
      auto& result = results.emplace_back();
      result.topic = asked.topic;
      for (std::int32_t number : asked.partitions)
        add(result, number, elect(context, context.image.topic(asked.topic), PartitionId(number), type, decision.records));
    }
  } else {
    for (const auto& [id, topic] : context.image.topics) {
      auto& result = results.emplace_back();
      result.topic = topic->name;
      for (const auto& [number, partition] : topic->partitions) {
        ApiError error = elect(context, &*topic, number, type, decision.records);
        if (error.code != ErrorCode::ELECTION_NOT_NEEDED) add(result, number.value(), error);
      }
    }
  }
  if (decision.records.size() > kMaxRecordsPerRequest) {
    decision.records.clear();
    decision.response = elect_leaders_failed(
        request, {ErrorCode::POLICY_VIOLATION, "Unable to perform excessively large batch operation."});
  }
  return decision;
}

}  // namespace milena::meta
