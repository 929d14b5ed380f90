/// DescribeGroups, api key 15, v0-6. KIP-430 (authorized operations, v3), KIP-345 (instance ids, v4), KIP-1043 (v6).
/// A group that is not there is Dead before v6, and GROUP_ID_NOT_FOUND from then on.
/// Errors per group: GROUP_ID_NOT_FOUND, NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS.
#pragma once

#include "broker/handler.h"
#include "wire/apis/describe_groups.h"

namespace milena::broker {

struct DescribeGroupsHandler {
  using Api = wire::DescribeGroupsApi;
  static constexpr VersionRange versions{0, 6};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kDescribeGroups;

}  // namespace milena::broker
