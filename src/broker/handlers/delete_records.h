/// DeleteRecords, api key 21, v0-2. KIP-107. Records below an offset, or all that are committed (-1), are gone for
/// readers; the answer tells where the log begins now, and comes when that is durable. Segments go with retention.
/// Errors per partition: UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION (internal), NOT_LEADER_OR_FOLLOWER,
/// POLICY_VIOLATION (the topic only compacts), OFFSET_OUT_OF_RANGE (above the high watermark), KAFKA_STORAGE_ERROR.
#pragma once

#include "broker/handler.h"
#include "wire/apis/delete_records.h"

namespace milena::broker {

struct DeleteRecordsHandler {
  using Api = wire::DeleteRecordsApi;
  static constexpr VersionRange versions{0, 2};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kDeleteRecords;

}  // namespace milena::broker
