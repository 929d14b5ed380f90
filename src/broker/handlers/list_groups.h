/// ListGroups, api key 16, v0-5. KIP-518 (states, v4), KIP-848 (types, v5).
/// The groups of the shards that this node coordinates.
/// Errors: COORDINATOR_LOAD_IN_PROGRESS (some shards are not loaded yet).
#pragma once

#include "broker/handler.h"
#include "wire/apis/list_groups.h"

namespace milena::broker {

struct ListGroupsHandler {
  using Api = wire::ListGroupsApi;
  static constexpr VersionRange versions{0, 5};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kListGroups;

}  // namespace milena::broker
