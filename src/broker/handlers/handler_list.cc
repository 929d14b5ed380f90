#include "broker/handlers/handler_list.h"

#include <algorithm>

#include "broker/handlers/allocate_producer_ids.h"
#include "broker/handlers/alter_client_quotas.h"
#include "broker/handlers/alter_configs.h"
#include "broker/handlers/alter_replica_log_dirs.h"
#include "broker/handlers/api_versions.h"
#include "broker/handlers/assign_replicas_to_dirs.h"
#include "broker/handlers/broker_heartbeat.h"
#include "broker/handlers/broker_registration.h"
#include "broker/handlers/controller_registration.h"
#include "broker/handlers/create_partitions.h"
#include "broker/handlers/create_topics.h"
#include "broker/handlers/delete_groups.h"
#include "broker/handlers/delete_records.h"
#include "broker/handlers/delete_topics.h"
#include "broker/handlers/describe_client_quotas.h"
#include "broker/handlers/describe_cluster.h"
#include "broker/handlers/describe_configs.h"
#include "broker/handlers/describe_groups.h"
#include "broker/handlers/describe_log_dirs.h"
#include "broker/handlers/describe_producers.h"
#include "broker/handlers/describe_quorum.h"
#include "broker/handlers/describe_topic_partitions.h"
#include "broker/handlers/elect_leaders.h"
#include "broker/handlers/fetch.h"
#include "broker/handlers/fetch_snapshot.h"
#include "broker/handlers/find_coordinator.h"
#include "broker/handlers/heartbeat.h"
#include "broker/handlers/incremental_alter_configs.h"
#include "broker/handlers/init_producer_id.h"
#include "broker/handlers/join_group.h"
#include "broker/handlers/leave_group.h"
#include "broker/handlers/list_config_resources.h"
#include "broker/handlers/list_groups.h"
#include "broker/handlers/list_offsets.h"
#include "broker/handlers/list_partition_reassignments.h"
#include "broker/handlers/metadata.h"
#include "broker/handlers/offset_commit.h"
#include "broker/handlers/offset_delete.h"
#include "broker/handlers/offset_fetch.h"
#include "broker/handlers/offset_for_leader_epoch.h"
#include "broker/handlers/produce.h"
#include "broker/handlers/sync_group.h"
#include "broker/handlers/unregister_broker.h"
#include "broker/handlers/update_features.h"

namespace milena::broker {
namespace {

// One line per API, in the order of the keys.
constexpr const HandlerEntry* kHandlers[] = {
    &kProduce,                  // 0
    &kFetch,                    // 1
    &kListOffsets,              // 2
    &kMetadata,                 // 3
    &kOffsetCommit,             // 8
    &kOffsetFetch,              // 9
    &kFindCoordinator,          // 10
    &kJoinGroup,                // 11
    &kHeartbeat,                // 12
    &kLeaveGroup,               // 13
    &kSyncGroup,                // 14
    &kDescribeGroups,           // 15
    &kListGroups,               // 16
    &kApiVersions,              // 18
    &kCreateTopics,             // 19
    &kDeleteTopics,             // 20
    &kDeleteRecords,            // 21
    &kInitProducerId,           // 22
    &kOffsetForLeaderEpoch,     // 23
    &kDescribeConfigs,          // 32
    &kAlterConfigs,             // 33
    &kAlterReplicaLogDirs,      // 34
    &kDescribeLogDirs,          // 35
    &kCreatePartitions,         // 37
    &kDeleteGroups,             // 42
    &kElectLeaders,             // 43
    &kIncrementalAlterConfigs,  // 44
    &kListPartitionReassignments,  // 46
    &kOffsetDelete,             // 47
    &kDescribeClientQuotas,     // 48
    &kAlterClientQuotas,        // 49
    &kDescribeQuorum,           // 55
    &kUpdateFeatures,           // 57
    &kFetchSnapshot,            // 59
    &kDescribeCluster,          // 60
    &kDescribeProducers,        // 61
    &kBrokerRegistration,       // 62
    &kBrokerHeartbeat,          // 63
    &kUnregisterBroker,         // 64
    &kAllocateProducerIds,      // 67
    &kControllerRegistration,   // 70
    &kAssignReplicasToDirs,     // 73
    &kListConfigResources,      // 74
    &kDescribeTopicPartitions,  // 75
};

}  // namespace

std::span<const HandlerEntry* const> all_handlers() { return kHandlers; }

const HandlerEntry* find_handler(std::int16_t key) {
  auto it = std::ranges::lower_bound(kHandlers, key, {}, [](const HandlerEntry* handler) { return handler->key; });
  return it != std::end(kHandlers) && (*it)->key == key ? *it : nullptr;
}

}  // namespace milena::broker
