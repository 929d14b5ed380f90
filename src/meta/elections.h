/// Elections on request (ElectLeaders, KIP-183 and KIP-460): back to the preferred leader, or any live replica where a
/// partition has no leader.
#pragma once

#include "meta/decision.h"
#include "wire/messages/elect_leaders_request.h"
#include "wire/messages/elect_leaders_response.h"

namespace milena::meta {

/// Without topics: all partitions, and of those that need no election nothing is said.
/// Errors: INVALID_REQUEST (type; for all), POLICY_VIOLATION (too many changes; for all); per partition
/// UNKNOWN_TOPIC_OR_PARTITION, ELECTION_NOT_NEEDED, PREFERRED_LEADER_NOT_AVAILABLE, ELIGIBLE_LEADERS_NOT_AVAILABLE.
Decision<wire::ElectLeadersResponse> elect_leaders(const Context& context, const wire::ElectLeadersRequest& request);

/// The answer that says `error` of all that is asked.
wire::ElectLeadersResponse elect_leaders_failed(const wire::ElectLeadersRequest& request, const ApiError& error);

}  // namespace milena::meta
