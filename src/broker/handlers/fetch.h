/// Fetch, api key 1, v4-18. KIP-74 (oversized first batch), KIP-98 (isolation), KIP-227 (sessions, v7), KIP-320
/// (leader epochs, v9), KIP-595 (divergence, v12), KIP-516 (topic ids, v13), KIP-951 (leader hints, v16).
/// On a controller listener: the metadata log, replica/metadata_fetch.h.
/// Waits up to max_wait_ms until min_bytes are there; an error of a partition ends the wait.
/// Errors: FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH, FETCH_SESSION_TOPIC_ID_ERROR; per partition
/// UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH,
/// OFFSET_OUT_OF_RANGE, KAFKA_STORAGE_ERROR.
#pragma once

#include "broker/handler.h"
#include "wire/apis/fetch.h"

namespace milena::broker {

/// The response; in the place of records it has stand-ins, and `spliced` the records.
struct FetchAnswer {
  wire::FetchResponse response;
  std::vector<replica::Records> spliced;
  void encode(wire::Writer& writer, std::int16_t version) const { response.encode(writer, version); }
};

struct FetchHandler {
  using Api = wire::FetchApi;
  static constexpr VersionRange versions{4, 18};
  static io::Task<FetchAnswer> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kFetch;

}  // namespace milena::broker
