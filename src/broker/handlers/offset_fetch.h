/// OffsetFetch, api key 9, v1-10. KIP-211 (all topics, v2), KIP-320 (leader epoch, v5), KIP-447 (stable offsets, v7),
/// KIP-709 (several groups, v8), KIP-848 (member epoch, v9; topic ids, v10).
/// A partition without a committed offset has offset -1 and no error.
/// Errors per group (v1: per partition): NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS, UNKNOWN_MEMBER_ID,
/// STALE_MEMBER_EPOCH; per partition UNSTABLE_OFFSET_COMMIT, UNKNOWN_TOPIC_ID.
#pragma once

#include "broker/handler.h"
#include "wire/apis/offset_fetch.h"

namespace milena::broker {

struct OffsetFetchHandler {
  using Api = wire::OffsetFetchApi;
  static constexpr VersionRange versions{1, 10};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kOffsetFetch;

}  // namespace milena::broker
