/// JoinGroup, api key 11, v0-9. KIP-62 (rebalance timeout, v1), KIP-345 (static members, v5), KIP-394 (member id first,
/// v4), KIP-559 (protocol type, v7), KIP-800 (reason, v8), KIP-814 (skip assignment, v9).
/// Answered when the group's rebalance has gathered its members.
/// Errors: INVALID_GROUP_ID, INVALID_SESSION_TIMEOUT, UNKNOWN_MEMBER_ID, MEMBER_ID_REQUIRED, FENCED_INSTANCE_ID,
/// INCONSISTENT_GROUP_PROTOCOL, GROUP_MAX_SIZE_REACHED, NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS.
#pragma once

#include "broker/handler.h"
#include "wire/apis/join_group.h"

namespace milena::broker {

struct JoinGroupHandler {
  using Api = wire::JoinGroupApi;
  static constexpr VersionRange versions{0, 9};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kJoinGroup;

}  // namespace milena::broker
