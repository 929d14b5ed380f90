/// DeleteTopics, api key 20, v1-6, on both kinds of listeners. KIP-4, KIP-516 (topic ids, v6), KIP-599 (messages, v5).
/// Answered when the deletion is committed and this broker has closed the partitions.
/// Errors per topic: UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, INVALID_REQUEST (named twice, name and id, neither),
/// TOPIC_DELETION_DISABLED (INVALID_REQUEST before v3), NOT_CONTROLLER.
#pragma once

#include "broker/handler.h"
#include "wire/apis/delete_topics.h"

namespace milena::broker {

struct DeleteTopicsHandler {
  using Api = wire::DeleteTopicsApi;
  static constexpr VersionRange versions{1, 6};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kDeleteTopics;

}  // namespace milena::broker
