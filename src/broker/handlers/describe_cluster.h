/// DescribeCluster, api key 60, v0-2, on both kinds of listeners. KIP-700, KIP-919 (endpoint types, controllers, v1),
/// KIP-1073 (fenced brokers, v2).
/// Brokers on a broker's listener, controllers on a controller's; each with its address on the listener asked.
/// Errors: UNSUPPORTED_ENDPOINT_TYPE, MISMATCHED_ENDPOINT_TYPE (INVALID_REQUEST in v0), UNSUPPORTED_VERSION (controllers
/// are not registered below metadata.version 3.7-IV0).
#pragma once

#include "broker/handler.h"
#include "wire/apis/describe_cluster.h"

namespace milena::broker {

struct DescribeClusterHandler {
  using Api = wire::DescribeClusterApi;
  static constexpr VersionRange versions{0, 2};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kDescribeCluster;

}  // namespace milena::broker
