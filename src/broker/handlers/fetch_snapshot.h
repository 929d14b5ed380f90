/// FetchSnapshot, api key 59, v0-1, on controller listeners: a piece of a snapshot of the metadata (KIP-630). Who
/// follows the metadata log is sent here by Fetch.
/// Errors: INCONSISTENT_CLUSTER_ID, INVALID_REQUEST; of the partition those of replica/metadata_fetch.h.
#pragma once

#include "broker/handler.h"
#include "wire/apis/fetch_snapshot.h"

namespace milena::broker {

struct FetchSnapshotHandler {
  using Api = wire::FetchSnapshotApi;
  static constexpr VersionRange versions{0, 1};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kFetchSnapshot;

}  // namespace milena::broker
