/// CreatePartitions, api key 37, v0-3, on both kinds of listeners. KIP-195.
/// Answered when the partitions are committed and open on this broker.
/// Errors per topic: UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS, INVALID_REPLICA_ASSIGNMENT,
/// INVALID_REPLICATION_FACTOR, INVALID_REQUEST (named twice), POLICY_VIOLATION, NOT_CONTROLLER.
#pragma once

#include "broker/handler.h"
#include "wire/apis/create_partitions.h"

namespace milena::broker {

struct CreatePartitionsHandler {
  using Api = wire::CreatePartitionsApi;
  static constexpr VersionRange versions{0, 3};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kCreatePartitions;

}  // namespace milena::broker
