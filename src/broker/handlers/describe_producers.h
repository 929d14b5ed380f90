/// DescribeProducers, api key 61, v0. KIP-664. The idempotent and transactional producers that a partition remembers,
/// also where this node does not lead it.
/// Errors per partition: INVALID_TOPIC_EXCEPTION, UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER (not here),
/// KAFKA_STORAGE_ERROR.
#pragma once

#include "broker/handler.h"
#include "wire/apis/describe_producers.h"

namespace milena::broker {

struct DescribeProducersHandler {
  using Api = wire::DescribeProducersApi;
  static constexpr VersionRange versions{0, 0};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kDescribeProducers;

}  // namespace milena::broker
