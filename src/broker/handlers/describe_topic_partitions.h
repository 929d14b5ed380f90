/// DescribeTopicPartitions, api key 75, v0. KIP-966: topics page by page, with the eligible leader replicas.
/// Topics in the order of their names; at most response_partition_limit partitions, and no more than
/// max.request.partition.size.limit, in one answer; next_cursor says where to go on. No topics named: all of them.
/// Errors: INVALID_REQUEST (cursor); per topic UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION.
#pragma once

#include "broker/handler.h"
#include "wire/apis/describe_topic_partitions.h"

namespace milena::broker {

struct DescribeTopicPartitionsHandler {
  using Api = wire::DescribeTopicPartitionsApi;
  static constexpr VersionRange versions{0, 0};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kDescribeTopicPartitions;

}  // namespace milena::broker
