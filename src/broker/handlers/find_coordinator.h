/// FindCoordinator, api key 10, v0-6. KIP-98 (key types, v1), KIP-699 (several keys, v4), KIP-932 (share, v6).
/// The first look-up of a group creates __consumer_offsets.
/// Errors per key: COORDINATOR_NOT_AVAILABLE, INVALID_REQUEST (key type; share coordinators, which are not there yet).
/// Transaction coordinators: see no_transactions.h.
#pragma once

#include "broker/handler.h"
#include "wire/apis/find_coordinator.h"

namespace milena::broker {

struct FindCoordinatorHandler {
  using Api = wire::FindCoordinatorApi;
  static constexpr VersionRange versions{0, 6};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kFindCoordinator;

}  // namespace milena::broker
