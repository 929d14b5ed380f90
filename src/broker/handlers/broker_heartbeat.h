/// BrokerHeartbeat, api key 63, v0-2, on controller listeners. KIP-631 (fencing, controlled shutdown), KIP-858 (offline
/// directories, v1).
/// Errors: STALE_BROKER_EPOCH, BROKER_ID_NOT_REGISTERED, NOT_CONTROLLER.
#pragma once

#include "broker/handler.h"
#include "wire/apis/broker_heartbeat.h"

namespace milena::broker {

struct BrokerHeartbeatHandler {
  using Api = wire::BrokerHeartbeatApi;
  static constexpr VersionRange versions{0, 2};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kBrokerHeartbeat;

}  // namespace milena::broker
