#include "client/cluster.h"

#include <fmt/format.h>

#include "io/signal.h"
#include "wire/apis/find_coordinator.h"
#include "wire/apis/metadata.h"

namespace milena::client {

// A server's connection, or the attempt to open one that several tasks wait for.
struct Cluster::Slot {
  explicit Slot(io::Loop& loop) : opened(loop) {}
  ConnectionPtr connection;
  bool opening = false;
  std::optional<ClientError> error;  // of the last attempt
  io::Signal opened;
};

namespace {

// Time to wait between attempts; ends at a deadline.
class Backoff {
 public:
  Backoff(io::Loop& loop, const ClusterOptions& options)
      : deadline_(loop.now() + options.retry_timeout),
        next_(options.retry_backoff),
        max_(10 * options.retry_backoff) {}
  bool expired(Instant now) const { return now + next_ > deadline_; }
  Duration take() { return std::exchange(next_, std::min(max_, 2 * next_)); }

 private:
  Instant deadline_;
  Duration next_;
  Duration max_;
};

bool worth_waiting(wire::ErrorCode code) {
  return wire::retriable(code) || code == wire::ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
}

}  // namespace

Cluster::Cluster(io::Loop& loop, ClusterOptions options) : loop_(loop), options_(std::move(options)) {
  CHECK(!options_.bootstrap.empty(), "a cluster needs a bootstrap server");
}
Cluster::~Cluster() {
  close();
}

void Cluster::close() {
  for (auto& [name, slot] : slots_) {
    if (slot->connection) slot->connection->close();
    slot->connection.reset();
  }
}

io::Task<ClientResult<ConnectionPtr>> Cluster::connect(io::Endpoint to) {
  auto& entry = slots_[to_string(to)];
  if (!entry) entry = std::make_shared<Slot>(loop_);
  std::shared_ptr<Slot> slot = entry;
  if (slot->connection && slot->connection->is_open()) co_return slot->connection;
  while (slot->opening) {
    co_await slot->opened.wait();
    if (slot->connection && slot->connection->is_open()) co_return slot->connection;
    const auto& error = slot->error;
    if (error.has_value()) co_return Err(*error);
  }
  slot->opening = true;
  slot->error.reset();
  slot->connection.reset();
  ConnectionOptions options = options_.connection;
  auto opened = co_await Connection::open(&loop_, std::move(to), std::move(options));
  slot->opening = false;
  if (opened.failed()) {
    slot->error = opened.error();
  } else {
    slot->connection = *opened;
  }
  slot->opened.notify_all();
  co_return opened;
}

io::Task<ClientResult<ConnectionPtr>> Cluster::any() {
  for (auto& [name, slot] : slots_)
    if (slot->connection && slot->connection->is_open()) co_return slot->connection;
  std::vector<io::Endpoint> candidates;
  candidates.reserve(brokers_.size() + options_.bootstrap.size());
  for (auto& [id, endpoint] : brokers_) candidates.push_back(endpoint);
  for (const io::Endpoint& endpoint : options_.bootstrap)
    if (std::find(candidates.begin(), candidates.end(), endpoint) == candidates.end())
      candidates.push_back(endpoint);
  ClientError last;
  for (const io::Endpoint& candidate : candidates) {
    io::Endpoint to = candidate;
    auto connection = co_await connect(std::move(to));
    if (connection.has_value()) co_return connection;
    last = std::move(connection.error());
  }
  if (candidates.size() > 1)
    last.message =
        fmt::format("none of {} servers answers; the last one: {}", candidates.size(), last.message);
  co_return Err(std::move(last));
}

io::Task<ClientResult<ConnectionPtr>> Cluster::broker(BrokerId id) {
  if (!brokers_.contains(id.value())) {
    std::optional<std::vector<std::string>> no_topics(std::in_place);
    auto metadata = co_await fetch_metadata(std::move(no_topics));
    if (metadata.failed()) co_return Err(std::move(metadata.error()));
  }
  auto found = brokers_.find(id.value());
  if (found == brokers_.end())
    co_return Err(ClientError{ErrorKind::kBroker, wire::ErrorCode::BROKER_NOT_AVAILABLE,
                              fmt::format("the cluster has no broker {} now", id.value())});
  io::Endpoint to = found->second;
  auto connection = co_await connect(std::move(to));
  co_return connection;
}

io::Task<ClientResult<ConnectionPtr>> Cluster::controller() {
  if (controller_id_ == kNoBroker) {
    std::optional<std::vector<std::string>> no_topics(std::in_place);
    auto metadata = co_await fetch_metadata(std::move(no_topics));
    if (metadata.failed()) co_return Err(std::move(metadata.error()));
  }
  if (controller_id_ == kNoBroker) {
    auto connection = co_await any();
    co_return connection;
  }
  auto connection = co_await broker(controller_id_);
  co_return connection;
}

io::Task<ClientResult<ConnectionPtr>> Cluster::leader(std::string topic, PartitionId partition) {
  Backoff backoff(loop_, options_);
  while (true) {
    std::optional<BrokerId> known = known_leader(topic, partition);
    if (!known) {
      std::optional<std::vector<std::string>> topics(std::in_place, 1, topic);
      auto metadata = co_await fetch_metadata(std::move(topics));
      if (metadata.failed()) co_return Err(std::move(metadata.error()));
      known = known_leader(topic, partition);
    }
    if (known) {
      auto connection = co_await broker(*known);
      if (connection.has_value()) co_return connection;
      forget_topic(topic);
      if (backoff.expired(loop_.now())) co_return connection;
    } else {
      ClientError error = no_leader(topic, partition);
      if (!worth_waiting(error.code) || backoff.expired(loop_.now())) co_return Err(std::move(error));
    }
    co_await io::sleep_for(loop_, backoff.take());
  }
}

io::Task<ClientResult<BrokerId>> Cluster::find_coordinator(CoordinatorType type, std::string key) {
  auto connection = co_await any();
  if (connection.failed()) co_return Err(std::move(connection.error()));
  wire::FindCoordinatorRequest request;
  request.key = key;
  request.key_type = static_cast<std::int8_t>(type);
  request.coordinator_keys.push_back(key);
  CallOptions call;
  call.min_version = type == CoordinatorType::kGroup ? 0 : 1;
  auto version = (*connection)->choose<wire::FindCoordinatorApi>(call);
  auto answer = co_await (*connection)->call<wire::FindCoordinatorApi>(std::move(request), call);
  if (answer.failed()) co_return Err(std::move(answer.error()));
  std::int16_t code = answer->error_code;
  std::string detail = answer->error_message.value_or("");
  BrokerId node(answer->node_id);
  io::Endpoint endpoint{answer->host, static_cast<std::uint16_t>(answer->port)};
  if (*version >= 4) {
    if (answer->coordinators.size() != 1)
      co_return Err(ClientError{ErrorKind::kMalformed, wire::ErrorCode::NONE,
                                "FindCoordinator: one key asked for, " +
                                    std::to_string(answer->coordinators.size()) + " answered"});
    const auto& found = answer->coordinators.front();
    code = found.error_code;
    detail = found.error_message.value_or("");
    node = BrokerId(found.node_id);
    endpoint = io::Endpoint{found.host, static_cast<std::uint16_t>(found.port)};
  }
  if (code != 0) co_return Err(broker_error("FindCoordinator", wire::error_code_from(code), detail));
  brokers_[node.value()] = endpoint;
  co_return node;
}

io::Task<ClientResult<ConnectionPtr>> Cluster::coordinator(CoordinatorType type, std::string key) {
  Backoff backoff(loop_, options_);
  while (true) {
    auto known = coordinators_.find({type, key});
    ClientResult<BrokerId> node = kNoBroker;
    if (known != coordinators_.end()) {
      node = known->second;
    } else {
      std::string copy = key;
      node = co_await find_coordinator(type, std::move(copy));
      if (node.has_value()) coordinators_.insert_or_assign({type, key}, *node);
    }
    if (node.has_value()) {
      auto connection = co_await broker(*node);
      if (connection.has_value()) co_return connection;
      forget_coordinator(type, key);
      node = ClientResult<BrokerId>(Err(std::move(connection.error())));
    } else if (node.error().kind != ErrorKind::kBroker || !wire::retriable(node.error().code)) {
      co_return Err(std::move(node.error()));
    }
    if (backoff.expired(loop_.now())) co_return Err(std::move(node.error()));
    co_await io::sleep_for(loop_, backoff.take());
  }
}

io::Task<ClientResult<MetadataPtr>> Cluster::fetch_metadata(std::optional<std::vector<std::string>> topics) {
  auto connection = co_await any();
  if (connection.failed()) co_return Err(std::move(connection.error()));
  wire::MetadataRequest request;
  request.allow_auto_topic_creation = false;
  if (topics) {
    request.topics.emplace();
    for (std::string& topic : *topics) request.topics->emplace_back().name = std::move(topic);
  } else {
    request.topics.reset();
  }
  CallOptions call;
  call.min_version = 4;  // the first that can ask without creating topics
  auto answer = co_await (*connection)->call<wire::MetadataApi>(std::move(request), call);
  if (answer.failed()) co_return Err(std::move(answer.error()));
  if (answer->error_code != 0)
    co_return Err(broker_error("Metadata", wire::error_code_from(answer->error_code)));
  remember(*answer);
  MetadataPtr metadata = std::make_shared<const wire::MetadataResponse>(std::move(*answer));
  co_return metadata;
}

void Cluster::remember(const wire::MetadataResponse& metadata) {
  brokers_.clear();
  for (const auto& broker : metadata.brokers)
    brokers_[broker.node_id] = io::Endpoint{broker.host, static_cast<std::uint16_t>(broker.port)};
  controller_id_ = BrokerId(metadata.controller_id);
  cluster_id_ = metadata.cluster_id.value_or("");
  for (const auto& topic : metadata.topics) {
    if (!topic.name) continue;
    Topic& entry = topics_[*topic.name];
    entry = Topic{topic.topic_id, wire::error_code_from(topic.error_code), {}, loop_.now()};
    for (const auto& partition : topic.partitions)
      entry.leaders[partition.partition_index] = {BrokerId(partition.leader_id),
                                                  wire::error_code_from(partition.error_code)};
  }
}

std::optional<BrokerId> Cluster::known_leader(const std::string& topic, PartitionId partition) const {
  auto found = topics_.find(topic);
  if (found == topics_.end() || loop_.now() - found->second.fetched > options_.metadata_max_age)
    return std::nullopt;
  auto leader = found->second.leaders.find(partition.value());
  if (leader == found->second.leaders.end() || leader->second.first == kNoBroker) return std::nullopt;
  return leader->second.first;
}

ClientError Cluster::no_leader(const std::string& topic, PartitionId partition) const {
  auto found = topics_.find(topic);
  wire::ErrorCode code = wire::ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
  if (found != topics_.end()) {
    auto leader = found->second.leaders.find(partition.value());
    if (found->second.error != wire::ErrorCode::NONE) {
      code = found->second.error;
    } else if (leader != found->second.leaders.end()) {
      code = leader->second.second == wire::ErrorCode::NONE ? wire::ErrorCode::LEADER_NOT_AVAILABLE
                                                            : leader->second.second;
    }
  }
  return {ErrorKind::kNoLeader, code,
          fmt::format("no leader for {}-{}: {} ({})", topic, partition.value(), wire::message(code),
                      wire::name(code))};
}

TopicId Cluster::topic_id(const std::string& topic) const {
  auto found = topics_.find(topic);
  return found == topics_.end() ? kZeroUuid : found->second.id;
}

}  // namespace milena::client
