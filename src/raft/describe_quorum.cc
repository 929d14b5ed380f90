#include "raft/describe_quorum.h"

#include "wire/error_code.h"

namespace milena::raft {
namespace {

constexpr std::string_view kMetadataTopic = "__cluster_metadata";

bool asks_for_metadata_partition(const wire::DescribeQuorumRequest& request) {
  return request.topics.size() == 1 && request.topics[0].topic_name == kMetadataTopic &&
         request.topics[0].partitions.size() == 1 && request.topics[0].partitions[0].partition_index == 0;
}

wire::DescribeQuorumResponse unknown_partitions(const wire::DescribeQuorumRequest& request) {
  wire::DescribeQuorumResponse response;
  for (const auto& topic : request.topics) {
    auto& out = response.topics.emplace_back();
    out.topic_name = topic.topic_name;
    for (const auto& partition : topic.partitions) {
      auto& data = out.partitions.emplace_back();
      data.partition_index = partition.partition_index;
      data.error_code = wire::to_int16(wire::ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
      data.error_message = std::string(wire::message(wire::ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
    }
  }
  return response;
}

}  // namespace

wire::DescribeQuorumResponse describe_quorum(const Raft& raft, const wire::DescribeQuorumRequest& request,
                                             Timestamp now) {
  if (!asks_for_metadata_partition(request)) return unknown_partitions(request);
  wire::DescribeQuorumResponse response;
  if (!raft.is_leader()) {
    response.error_code = wire::to_int16(wire::ErrorCode::NOT_LEADER_OR_FOLLOWER);
    response.error_message = std::string(wire::message(wire::ErrorCode::NOT_LEADER_OR_FOLLOWER));
    return response;
  }
  auto& topic = response.topics.emplace_back();
  topic.topic_name = kMetadataTopic;
  auto& data = topic.partitions.emplace_back();
  data.leader_id = raft.leader_id().value();
  data.leader_epoch = raft.epoch().value();
  data.high_watermark = raft.high_watermark() > raft.epoch_start() ? raft.high_watermark().value() : -1;
  for (const Voter& voter : raft.voters().voters) {
    auto& state = data.current_voters.emplace_back();
    bool self = voter.id == raft.config().node_id;
    auto known = raft.replicas().find(voter.key());
    state.replica_id = voter.id.value();
    state.replica_directory_id = voter.directory_id;
    bool fetched = !self && known != raft.replicas().end();
    state.log_end_offset = self ? raft.log_end().value() : fetched ? known->second.log_end.value() : -1;
    state.last_fetch_timestamp = self ? now.value() : fetched ? known->second.last_fetch.value() : -1;
    state.last_caught_up_timestamp = self ? now.value() : fetched ? known->second.last_caught_up.value() : -1;
    auto& node = response.nodes.emplace_back();
    node.node_id = voter.id.value();
    for (const Endpoint& endpoint : voter.endpoints) {
      auto& listener = node.listeners.emplace_back();
      listener.name = endpoint.listener;
      listener.host = endpoint.host;
      listener.port = endpoint.port;
    }
  }
  for (const auto& [key, observer] : raft.replicas()) {
    if (raft.voters().is_voter(key)) continue;
    if (now.value() - observer.last_fetch.value() > kObserverSessionMs) continue;
    auto& state = data.observers.emplace_back();
    state.replica_id = key.id.value();
    state.replica_directory_id = key.directory_id;
    state.log_end_offset = observer.log_end.value();
    state.last_fetch_timestamp = observer.last_fetch.value();
    state.last_caught_up_timestamp = observer.last_caught_up.value();
  }
  return response;
}

}  // namespace milena::raft
