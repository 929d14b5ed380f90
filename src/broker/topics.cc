#include "broker/topics.h"

namespace milena::broker {

bool is_internal_topic(std::string_view name) {
  return name == "__consumer_offsets" || name == "__transaction_state" || name == "__share_group_state";
}

const image::Topic* find_topic(const image::Image& image, const Uuid& id, std::string_view name) {
  return id.is_zero() ? image.topic(name) : image.topic(id);
}

std::optional<NodeAddress> broker_address(const image::Broker& broker, const std::string& listener) {
  for (const auto& endpoint : broker.end_points) {
    if (endpoint.name != listener) continue;
    return NodeAddress{BrokerId(broker.broker_id), endpoint.host, endpoint.port, broker.rack};
  }
  return std::nullopt;
}

CurrentLeader current_leader(const image::Image& image, const TopicIdPartition& id) {
  const image::Partition* partition = image.partition(id);
  return partition == nullptr ? CurrentLeader{} : CurrentLeader{partition->leader, partition->leader_epoch};
}

}  // namespace milena::broker
