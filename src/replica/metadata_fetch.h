/// Fetch and FetchSnapshot of the metadata log, by which other nodes follow it (KIP-595, KIP-630): what a leader
/// answers on its controller listener. Brokers and controllers of Kafka ask, and so may tools.
///
/// Nothing past the high watermark is given out. A follower whose log has parted from this one is told where; one
/// that is behind the log's start, or new while there is a snapshot, is told which snapshot to take.
/// Errors of the response: INCONSISTENT_CLUSTER_ID, INVALID_REQUEST (another topic than __cluster_metadata by id); of
/// the partition: FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, NOT_LEADER_OR_FOLLOWER, INVALID_REQUEST,
/// UNKNOWN_SERVER_ERROR (the follower has this node's own id); of a snapshot also SNAPSHOT_NOT_FOUND,
/// POSITION_OUT_OF_RANGE, UNKNOWN_TOPIC_OR_PARTITION.
/// Threads: the control loop.
#pragma once

#include <cstdint>
#include <string>

#include "io/task.h"
#include "replica/metadata_driver.h"
#include "wire/messages/fetch_request.h"
#include "wire/messages/fetch_response.h"
#include "wire/messages/fetch_snapshot_request.h"
#include "wire/messages/fetch_snapshot_response.h"

namespace milena::replica {

/// How the request came: responses name the leader's address on the same listener.
struct MetadataFetchVia {
  std::string listener;
  std::int16_t version = 0;
};

/// Waits up to max_wait_ms for more where there is nothing to tell.
io::Task<wire::FetchResponse> fetch_metadata(MetadataDriver* driver, io::Loop* loop, wire::FetchRequest request,
                                             MetadataFetchVia via);
io::Task<wire::FetchSnapshotResponse> fetch_metadata_snapshot(MetadataDriver* driver, io::Loop* loop,
                                                              wire::FetchSnapshotRequest request,
                                                              MetadataFetchVia via);

}  // namespace milena::replica
