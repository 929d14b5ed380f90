/// Cluster: a Kafka cluster as a client sees it: finds brokers from a list of bootstrap servers, keeps one
/// connection to each that is used, and knows partition leaders and coordinators.
///
/// What it knows is a cache: a caller whose request is answered NOT_LEADER_OR_FOLLOWER, NOT_COORDINATOR or
/// the like calls forget_topic() or forget_coordinator() and asks again. Lookups wait for leaders and
/// coordinators that are being elected, up to ClusterOptions::retry_timeout.
///
/// Ownership: outlives its tasks. Threads: one loop.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "client/connection.h"
#include "wire/messages/metadata_response.h"

namespace milena::client {

struct ClusterOptions {
  std::vector<io::Endpoint> bootstrap;  // not empty
  ConnectionOptions connection;
  Duration metadata_max_age = 5min;
  Duration retry_backoff = 100ms;  // doubles up to ten times this
  Duration retry_timeout = 10s;
};

/// Key types of FindCoordinator.
enum class CoordinatorType : std::int8_t { kGroup = 0, kTransaction = 1, kShare = 2 };

using ConnectionPtr = std::shared_ptr<Connection>;
using MetadataPtr = std::shared_ptr<const wire::MetadataResponse>;

class Cluster {
 public:
  Cluster(io::Loop& loop, ClusterOptions options);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  /// A connection to any broker: an open one, else the first that answers, known ones before bootstrap
  /// servers. Errors: the last server's, and how many were tried.
  io::Task<ClientResult<ConnectionPtr>> any();
  /// Errors: kBroker with BROKER_NOT_AVAILABLE when the cluster has no such broker (now).
  io::Task<ClientResult<ConnectionPtr>> broker(BrokerId id);
  /// The broker that Metadata names as the controller (in KRaft any broker: it forwards).
  io::Task<ClientResult<ConnectionPtr>> controller();
  /// Errors: kNoLeader with the partition's or topic's error code.
  io::Task<ClientResult<ConnectionPtr>> leader(std::string topic, PartitionId partition);
  io::Task<ClientResult<ConnectionPtr>> coordinator(CoordinatorType type, std::string key);

  /// Asks for metadata now, of all topics (nullopt) or of these. Never creates topics. The answer's brokers
  /// and topics are kept for the lookups above.
  io::Task<ClientResult<MetadataPtr>> fetch_metadata(std::optional<std::vector<std::string>> topics);

  void forget_topic(const std::string& topic) { topics_.erase(topic); }
  void forget_coordinator(CoordinatorType type, const std::string& key) { coordinators_.erase({type, key}); }
  /// Closes all connections.
  void close();

  /// The brokers known, by id.
  const std::map<std::int32_t, io::Endpoint>& brokers() const { return brokers_; }
  const std::string& cluster_id() const { return cluster_id_; }
  /// The topic's id; zero when it is not known (yet). For requests that name topics by id.
  TopicId topic_id(const std::string& topic) const;
  io::Loop& loop() { return loop_; }

 private:
  struct Slot;
  struct Topic {
    TopicId id;
    wire::ErrorCode error = wire::ErrorCode::NONE;
    std::map<std::int32_t, std::pair<BrokerId, wire::ErrorCode>> leaders;
    Instant fetched;
  };

  io::Task<ClientResult<ConnectionPtr>> connect(io::Endpoint to);
  io::Task<ClientResult<BrokerId>> find_coordinator(CoordinatorType type, std::string key);
  void remember(const wire::MetadataResponse& metadata);
  /// The leader as far as it is known.
  std::optional<BrokerId> known_leader(const std::string& topic, PartitionId partition) const;
  ClientError no_leader(const std::string& topic, PartitionId partition) const;

  io::Loop& loop_;
  ClusterOptions options_;
  std::map<std::string, std::shared_ptr<Slot>> slots_;  // by "host:port"
  std::map<std::int32_t, io::Endpoint> brokers_;
  std::string cluster_id_;
  BrokerId controller_id_ = kNoBroker;
  std::map<std::string, Topic> topics_;
  std::map<std::pair<CoordinatorType, std::string>, BrokerId> coordinators_;
};

/// "host:port", "host" (port 9092), "[::1]:9092", "PLAINTEXT://host:port"; several separated by commas.
/// Errors: a sentence naming the part that is wrong.
Result<std::vector<io::Endpoint>, std::string> parse_servers(std::string_view text);

}  // namespace milena::client
