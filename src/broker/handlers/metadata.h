/// Metadata, api key 3, v0-13. KIP-204 (no auto creation, v4), KIP-430 (authorized operations, v8), KIP-516 (topic
/// ids, v10), KIP-700 (no cluster operations from v11 on).
/// A topic that is not there is created where the request and auto.create.topics.enable allow it.
/// Errors per topic: UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, INVALID_TOPIC_EXCEPTION, LEADER_NOT_AVAILABLE;
/// per partition LEADER_NOT_AVAILABLE, REPLICA_NOT_AVAILABLE.
#pragma once

#include "broker/handler.h"
#include "wire/apis/metadata.h"

namespace milena::broker {

struct MetadataHandler {
  using Api = wire::MetadataApi;
  static constexpr VersionRange versions{0, 13};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kMetadata;

}  // namespace milena::broker
