/// What a scrape gathers before it becomes metrics: copies, so that the pool can work on them. Inside the room.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "broker/loop_metrics.h"
#include "broker/node_metrics.h"

namespace milena::broker {

struct PartitionFacts {
  TopicIdPartition id;
  std::string topic;
  std::size_t loop = 0;
  bool here = false;  // what follows was found on its loop
  std::uint64_t size = 0;
  std::size_t segments = 0;
  Offset start = kNoOffset;
  Offset end = kNoOffset;
  Offset high_watermark = kNoOffset;
};

struct LoopFacts {
  LoopMetrics::Copy counters;
  std::size_t connections = 0;
};

struct GroupOffset {
  std::string group;
  std::string topic;
  PartitionId partition;
  Offset committed;
};

struct GroupFacts {
  std::map<std::string, std::size_t> by_state;
  std::size_t groups = 0;
  std::vector<GroupOffset> offsets;  // at most as many as asked for
  std::size_t offsets_left_out = 0;
};

struct MetricFacts {
  MetricsQuery query;
  BrokerId self = kNoBroker;
  NodeMetrics::ControlFacts control;
  std::shared_ptr<const ClusterCounts> counts;
  GroupFacts groups;
  std::vector<PartitionFacts> partitions;  // at most as many as asked for, in the order of topics' names
  std::size_t partitions_left_out = 0;
  std::vector<LoopFacts> loops;
};

/// O(the cluster): for the pool.
ClusterCounts count_cluster(const image::Image& image, BrokerId self, const config::KafkaConfig& config);
/// `counts` with those of this node that it leads by name only counted as what their clients see: without a leader.
ClusterCounts without_unserved(ClusterCounts counts, const image::Image& image, BrokerId self,
                               const std::set<TopicIdPartition>& unserved);
/// Those led by `self` with what groups have offsets in first, then the others by name, up to query.partitions.
void choose_partitions(MetricFacts& facts, const replica::Partitions& owners);
/// min.insync.replicas of a topic.
std::size_t min_isr(const image::Image& image, const std::string& topic, std::size_t fallback);
MetricSet build_metrics(const MetricFacts& facts, Instant now);

}  // namespace milena::broker
