/// milena status, and what it shares with `quorum`.
#pragma once

#include "cli/context.h"
#include "wire/messages/describe_cluster_response.h"
#include "wire/messages/describe_quorum_response.h"

namespace milena::cli {

/// The cluster and its brokers, fenced ones too; its controllers, where a controller's listener answers.
/// Errors: the cluster's.
io::Task<Outcome<wire::DescribeClusterResponse>> describe_cluster(Session* session);

/// The quorum as its leader describes it; it has exactly one topic and partition. Errors: the cluster's.
io::Task<Outcome<wire::DescribeQuorumResponse>> describe_quorum(Session* session);

/// 1536 -> "1.5 KB".
std::string bytes_text(std::uint64_t bytes);
/// 1234 -> "1.2 s ago"; nothing is in the future: 0.0 s then.
std::string ago_text(std::int64_t ms);

}  // namespace milena::cli
