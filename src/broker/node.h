/// Node: one Milena node, broker and controller, on any Runtime (real or simulated). It opens the log directories,
/// formats them on the first start where that is right, takes the lead of the metadata log, opens the partitions,
/// registers the broker, and serves its listeners; and it stops cleanly, in the order that the files need.
///
/// Life: construct, `start()` on the control loop, `stop()` on the control loop, then stop the runtime's loops,
/// then destroy. Threads: the control loop.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/health.h"
#include "base/result.h"
#include "broker/acceptor.h"
#include "broker/config_schema.h"
#include "broker/dynamic_config.h"
#include "broker/loop_state.h"
#include "broker/node_metrics.h"
#include "broker/services.h"
#include "config/kafka_config.h"
#include "config/server_config.h"
#include "io/runtime.h"
#include "wire/messages/broker_registration_request.h"

namespace milena::broker {

struct NodeOptions {
  std::shared_ptr<const config::KafkaConfig> config;
  config::ServerConfig server;
  /// Empty log directories are formatted at the start where this node can be a cluster of its own.
  bool format_if_empty = true;
  /// How many files the process may hold open; half of it is left to connections. 0: not known.
  std::size_t open_files_limit = 0;
  /// The levels that clients may change (BROKER_LOGGER); null: none. Outlives the node.
  io::LogLevels* log_levels = nullptr;
  /// Told when the node cannot go on (all log directories failed, the metadata log is lost).
  std::function<void(std::string why)> on_fatal;
};

struct NodeError {
  std::string message;
};

class Node {
 public:
  Node(io::Runtime& runtime, NodeOptions options);
  ~Node();

  /// Ends when clients are served. Errors: one message that says what is wrong and what to do.
  io::Task<Result<void, NodeError>> start();
  io::Task<void> stop();

  /// Addresses in the order of `listeners`, with the ports that were chosen where 0 was asked for.
  std::vector<ListenerInfo> listeners() const;
  const std::string& cluster_id() const { return state_.cluster_id; }
  /// The first start formatted the log directories.
  bool was_formatted_now() const { return formatted_now_; }
  const replica::MetadataDriver& metadata() const { return metadata_; }
  replica::Partitions& partitions() { return partitions_; }
  const Services& services() const { return services_; }
  /// Whether clients are served, and what stands in the way. Any time, from before start() to after stop().
  Health health() const;
  /// The numbers behind /metrics. Any loop, any time from before start() to after stop().
  io::Task<std::shared_ptr<const MetricSet>> metrics(MetricsQuery query);

 private:
  io::Task<Result<void, NodeError>> prepare_directories();
  io::Task<Result<void, NodeError>> identify_directories();
  io::Task<Result<void, NodeError>> register_node();
  io::Task<void> end_previous_session();
  io::Task<Result<void, NodeError>> listen(bool controller);
  Result<void, NodeError> bind_all();
  bool is_controller_listener(const std::string& name) const;
  void open_listeners();
  replica::MetadataOptions metadata_options() const;
  std::vector<ListenerInfo> bound_listeners() const;
  wire::BrokerRegistrationRequest registration() const;
  void on_commit(const replica::ImagePtr& image, const image::Delta& delta);
  /// Lets the loops see the image.
  void show(const replica::ImagePtr& image);
  static io::Task<void> wait_applied(Node* self, Offset offset);
  static io::Task<void> apply_changes(Node* self);
  void follow_config(const image::Image& image);
  void follow_connection_limits();
  static io::Task<void> close_excess(Node* self);
  io::Task<void> assign_directories(replica::ImagePtr image, std::set<TopicIdPartition> partitions);
  using Placed = std::map<Uuid, std::map<TopicId, std::vector<PartitionId>>>;  // by directory
  io::Task<bool> record_directories(Placed placed);
  static io::Task<bool> record_move(Node* self, TopicIdPartition id, Uuid directory);
  /// After metadata.version went up: what it wants to know of this node and did not before.
  io::Task<void> register_anew(replica::ImagePtr image);
  static io::Task<void> send_heartbeats(Node* self);
  /// One heartbeat. Returns false if the controller does not know this registration.
  io::Task<bool> heartbeat(bool shut_down, bool* fenced, bool* may_stop);
  io::Task<void> controlled_shutdown();
  io::Task<void> close_connections();
  void fatal(std::string why);
  NodeMetrics::ControlFacts control_facts() const;

  io::Runtime& runtime_;
  io::Loop& loop_;
  NodeOptions options_;
  BrokerState state_;
  DynamicConfig config_;
  NodeConfigSchema schema_;
  replica::Partitions partitions_;
  replica::LogManager logs_;
  replica::MetadataDriver metadata_;
  replica::GroupCoordinator groups_;
  replica::ProducerIds producer_ids_;
  Services services_;
  std::vector<std::unique_ptr<LoopState>> loops_;
  std::vector<std::pair<ListenerInfo, std::unique_ptr<io::Listener>>> bound_;
  std::vector<std::shared_ptr<Acceptor>> acceptors_;
  std::shared_ptr<ConnectionQuotas> broker_quotas_;
  std::shared_ptr<ConnectionQuotas> controller_quotas_;
  bool closing_excess_ = false;

  // Committed metadata that is not applied to the partitions yet.
  replica::ImagePtr newest_image_;
  std::optional<image::Delta> pending_;
  Offset applied_ = kNoOffset;
  bool loaded_ = false;
  bool applying_ = false;
  io::Signal applied_changed_;
  io::Signal stop_signal_;
  /// What the node is busy with, for people who ask for its health.
  const char* phase_ = "not started";
  static constexpr const char* kServing = "serving clients";
  bool heartbeats_running_ = false;
  bool formatted_now_ = false;
  bool stopping_ = false;
  NodeMetrics numbers_;
};

}  // namespace milena::broker
