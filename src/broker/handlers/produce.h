/// Produce, api key 0, v3-13. KIP-98 (idempotence), KIP-467 (record errors, v8), KIP-951 (leader hints, v10),
/// KIP-516 (topic ids, v13).
/// acks 0: nothing is answered; on an error the connection is closed, as in Kafka. acks 1: answered when the records
/// are in the log. acks -1: when they are committed, or after timeout_ms with REQUEST_TIMED_OUT.
/// Errors per partition: UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, NOT_LEADER_OR_FOLLOWER, CORRUPT_MESSAGE,
/// INVALID_RECORD, MESSAGE_TOO_LARGE, INVALID_TIMESTAMP, UNSUPPORTED_COMPRESSION_TYPE, OUT_OF_ORDER_SEQUENCE_NUMBER,
/// INVALID_PRODUCER_EPOCH, INVALID_REQUIRED_ACKS, INVALID_TOPIC_EXCEPTION, KAFKA_STORAGE_ERROR.
#pragma once

#include "broker/handler.h"
#include "wire/apis/produce.h"

namespace milena::broker {

struct ProduceHandler {
  using Api = wire::ProduceApi;
  static constexpr VersionRange versions{3, 13};
  static constexpr bool overlaps = true;  // appends are on their way before anything else is waited for
  static io::Task<std::optional<Api::Response>> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kProduce;

}  // namespace milena::broker
