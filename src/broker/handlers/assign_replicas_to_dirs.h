/// AssignReplicasToDirs, api key 73, v0, on controller listeners. KIP-858.
/// Errors: STALE_BROKER_EPOCH, BROKER_ID_NOT_REGISTERED, NOT_CONTROLLER; per partition UNKNOWN_TOPIC_ID,
/// UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER (no replica of that broker).
#pragma once

#include "broker/handler.h"
#include "wire/apis/assign_replicas_to_dirs.h"

namespace milena::broker {

struct AssignReplicasToDirsHandler {
  using Api = wire::AssignReplicasToDirsApi;
  static constexpr VersionRange versions{0, 0};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kAssignReplicasToDirs;

}  // namespace milena::broker
