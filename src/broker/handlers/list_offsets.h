/// ListOffsets, api key 2, v1-11. KIP-79 (by time), KIP-98 (isolation, v2), KIP-320 (epochs, v4), KIP-734 (max
/// timestamp, v7), KIP-405 (earliest local, v8), KIP-1005 (latest tiered, v9), KIP-1075 (timeout, v10).
/// Errors per partition: UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH,
/// UNKNOWN_LEADER_EPOCH, INVALID_REQUEST (named twice), UNSUPPORTED_VERSION (a special time unknown to the version).
#pragma once

#include "broker/handler.h"
#include "wire/apis/list_offsets.h"

namespace milena::broker {

struct ListOffsetsHandler {
  using Api = wire::ListOffsetsApi;
  static constexpr VersionRange versions{1, 11};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kListOffsets;

}  // namespace milena::broker
