/// ElectLeaders, api key 43, v0-2, on both kinds of listeners. KIP-183 and KIP-460; v0 knows preferred leaders only.
/// Answered when this broker has followed the elections.
/// Errors: INVALID_REQUEST (type), POLICY_VIOLATION (too many at once), NOT_CONTROLLER; per partition
/// UNKNOWN_TOPIC_OR_PARTITION, ELECTION_NOT_NEEDED, PREFERRED_LEADER_NOT_AVAILABLE, ELIGIBLE_LEADERS_NOT_AVAILABLE.
#pragma once

#include "broker/handler.h"
#include "wire/apis/elect_leaders.h"

namespace milena::broker {

struct ElectLeadersHandler {
  using Api = wire::ElectLeadersApi;
  static constexpr VersionRange versions{0, 2};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kElectLeaders;

}  // namespace milena::broker
