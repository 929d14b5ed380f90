/// DescribeQuorum, api key 55, v0-2, on both kinds of listeners. KIP-595, KIP-836 (times, v1), KIP-853 (directory ids,
/// the voters' endpoints, v2).
/// Errors: NOT_LEADER_OR_FOLLOWER; per partition UNKNOWN_TOPIC_OR_PARTITION (all but __cluster_metadata-0).
#pragma once

#include "broker/handler.h"
#include "wire/apis/describe_quorum.h"

namespace milena::broker {

struct DescribeQuorumHandler {
  using Api = wire::DescribeQuorumApi;
  static constexpr VersionRange versions{0, 2};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kDescribeQuorum;

}  // namespace milena::broker
