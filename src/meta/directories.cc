#include "meta/directories.h"

#include <algorithm>
#include <utility>

#include "meta/configs.h"
#include "meta/partition_change.h"

namespace milena::meta {
namespace {

using wire::ErrorCode;

/// The partition with this replica in `directory`; out of ISR and leadership if the directory is offline.
ErrorCode assign(const Context& context, BrokerId broker, const Uuid& directory, bool online,
                 const TopicIdPartition& id, std::vector<image::MetadataRecord>& records) {
  const image::Topic* topic = context.image.topic(id.topic_id);
  if (topic == nullptr) return ErrorCode::UNKNOWN_TOPIC_ID;
  const image::Partition* partition = topic->partition(id.partition);
  if (partition == nullptr) return ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
  if (!partition->is_replica(broker)) return ErrorCode::NOT_LEADER_OR_FOLLOWER;
  auto acceptable = [&](BrokerId replica) {
    return (online || replica != broker) && context.image.active(replica) &&
           directory_online(context.image, replica, partition->directory_of(replica));
  };
  PartitionChange change{.image = context.image, .id = id, .before = *partition, .acceptable = acceptable};
  change.min_isr = effective_min_insync_replicas(context, topic->name);
  change.directories = {{broker, directory}};
  if (!online) std::erase(change.isr, broker);
  if (auto record = change.build()) records.push_back(*std::move(record));
  return ErrorCode::NONE;
}

}  // namespace

Decision<wire::AssignReplicasToDirsResponse> assign_replicas_to_dirs(const Context& context,
                                                                     const wire::AssignReplicasToDirsRequest& request) {
  Decision<wire::AssignReplicasToDirsResponse> decision;
  BrokerId id(request.broker_id);
  const image::Broker* broker = context.image.broker(id);
  ErrorCode error = ErrorCode::NONE;
  if (!context.image.metadata_version().directories()) error = ErrorCode::UNSUPPORTED_VERSION;
  else if (broker == nullptr || broker->broker_epoch != request.broker_epoch) error = ErrorCode::STALE_BROKER_EPOCH;
  if (error != ErrorCode::NONE) {
    decision.response.error_code = wire::to_int16(error);
    return decision;
  }
  for (const auto& directory : request.directories) {
    bool online = directory_online(context.image, id, directory.id);
    auto& out = decision.response.directories.emplace_back();
    out.id = directory.id;
    for (const auto& topic : directory.topics) {
      auto& out_topic = out.topics.emplace_back();
      out_topic.topic_id = topic.topic_id;
      for (const auto& partition : topic.partitions) {
        TopicIdPartition key{topic.topic_id, PartitionId(partition.partition_index)};
        auto& out_partition = out_topic.partitions.emplace_back();
        out_partition.partition_index = partition.partition_index;
        out_partition.error_code =
            wire::to_int16(assign(context, id, directory.id, online, key, decision.records));
      }
    }
  }
  return decision;
}

}  // namespace milena::meta
