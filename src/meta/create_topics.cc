#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "meta/configs.h"
#include "meta/new_partitions.h"
#include "meta/placement.h"
#include "meta/topics.h"

namespace milena::meta {
namespace {

using wire::ErrorCode;
using Request = wire::CreateTopicsRequest;
using Topic = Request::CreatableTopic;
using TopicResult = wire::CreateTopicsResponse::CreatableTopicResult;
using Records = std::vector<image::MetadataRecord>;

std::string unify(std::string_view name) {
  std::string unified(name);
  std::ranges::replace(unified, '.', '_');
  return unified;
}

/// Metric names turn '.' into '_', so that a.b and a_b would be one.
const std::string* colliding_topic(const image::Image& image, std::string_view name) {
  if (name.find_first_of("._") == std::string_view::npos) return nullptr;
  std::string unified = unify(name);
  for (const auto& [existing, id] : image.topic_ids)
    if (existing != name && existing.size() == name.size() && unify(existing) == unified) return &existing;
  return nullptr;
}

ApiError check_name(const image::Image& image, const std::string& name) {
  if (auto problem = topic_name_problem(name)) return {ErrorCode::INVALID_TOPIC_EXCEPTION, *std::move(problem)};
  if (image.topic(name) != nullptr)
    return {ErrorCode::TOPIC_ALREADY_EXISTS, fmt::format("Topic '{}' already exists.", name)};
  if (const std::string* existing = colliding_topic(image, name))
    return {ErrorCode::INVALID_TOPIC_EXCEPTION,
            fmt::format("Topic '{}' collides with existing topic: {}", name, *existing)};
  return {};
}

ApiError topic_configs(const Context& context, const Topic& topic, Records& records) {
  std::map<std::string, std::string> values;  // one per name, in the order of names
  std::string nulls;
  for (const auto& config : topic.configs) {
    if (config.value.has_value()) values[config.name] = *config.value;
    else nulls += (nulls.empty() ? "" : ",") + config.name;
  }
  if (!nulls.empty()) return {ErrorCode::INVALID_CONFIG, "Null value not supported for topic configs: " + nulls};
  if (values.empty()) return {};
  std::vector<ConfigChange> changes;
  changes.reserve(values.size());
  for (auto& [name, value] : values) changes.push_back({name, ConfigOperation::kSet, value});
  image::ConfigResource resource{static_cast<std::int8_t>(image::ResourceType::kTopic), topic.name};
  return change_configs(context, resource, changes, true, records);
}

ApiError assigned_partitions(const Context& context, const Topic& topic, const TopicId& id, Records& records) {
  auto invalid = [](std::string message) {
    return ApiError{ErrorCode::INVALID_REPLICA_ASSIGNMENT, std::move(message)};
  };
  if (topic.replication_factor != -1)
    return {ErrorCode::INVALID_REQUEST,
            "A manual partition assignment was specified, but replication factor was not set to -1."};
  if (topic.num_partitions != -1)
    return {ErrorCode::INVALID_REQUEST,
            "A manual partition assignment was specified, but numPartitions was not set to -1."};
  std::map<std::int32_t, image::MetadataRecord> partitions;
  std::optional<std::size_t> replicas;
  for (const auto& assignment : topic.assignments) {
    std::int32_t index = assignment.partition_index;
    if (partitions.contains(index))
      return invalid(fmt::format("Found multiple manual partition assignments for partition {}", index));
    std::vector<BrokerId> brokers;
    brokers.reserve(assignment.broker_ids.size());
    for (std::int32_t broker : assignment.broker_ids) brokers.emplace_back(broker);
    ApiError error = check_manual_assignment(context.image, brokers, replicas);
    if (error.failed()) return error;
    replicas = brokers.size();
    auto record = new_partition(context.image, id, PartitionId(index), brokers);
    if (!record.has_value())
      return invalid(fmt::format("All brokers specified in the manual partition assignment for partition {} are "
                                 "fenced or in controlled shutdown.",
                                 index));
    partitions.emplace(index, *std::move(record));
  }
  std::int32_t expected = 0;
  for (auto& [index, record] : partitions) {
    if (index != expected++) return invalid("partitions should be a consecutive 0-based integer sequence");
    records.push_back(std::move(record));
  }
  return {};
}

ApiError placed_partitions(const Context& context, const Topic& topic, const TopicId& id, Records& records) {
  if (topic.replication_factor < -1 || topic.replication_factor == 0)
    return {ErrorCode::INVALID_REPLICATION_FACTOR,
            "Replication factor must be larger than 0, or -1 to use the default value."};
  if (topic.num_partitions < -1 || topic.num_partitions == 0)
    return {ErrorCode::INVALID_PARTITIONS, "Number of partitions was set to an invalid non-positive value."};
  std::int32_t count = topic.num_partitions == -1 ? context.settings.num_partitions : topic.num_partitions;
  std::int16_t replicas =
      topic.replication_factor == -1 ? context.settings.default_replication_factor : topic.replication_factor;
  auto unable = [&](std::string_view why) {
    return ApiError{ErrorCode::INVALID_REPLICATION_FACTOR,
                    fmt::format("Unable to replicate the partition {} time(s): {}", replicas, why)};
  };
  auto placed = place_replicas(usable_brokers(context), count, replicas, *context.random);
  if (placed.failed()) return unable(placed.error().message);
  for (std::int32_t index = 0; index < count; ++index) {
    auto record = new_partition(context.image, id, PartitionId(index), (*placed)[static_cast<std::size_t>(index)]);
    if (!record.has_value()) return unable("All brokers are currently fenced or in controlled shutdown.");
    records.push_back(*std::move(record));
  }
  return {};
}

void describe(const Context& context, const Topic& topic, std::size_t partitions, std::size_t replicas,
              bool may_describe, TopicResult& result) {
  if (!may_describe) {
    result.topic_config_error_code = wire::to_int16(ErrorCode::TOPIC_AUTHORIZATION_FAILED);
    return;
  }
  image::ConfigMap values;
  for (const auto& config : topic.configs) values[config.name] = config.value.value_or("");
  const image::Image& image = context.image;
  result.configs.emplace();
  for (EffectiveConfig& config : context.configs.effective_topic_configs(
           image.config(image::ResourceType::kBroker, ""),
           image.config(image::ResourceType::kBroker, fmt::format("{}", context.settings.node_id)), values)) {
    auto& out = result.configs->emplace_back();
    out.name = std::move(config.name);
    out.value = config.sensitive ? std::nullopt : std::move(config.value);
    out.read_only = config.read_only;
    out.config_source = config.source;
    out.is_sensitive = config.sensitive;
  }
  result.num_partitions = static_cast<std::int32_t>(partitions);
  result.replication_factor = static_cast<std::int16_t>(replicas);
}

ApiError create_topic(const Context& context, const Topic& topic, bool may_describe, Records& records,
                      TopicResult& result) {
  ApiError error = check_name(context.image, topic.name);
  if (error.failed()) return error;
  Records configs;
  error = topic_configs(context, topic, configs);
  if (error.failed()) return error;
  wire::TopicRecord record;
  record.name = topic.name;
  record.topic_id = context.new_uuid();
  Records partitions;
  error = topic.assignments.empty() ? placed_partitions(context, topic, record.topic_id, partitions)
                                    : assigned_partitions(context, topic, record.topic_id, partitions);
  if (error.failed()) return error;
  result.topic_id = record.topic_id;
  const auto& first = std::get<wire::PartitionRecord>(partitions.at(0).message);
  describe(context, topic, partitions.size(), first.replicas.size(), may_describe, result);
  records.push_back({std::move(record), 0});
  std::ranges::move(configs, std::back_inserter(records));
  std::ranges::move(partitions, std::back_inserter(records));
  return {};
}

void refuse(TopicResult& result, const ApiError& error) {
  std::string name = std::move(result.name);
  result = TopicResult{};
  result.name = std::move(name);
  result.error_code = error.number();
  result.error_message = error.text();
}

/// Counts before anything is built: one request must not cost more than its share.
bool too_many_partitions(const Context& context, const Request& request) {
  std::int64_t total = 0;
  for (const Topic& topic : request.topics) {
    if (!topic.assignments.empty()) total += static_cast<std::int64_t>(topic.assignments.size());
    else total += topic.num_partitions == -1 ? context.settings.num_partitions : std::max(topic.num_partitions, 0);
  }
  return total > static_cast<std::int64_t>(kMaxRecordsPerRequest);
}

}  // namespace

Decision<wire::CreateTopicsResponse> create_topics(const Context& context, const Request& request,
                                                   const std::function<bool(std::string_view)>& may_describe_configs) {
  Decision<wire::CreateTopicsResponse> decision;
  std::vector<TopicResult>& results = decision.response.topics;
  auto refuse_all = [&](const char* why) {
    decision.records.clear();
    results.clear();
    for (const Topic& topic : request.topics) {
      results.emplace_back().name = topic.name;
      refuse(results.back(), {ErrorCode::POLICY_VIOLATION, why});
    }
  };
  if (too_many_partitions(context, request)) {
    refuse_all("Excessively large number of partitions per request.");
    return decision;
  }
  std::map<std::string_view, int> times;
  for (const Topic& topic : request.topics) ++times[topic.name];
  std::vector<std::string_view> twice;
  for (const Topic& topic : request.topics) {
    if (times[topic.name] == 0) continue;
    if (times[topic.name] > 1) {
      twice.push_back(topic.name);
      times[topic.name] = 0;
      continue;
    }
    results.emplace_back().name = topic.name;
    results.back().error_message = std::nullopt;
    bool may_describe = !may_describe_configs || may_describe_configs(topic.name);
    ApiError error = topic.name == "__cluster_metadata"
                         ? ApiError{ErrorCode::INVALID_REQUEST,
                                    "Creation of internal topic __cluster_metadata is prohibited."}
                         : create_topic(context, topic, may_describe, decision.records, results.back());
    if (error.failed()) refuse(results.back(), error);
  }
  for (std::string_view name : twice) {
    results.emplace_back().name = name;
    refuse(results.back(), {ErrorCode::INVALID_REQUEST, "Duplicate topic name."});
  }
  if (decision.records.size() > kMaxRecordsPerRequest)
    refuse_all("Unable to perform excessively large batch operation.");
  if (request.validate_only) decision.records.clear();
  return decision;
}

}  // namespace milena::meta
