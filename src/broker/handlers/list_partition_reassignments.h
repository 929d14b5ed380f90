/// ListPartitionReassignments, api key 46, v0, on both kinds of listeners. KIP-455.
/// Errors: NOT_CONTROLLER.
#pragma once

#include "broker/handler.h"
#include "wire/apis/list_partition_reassignments.h"

namespace milena::broker {

struct ListPartitionReassignmentsHandler {
  using Api = wire::ListPartitionReassignmentsApi;
  static constexpr VersionRange versions{0, 0};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kListPartitionReassignments;

}  // namespace milena::broker
