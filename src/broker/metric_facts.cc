#include "broker/metric_facts.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace milena::broker {

std::size_t min_isr(const image::Image& image, const std::string& topic, std::size_t fallback) {
  const std::string* set = image.config(image::ResourceType::kTopic, topic, "min.insync.replicas");
  if (set == nullptr) return fallback;
  std::size_t value = fallback;
  std::from_chars(set->data(), set->data() + set->size(), value);
  return value;
}

namespace {

void count_own(const image::Partition& partition, BrokerId self, std::size_t min, ClusterCounts& counts) {
  if (!partition.is_replica(self)) return;
  ++counts.replicas;
  if (partition.directory_of(self) == image::kLostDirectory) ++counts.offline_replicas;
  if (partition.leader != self) return;
  ++counts.leaders;
  if (partition.isr.size() < partition.replicas.size()) ++counts.under_replicated;
  // As Kafka: no more can be asked of a partition than it has replicas.
  std::size_t needed = std::min(min, partition.replicas.size());
  if (partition.isr.size() < needed) ++counts.under_min_isr;
  if (partition.isr.size() == needed) ++counts.at_min_isr;
}

}  // namespace

ClusterCounts count_cluster(const image::Image& image, BrokerId self, const config::KafkaConfig& config) {
  ClusterCounts counts;
  counts.offset = image.offset;
  auto usual_min = static_cast<std::size_t>(config.integer("min.insync.replicas"));
  for (const auto& [id, topic] : image.topics) {
    ++counts.topics;
    std::size_t min = min_isr(image, topic->name, usual_min);
    for (const auto& [index, partition] : topic->partitions) {
      ++counts.partitions;
      if (!partition->has_leader()) ++counts.offline;
      else if (!partition->replicas.empty() && partition->leader != partition->replicas.front()) ++counts.not_preferred;
      count_own(*partition, self, min, counts);
    }
  }
  for (const auto& [id, broker] : image.brokers) {
    if (broker->fenced) ++counts.brokers_fenced;
    else ++counts.brokers_active;
  }
  return counts;
}

ClusterCounts without_unserved(ClusterCounts counts, const image::Image& image, BrokerId self,
                               const std::set<TopicIdPartition>& unserved) {
  for (const TopicIdPartition& id : unserved) {
    const image::Partition* partition = image.partition(id);
    if (partition == nullptr || !partition->is_replica(self)) continue;
    if (partition->directory_of(self) != image::kLostDirectory) ++counts.offline_replicas;
    if (partition->leader != self) continue;
    --counts.leaders;
    ++counts.offline;
    if (!partition->replicas.empty() && partition->replicas.front() != self) --counts.not_preferred;
  }
  return counts;
}

void choose_partitions(MetricFacts& facts, const replica::Partitions& owners) {
  const image::Image& image = *facts.control.image;
  std::set<TopicIdPartition> chosen;
  auto add = [&](const image::Topic& topic, PartitionId index) {
    const image::Partition* partition = topic.partition(index);
    TopicIdPartition id{topic.id, index};
    if (partition == nullptr || !partition->is_replica(facts.self) || !chosen.insert(id).second) return;
    PartitionFacts one;
    one.id = id;
    one.topic = topic.name;
    one.loop = owners.owner(id);
    facts.partitions.push_back(std::move(one));
  };
  // The lag of groups needs the ends of their partitions.
  for (const GroupOffset& offset : facts.groups.offsets) {
    if (const image::Topic* topic = image.topic(offset.topic)) add(*topic, offset.partition);
  }
  for (const auto& [name, id] : image.topic_ids) {
    if (facts.partitions.size() >= facts.query.partitions) break;
    const image::Topic* topic = image.topic(id);
    if (topic == nullptr) continue;
    for (const auto& [index, partition] : topic->partitions) {
      if (facts.partitions.size() >= facts.query.partitions) break;
      add(*topic, index);
    }
  }
  std::ranges::sort(facts.partitions, {}, [](const PartitionFacts& one) {
    return std::make_pair(std::string_view(one.topic), one.id.partition);
  });
  facts.partitions_left_out = facts.counts->replicas - std::min(facts.counts->replicas, facts.partitions.size());
}

}  // namespace milena::broker
