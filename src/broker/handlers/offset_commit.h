/// OffsetCommit, api key 8, v2-10. KIP-320 (leader epoch, v6), KIP-345 (static members, v7), KIP-848 (member epoch, v9;
/// topic ids, v10).
/// Partitions that do not exist fail alone; the others are committed.
/// Errors per partition: UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, OFFSET_METADATA_TOO_LARGE, UNKNOWN_MEMBER_ID,
/// ILLEGAL_GENERATION, STALE_MEMBER_EPOCH, GROUP_ID_NOT_FOUND, FENCED_INSTANCE_ID, REBALANCE_IN_PROGRESS,
/// NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS.
#pragma once

#include "broker/handler.h"
#include "wire/apis/offset_commit.h"

namespace milena::broker {

struct OffsetCommitHandler {
  using Api = wire::OffsetCommitApi;
  static constexpr VersionRange versions{2, 10};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kOffsetCommit;

}  // namespace milena::broker
