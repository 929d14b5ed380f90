/// milena status, and what it shares with `quorum`.
#pragma once

#include "cli/context.h"
#include "wire/messages/describe_quorum_response.h"

namespace milena::cli {

/// The quorum as its leader describes it; it has exactly one topic and partition. Errors: the cluster's.
io::Task<Outcome<wire::DescribeQuorumResponse>> describe_quorum(Session* session);

/// 1536 -> "1.5 KB".
std::string bytes_text(std::uint64_t bytes);

}  // namespace milena::cli
