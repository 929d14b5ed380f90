/// Reassignments under way (KIP-455): partitions with replicas that are being added or removed.
#pragma once

#include "meta/decision.h"
#include "wire/messages/list_partition_reassignments_request.h"
#include "wire/messages/list_partition_reassignments_response.h"

namespace milena::meta {

/// Of the named partitions, or of all; what does not exist or is not being reassigned is left out. Writes nothing.
/// O(partitions) without topics.
Decision<wire::ListPartitionReassignmentsResponse> list_partition_reassignments(
    const Context& context, const wire::ListPartitionReassignmentsRequest& request);

}  // namespace milena::meta
