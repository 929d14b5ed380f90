/// Heartbeat, api key 12, v0-4. KIP-62 (session timeout), KIP-345 (static members, v3).
/// While the coordinator is loading, heartbeats are good ones, as in Kafka: nobody is to rejoin because of that.
/// Errors: INVALID_GROUP_ID, UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS, FENCED_INSTANCE_ID,
/// NOT_COORDINATOR.
#pragma once

#include "broker/handler.h"
#include "wire/apis/heartbeat.h"

namespace milena::broker {

struct HeartbeatHandler {
  using Api = wire::HeartbeatApi;
  static constexpr VersionRange versions{0, 4};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kHeartbeat;

}  // namespace milena::broker
