/// DescribeQuorum (api key 55, v0-2) out of the quorum's state.
#pragma once

#include "base/time.h"
#include "raft/raft.h"
#include "wire/messages/describe_quorum_request.h"
#include "wire/messages/describe_quorum_response.h"

namespace milena::raft {

/// Only the leader answers; others say NOT_LEADER_OR_FOLLOWER. Unknown topics: UNKNOWN_TOPIC_OR_PARTITION.
wire::DescribeQuorumResponse describe_quorum(const Raft& raft, const wire::DescribeQuorumRequest& request,
                                             Timestamp now);

}  // namespace milena::raft
