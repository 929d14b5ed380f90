/// DeleteGroups, api key 42, v0-2. KIP-229. The group's offsets go with it.
/// Errors per group: GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP, NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS.
#pragma once

#include "broker/handler.h"
#include "wire/apis/delete_groups.h"

namespace milena::broker {

struct DeleteGroupsHandler {
  using Api = wire::DeleteGroupsApi;
  static constexpr VersionRange versions{0, 2};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kDeleteGroups;

}  // namespace milena::broker
