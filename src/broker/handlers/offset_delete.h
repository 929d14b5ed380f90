/// OffsetDelete, api key 47, v0. KIP-496.
/// Errors: INVALID_GROUP_ID, GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP, NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS; per
/// partition UNKNOWN_TOPIC_OR_PARTITION, GROUP_SUBSCRIBED_TO_TOPIC.
#pragma once

#include "broker/handler.h"
#include "wire/apis/offset_delete.h"

namespace milena::broker {

struct OffsetDeleteHandler {
  using Api = wire::OffsetDeleteApi;
  static constexpr VersionRange versions{0, 0};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kOffsetDelete;

}  // namespace milena::broker
