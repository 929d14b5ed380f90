/// Small questions that many handlers ask of the metadata image.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

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

/// Tells where `id` is reached on the client's listener, once per response.
template <class Response>
void add_endpoint(const RequestContext& context, BrokerId id, Response& response) {
  const image::Broker* broker = context.image->broker(id);
  if (broker == nullptr) return;
  auto address = broker_address(*broker, context.listener->name);
  auto same = [&](const auto& known) { return known.node_id == id.value(); };
  if (!address.has_value() || std::ranges::any_of(response.node_endpoints, same)) return;
  auto& endpoint = response.node_endpoints.emplace_back();
  endpoint.node_id = id.value();
  endpoint.host = std::move(address->host);
  endpoint.port = address->port;
  endpoint.rack = std::move(address->rack);
}

}  // namespace milena::broker
