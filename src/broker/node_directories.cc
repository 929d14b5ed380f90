// What the node tells the controller of its log directories: in which of them a replica lies.
#include <utility>

#include "broker/node.h"
#include "meta/directories.h"

namespace milena::broker {

// With several log directories the metadata says in which one a replica lies (KIP-858): the broker tells it.
io::Task<void> Node::assign_directories(replica::ImagePtr image, std::set<TopicIdPartition> partitions) {
  if (state_.broker_epoch < 0 || !metadata_.active()) co_return;
  Placed placed;
  for (const TopicIdPartition& id : partitions) {
    const image::Partition* state = image->partition(id);
    Uuid actual = logs_.directory_of(id);
    if (state == nullptr || actual.is_zero() || state->directory_of(state_.node_id) == actual) continue;
    placed[actual][id.topic_id].push_back(id.partition);
  }
  if (!placed.empty()) (void)co_await record_directories(std::move(placed));
}

io::Task<bool> Node::record_move(Node* self, TopicIdPartition id, Uuid directory) {
  if (self->state_.broker_epoch < 0 || !self->metadata_.active()) co_return false;
  Placed placed;
  placed[directory][id.topic_id].push_back(id.partition);
  co_return co_await self->record_directories(std::move(placed));
}

io::Task<bool> Node::record_directories(Placed placed) {
  wire::AssignReplicasToDirsRequest request;
  request.broker_id = state_.node_id.value();
  request.broker_epoch = state_.broker_epoch;
  for (const auto& [directory, topics] : placed) {
    auto& to = request.directories.emplace_back();
    to.id = directory;
    for (const auto& [topic, indexes] : topics) {
      auto& one = to.topics.emplace_back();
      one.topic_id = topic;
      for (PartitionId index : indexes) one.partitions.emplace_back().partition_index = index.value();
    }
  }
  auto ask = [request](const meta::Context& context) { return meta::assign_replicas_to_dirs(context, request); };
  auto decision = co_await metadata_.decide(std::move(ask));
  if (!decision.has_value()) loop_.log().warn("controller", "directories of replicas could not be recorded");
  co_return decision.has_value();
}

}  // namespace milena::broker
