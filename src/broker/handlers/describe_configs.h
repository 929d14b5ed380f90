/// DescribeConfigs, api key 32, v1-4, on both kinds of listeners. KIP-133, KIP-226 (synonyms), KIP-412 (loggers),
/// KIP-569 (types and documentation, v3), KIP-714 (client metrics), KIP-848 (groups).
/// Topics, this node (by its id), the default of all brokers (no name), groups, subscriptions to client metrics, and
/// this node's logger, which has one level for everything.
/// Errors per resource: UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION, INVALID_REQUEST (name, type).
#pragma once

#include "broker/handler.h"
#include "wire/apis/describe_configs.h"

namespace milena::broker {

struct DescribeConfigsHandler {
  using Api = wire::DescribeConfigsApi;
  static constexpr VersionRange versions{1, 4};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kDescribeConfigs;

}  // namespace milena::broker
