/// SyncGroup, api key 14, v0-5. KIP-345 (static members, v3), KIP-559 (protocol type and name, v5).
/// Answered when the leader's assignment is stored.
/// Errors: INVALID_GROUP_ID, UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS, FENCED_INSTANCE_ID,
/// INCONSISTENT_GROUP_PROTOCOL, NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS.
#pragma once

#include "broker/handler.h"
#include "wire/apis/sync_group.h"

namespace milena::broker {

struct SyncGroupHandler {
  using Api = wire::SyncGroupApi;
  static constexpr VersionRange versions{0, 5};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kSyncGroup;

}  // namespace milena::broker
