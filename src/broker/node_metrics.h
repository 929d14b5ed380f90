/// The numbers behind /metrics, under Kafka's names as Strimzi's rules for the JMX exporter spell them, and the lag of
/// groups under kafka_exporter's. docs/metrics.md lists them.
///
/// A scrape is gathered in steps: the control loop is asked for what it knows at once; the pool counts over the image;
/// each data loop copies its counters and looks up the partitions that were asked for, some hundred a turn; the pool
/// puts the families together. So no loop is held up by a cluster's size.
///
/// Threads: gather() on one loop, the same each time.
#pragma once

#include <memory>
#include <vector>

#include "base/metrics.h"
#include "broker/loop_state.h"
#include "broker/services.h"
#include "io/task.h"

namespace milena::broker {

/// What of the whole image matters to metrics; made anew only when the image has changed.
struct ClusterCounts {
  Offset offset = kNoOffset;
  std::size_t topics = 0;
  std::size_t partitions = 0;
  std::size_t offline = 0;             // without a leader
  std::size_t not_preferred = 0;       // led by another than the first replica
  std::size_t brokers_active = 0;
  std::size_t brokers_fenced = 0;
  // Of this node's.
  std::size_t replicas = 0;
  std::size_t leaders = 0;
  std::size_t under_replicated = 0;    // led here, with replicas out of the ISR
  std::size_t under_min_isr = 0;
  std::size_t at_min_isr = 0;
  std::size_t offline_replicas = 0;
};

class NodeMetrics {
 public:
  /// What the control loop knows of itself at once: Node's part.
  struct ControlFacts {
    bool starting = true;
    bool stopping = false;
    bool active_controller = false;
    bool loaded = false;  // raft and the image below are there
    ImagePtr image;
    std::string quorum_role;
    BrokerId quorum_leader = kNoBroker;
    Epoch quorum_epoch = kNoEpoch;
    Offset quorum_high_watermark = kNoOffset;
    Offset quorum_log_end = kNoOffset;
    Offset applied = kNoOffset;
    std::vector<replica::LogManager::DirectoryHealth> directories;
    std::set<TopicIdPartition> unserved;  // led by name only: LogManager::unserved
    std::shared_ptr<const config::KafkaConfig> config;
  };
  using AskControl = std::function<ControlFacts()>;  // called on the control loop

  NodeMetrics(Services& services, const std::vector<std::unique_ptr<LoopState>>& loops, AskControl ask)
      : services_(services), loops_(loops), ask_(std::move(ask)) {}

  io::Task<std::shared_ptr<const MetricSet>> gather(MetricsQuery query);

 private:
  Services& services_;
  const std::vector<std::unique_ptr<LoopState>>& loops_;
  AskControl ask_;
  std::shared_ptr<const ClusterCounts> counts_;  // of the last scrape
};

}  // namespace milena::broker
