/// Changing configurations: IncrementalAlterConfigs, AlterConfigs.
///
/// A change of min.insync.replicas clears the ELR of the topics it affects (KIP-966). While ELR is on, the
/// cluster-wide min.insync.replicas cannot be removed, nor set for single brokers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "meta/decision.h"
#include "wire/messages/alter_configs_request.h"
#include "wire/messages/alter_configs_response.h"
#include "wire/messages/incremental_alter_configs_request.h"
#include "wire/messages/incremental_alter_configs_response.h"

namespace milena::meta {

/// Errors per resource: INVALID_CONFIG, INVALID_REQUEST, UNKNOWN_TOPIC_OR_PARTITION, BROKER_ID_NOT_REGISTERED.
/// BROKER_LOGGER resources are the broker's own affair and must not be in the request.
Decision<wire::IncrementalAlterConfigsResponse> incremental_alter_configs(
    const Context& context, const wire::IncrementalAlterConfigsRequest& request);

/// The old API: what is not named is removed.
Decision<wire::AlterConfigsResponse> alter_configs(const Context& context, const wire::AlterConfigsRequest& request);

/// min.insync.replicas of a topic: its own value, the cluster's, the node's; at most the replication factor counts.
std::int32_t effective_min_insync_replicas(const Context& context, std::string_view topic);

/// unclean.leader.election.enable of a topic, by the same order.
bool unclean_election_enabled(const Context& context, std::string_view topic);

/// The changes of one resource as records; what AlterConfigs and CreateTopics have in common.
enum class ConfigOperation : std::int8_t { kSet = 0, kDelete = 1, kAppend = 2, kSubtract = 3 };
struct ConfigChange {
  std::string name;
  ConfigOperation operation = ConfigOperation::kSet;
  std::string value;
};
/// Appends to `records` what the changes come to. `new_resource`: it is being created, its existence is not checked.
ApiError change_configs(const Context& context, const image::ConfigResource& resource,
                        const std::vector<ConfigChange>& changes, bool new_resource,
                        std::vector<image::MetadataRecord>& records);

}  // namespace milena::meta
