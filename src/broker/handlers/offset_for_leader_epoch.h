/// OffsetForLeaderEpoch, api key 23, v2-4. KIP-101 (truncation by epoch), KIP-320 (consumers, current leader epoch).
/// Where the largest epoch at or below the asked one ends; epoch and offset are -1 for an epoch that the leader does
/// not know.
/// Errors per partition: UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH,
/// UNKNOWN_LEADER_EPOCH, KAFKA_STORAGE_ERROR.
#pragma once

#include "broker/handler.h"
#include "wire/apis/offset_for_leader_epoch.h"

namespace milena::broker {

struct OffsetForLeaderEpochHandler {
  using Api = wire::OffsetForLeaderEpochApi;
  static constexpr VersionRange versions{2, 4};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kOffsetForLeaderEpoch;

}  // namespace milena::broker
