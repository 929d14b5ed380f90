/// Creating and deleting topics, adding partitions: CreateTopics, DeleteTopics, CreatePartitions.
#pragma once

#include <functional>
#include <string_view>

#include "meta/decision.h"
#include "wire/messages/create_partitions_request.h"
#include "wire/messages/create_partitions_response.h"
#include "wire/messages/create_topics_request.h"
#include "wire/messages/create_topics_response.h"
#include "wire/messages/delete_topics_request.h"
#include "wire/messages/delete_topics_response.h"

namespace milena::meta {

/// Most records one request may cause.
inline constexpr std::size_t kMaxRecordsPerRequest = 10'000;

/// What a topic's name must be: 1 to 249 of [a-zA-Z0-9._-], not "." or "..". Returns what is wrong, else nothing.
std::optional<std::string> topic_name_problem(std::string_view name);

/// Topics that the principal may not create are the caller's to take out of the request; names given twice are
/// refused here (INVALID_REQUEST). `may_describe_configs(name)`: the principal may see the topic's configs.
/// Errors per topic: INVALID_TOPIC_EXCEPTION (name, collision of '.' and '_'), TOPIC_ALREADY_EXISTS, INVALID_CONFIG,
/// INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR, INVALID_REPLICA_ASSIGNMENT, INVALID_REQUEST, POLICY_VIOLATION.
Decision<wire::CreateTopicsResponse> create_topics(
    const Context& context, const wire::CreateTopicsRequest& request,
    const std::function<bool(std::string_view)>& may_describe_configs = nullptr);

/// By name or id (v6). Errors per topic: UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, INVALID_REQUEST (both or
/// neither given, or twice), TOPIC_DELETION_DISABLED.
Decision<wire::DeleteTopicsResponse> delete_topics(const Context& context, const wire::DeleteTopicsRequest& request,
                                                   std::int16_t version);

/// Errors per topic: UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS, INVALID_REPLICA_ASSIGNMENT, INVALID_REQUEST.
Decision<wire::CreatePartitionsResponse> create_partitions(const Context& context,
                                                           const wire::CreatePartitionsRequest& request);

}  // namespace milena::meta
