// The part of ImageBuilder that is about topics and partitions.
#include <fmt/format.h>

#include <algorithm>

#include "image/builder.h"

namespace milena::image {
namespace {

template <class... Args>
auto error(fmt::format_string<Args...> format, Args&&... args) {
  return Err(ReplayError{fmt::format(format, std::forward<Args>(args)...)});
}

std::vector<BrokerId> to_ids(const std::vector<std::int32_t>& raw) {
  std::vector<BrokerId> ids;
  ids.reserve(raw.size());
  for (std::int32_t id : raw) ids.emplace_back(id);
  return ids;
}

std::vector<BrokerId> to_ids(const std::optional<std::vector<std::int32_t>>& raw) {
  return raw.has_value() ? to_ids(*raw) : std::vector<BrokerId>();
}

bool known(std::int8_t recovery_state) { return recovery_state == 0 || recovery_state == 1; }

/// Clears the ELRs of one topic. Returns the partitions that changed.
std::vector<PartitionId> partitions_with_elr(const Topic& topic) {
  std::vector<PartitionId> found;
  for (const auto& [id, partition] : topic.partitions)
    if (!partition->elr.empty() || !partition->last_known_elr.empty()) found.push_back(id);
  return found;
}

}  // namespace

Partition merge(const Partition& partition, const wire::PartitionChangeRecord& change) {
  Partition merged = partition;
  if (change.replicas.has_value()) {
    merged.replicas = to_ids(*change.replicas);
    merged.directories.assign(merged.replicas.size(), kMigratingDirectory);
  }
  if (change.directories.has_value() && !change.directories->empty()) merged.directories = *change.directories;
  if (change.isr.has_value()) merged.isr = to_ids(*change.isr);
  if (change.removing_replicas.has_value()) merged.removing_replicas = to_ids(*change.removing_replicas);
  if (change.adding_replicas.has_value()) merged.adding_replicas = to_ids(*change.adding_replicas);
  if (change.eligible_leader_replicas.has_value()) merged.elr = to_ids(*change.eligible_leader_replicas);
  if (change.last_known_elr.has_value()) merged.last_known_elr = to_ids(*change.last_known_elr);
  if (change.leader != -2) {
    merged.leader = BrokerId(change.leader);
    ++merged.leader_epoch;
  }
  if (change.leader_recovery_state != -1)
    merged.leader_recovery_state = static_cast<LeaderRecoveryState>(change.leader_recovery_state);
  ++merged.partition_epoch;
  return merged;
}

ImageBuilder::Applied ImageBuilder::on(const wire::TopicRecord& record) {
  if (image_.topic(record.topic_id) != nullptr) return error("topic id {} is created twice", record.topic_id);
  if (!image_.topic_ids.insert(record.name, record.topic_id)) return error("topic {} is created twice", record.name);
  Topic topic;
  topic.name = record.name;
  topic.id = record.topic_id;
  topic.unknown = record.unknown_tagged_fields;
  image_.topics.insert(record.topic_id, std::move(topic));
  delta_.created_topics.insert(record.topic_id);
  return {};
}

ImageBuilder::Applied ImageBuilder::on(const wire::PartitionRecord& record) {
  if (image_.topic(record.topic_id) == nullptr)
    return error("partition {} of the unknown topic {}", record.partition_id, record.topic_id);
  if (!known(record.leader_recovery_state))
    return error("leader recovery state {} of {}-{}", record.leader_recovery_state, record.topic_id, record.partition_id);
  if (!record.directories.empty() && record.directories.size() != record.replicas.size())
    return error("{} directories for {} replicas of {}-{}", record.directories.size(), record.replicas.size(),
                 record.topic_id, record.partition_id);
  Partition partition;
  partition.replicas = to_ids(record.replicas);
  partition.directories = record.directories;
  if (partition.directories.empty()) partition.directories.assign(partition.replicas.size(), kMigratingDirectory);
  partition.isr = to_ids(record.isr);
  partition.removing_replicas = to_ids(record.removing_replicas);
  partition.adding_replicas = to_ids(record.adding_replicas);
  partition.elr = to_ids(record.eligible_leader_replicas);
  partition.last_known_elr = to_ids(record.last_known_elr);
  partition.leader = BrokerId(record.leader);
  partition.leader_recovery_state = static_cast<LeaderRecoveryState>(record.leader_recovery_state);
  partition.leader_epoch = Epoch(record.leader_epoch);
  partition.partition_epoch = record.partition_epoch;
  partition.unknown = record.unknown_tagged_fields;
  PartitionId id(record.partition_id);
  image_.topics.edit(record.topic_id).edit().partitions.insert(id, std::move(partition));
  delta_.partitions.insert({record.topic_id, id});
  return {};
}

ImageBuilder::Applied ImageBuilder::on(const wire::PartitionChangeRecord& record) {
  PartitionId id(record.partition_id);
  const Partition* before = image_.partition({record.topic_id, id});
  if (before == nullptr) return error("change of the unknown partition {}-{}", record.topic_id, record.partition_id);
  if (record.leader_recovery_state != -1 && !known(record.leader_recovery_state))
    return error("leader recovery state {} of {}-{}", record.leader_recovery_state, record.topic_id, record.partition_id);
  Partition after = merge(*before, record);
  if (after.directories.size() != after.replicas.size())
    return error("{} directories for {} replicas of {}-{}", after.directories.size(), after.replicas.size(),
                 record.topic_id, record.partition_id);
  image_.topics.edit(record.topic_id).edit().partitions.edit(id).edit() = std::move(after);
  delta_.partitions.insert({record.topic_id, id});
  return {};
}

ImageBuilder::Applied ImageBuilder::on(const wire::RemoveTopicRecord& record) {
  const Topic* topic = image_.topic(record.topic_id);
  if (topic == nullptr) return error("removal of the unknown topic {}", record.topic_id);
  std::string name = topic->name;
  for (const auto& [id, partition] : topic->partitions) delta_.partitions.erase({record.topic_id, id});
  ConfigResource resource{static_cast<std::int8_t>(ResourceType::kTopic), name};
  if (image_.configs.erase(resource)) delta_.configs.insert(std::move(resource));
  delta_.created_topics.erase(record.topic_id);
  image_.topic_ids.erase(name);
  image_.topics.erase(record.topic_id);
  delta_.deleted_topics[record.topic_id] = std::move(name);
  return {};
}

ImageBuilder::Applied ImageBuilder::on(const wire::ClearElrRecord& record) {
  std::vector<TopicIdPartition> changed;
  auto note = [&](const Topic& topic) {
    for (PartitionId id : partitions_with_elr(topic)) changed.push_back({topic.id, id});
  };
  if (record.topic_name.empty()) {
    for (const auto& [id, topic] : image_.topics) note(*topic);
  } else if (const Topic* topic = image_.topic(record.topic_name)) {
    note(*topic);
  } else {
    return error("ELR of the unknown topic {} is cleared", record.topic_name);
  }
  for (const TopicIdPartition& id : changed) {
    Partition& partition = image_.topics.edit(id.topic_id).edit().partitions.edit(id.partition).edit();
    partition.elr.clear();
    partition.last_known_elr.clear();
    delta_.partitions.insert(id);
  }
  return {};
}

}  // namespace milena::image
