#include <fmt/format.h>

#include <map>
#include <utility>

#include "meta/new_partitions.h"
#include "meta/topics.h"

namespace milena::meta {
namespace {

using wire::ErrorCode;
using Topic = wire::CreatePartitionsRequest::CreatePartitionsTopic;
using Assignments = std::vector<std::vector<BrokerId>>;

/// The replicas of the new partitions: as asked for, or placed.
ApiError assign(const Context& context, const Topic& topic, std::size_t additional, std::size_t replicas,
                Assignments& assignments) {
  if (topic.assignments.has_value()) {
    if (topic.assignments->size() != additional)
      return {ErrorCode::INVALID_REPLICA_ASSIGNMENT,
              fmt::format("Attempted to add {} additional partition(s), but only {} assignment(s) were specified.",
                          additional, topic.assignments->size())};
    for (const auto& assignment : *topic.assignments) {
      auto& brokers = assignments.emplace_back();
      for (std::int32_t id : assignment.broker_ids) brokers.emplace_back(id);
      ApiError error = check_manual_assignment(context.image, brokers, replicas);
      if (error.failed()) return error;
    }
    return {};
  }
  auto placed = place_replicas(usable_brokers(context), static_cast<std::int32_t>(additional),
                               static_cast<std::int16_t>(replicas), *context.random);
  if (placed.failed()) return {ErrorCode::INVALID_REPLICATION_FACTOR, placed.error().message};
  assignments = *std::move(placed);
  return {};
}

ApiError add_partitions(const Context& context, const Topic& topic, std::vector<image::MetadataRecord>& records) {
  const image::Topic* existing = context.image.topic(topic.name);
  if (existing == nullptr || existing->partitions.empty()) return {ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, ""};
  auto count = static_cast<std::int32_t>(existing->partitions.size());
  if (topic.count == count)
    return {ErrorCode::INVALID_PARTITIONS, fmt::format("Topic already has {} partition(s).", count)};
  if (topic.count < count)
    return {ErrorCode::INVALID_PARTITIONS,
            fmt::format("The topic {} currently has {} partition(s); {} would not be an increase.", topic.name, count,
                        topic.count)};
  auto additional = static_cast<std::size_t>(topic.count - count);
  if (additional > kMaxRecordsPerRequest)
    return {ErrorCode::POLICY_VIOLATION, "Excessively large number of partitions per request."};
  std::size_t replicas = (*existing->partitions.begin()).second->replicas.size();
  Assignments assignments;
  ApiError error = assign(context, topic, additional, replicas, assignments);
  if (error.failed()) return error;
  std::vector<image::MetadataRecord> added;
  for (std::size_t i = 0; i < additional; ++i) {
    PartitionId id(count + static_cast<std::int32_t>(i));
    auto record = new_partition(context.image, existing->id, id, assignments[i]);
    if (!record.has_value() && topic.assignments.has_value())
      return {ErrorCode::INVALID_REPLICA_ASSIGNMENT,
              fmt::format("All brokers specified in the manual partition assignment for partition {} are fenced or "
                          "in controlled shutdown.",
                          id)};
    if (!record.has_value())
      return {ErrorCode::INVALID_REPLICATION_FACTOR,
              fmt::format("Unable to replicate the partition {} time(s): All brokers are currently fenced or in "
                          "controlled shutdown.",
                          replicas)};
    added.push_back(*std::move(record));
  }
  std::ranges::move(added, std::back_inserter(records));
  return {};
}

}  // namespace

Decision<wire::CreatePartitionsResponse> create_partitions(const Context& context,
                                                           const wire::CreatePartitionsRequest& request) {
  Decision<wire::CreatePartitionsResponse> decision;
  std::map<std::string_view, int> times;
  for (const Topic& topic : request.topics) ++times[topic.name];
  for (const Topic& topic : request.topics) {
    int& left = times[topic.name];
    if (left == 0) continue;
    ApiError error{ErrorCode::INVALID_REQUEST, "Duplicate topic name."};
    if (left == 1) error = add_partitions(context, topic, decision.records);
    if (!error.failed() && decision.records.size() > kMaxRecordsPerRequest)
      error = {ErrorCode::POLICY_VIOLATION, "Unable to perform excessively large batch operation."};
    left = 0;
    auto& out = decision.response.results.emplace_back();
    out.name = topic.name;
    out.error_code = error.number();
    out.error_message = error.text();
  }
  if (request.validate_only || decision.records.size() > kMaxRecordsPerRequest) decision.records.clear();
  return decision;
}

}  // namespace milena::meta
