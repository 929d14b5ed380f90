/// Small questions that many handlers ask of the metadata image.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "broker/request_context.h"
#include "image/image.h"

namespace milena::broker {

/// Kafka's own topics: written by coordinators only, not deleted by clients.
bool is_internal_topic(std::string_view name);

/// A topic as requests name it: by id where there is one, else by name. Null: unknown.
const image::Topic* find_topic(const image::Image& image, const Uuid& id, std::string_view name);

struct NodeAddress {
  BrokerId id;
  std::string host;
  std::int32_t port = 0;
  std::optional<std::string> rack;
};
/// A broker's advertised address on the listener that the client uses. Nothing: it has none there.
std::optional<NodeAddress> broker_address(const image::Broker& broker, const std::string& listener);

/// Who leads the partition, for responses that point clients at the leader (KIP-951).
struct CurrentLeader {
  BrokerId id = kNoBroker;
  Epoch epoch = kNoEpoch;
};
CurrentLeader current_leader(const image::Image& image, const TopicIdPartition& id);

}  // namespace milena::broker
