/// AssignReplicasToDirs (api key 73, KIP-858): a broker tells in which of its log directories its replicas lie.
#pragma once

#include "meta/decision.h"
#include "wire/messages/assign_replicas_to_dirs_request.h"
#include "wire/messages/assign_replicas_to_dirs_response.h"

namespace milena::meta {

/// Errors: STALE_BROKER_EPOCH, BROKER_ID_NOT_REGISTERED; per partition UNKNOWN_TOPIC_ID,
/// UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER (no replica there).
Decision<wire::AssignReplicasToDirsResponse> assign_replicas_to_dirs(
    const Context& context, const wire::AssignReplicasToDirsRequest& request);

}  // namespace milena::meta
