/// LeaveGroup, api key 13, v0-5. KIP-345 (several members, v3), KIP-800 (reason, v5).
/// Errors: INVALID_GROUP_ID, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID (per member from v3), NOT_COORDINATOR,
/// COORDINATOR_LOAD_IN_PROGRESS.
#pragma once

#include "broker/handler.h"
#include "wire/apis/leave_group.h"

namespace milena::broker {

struct LeaveGroupHandler {
  using Api = wire::LeaveGroupApi;
  static constexpr VersionRange versions{0, 5};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kLeaveGroup;

}  // namespace milena::broker
