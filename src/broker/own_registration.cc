#include "broker/own_registration.h"

#include <algorithm>
#include <utility>

#include "image/metadata_version.h"

namespace milena::broker {
namespace {

template <class Request>
void add_listeners_and_features(Request& request, const std::vector<config::Listener>& advertised,
                                std::span<const ListenerInfo> bound) {
  for (const config::Listener& listener : advertised) {
    auto& one = request.listeners.emplace_back();
    one.name = listener.name;
    one.host = listener.address.host;
    one.port = listener.address.port;
    auto own = std::ranges::find(bound, listener.name, &ListenerInfo::name);
    if (one.port == 0 && own != bound.end()) one.port = own->bound.port;
    one.security_protocol = static_cast<std::int16_t>(listener.protocol);
  }
  for (const image::SupportedFeature& feature : image::kSupportedFeatures) {
    auto& one = request.features.emplace_back();
    one.name = feature.name;
    one.min_supported_version = feature.min_level;
    one.max_supported_version = feature.max_level;
  }
}

}  // namespace

wire::BrokerRegistrationRequest broker_registration(const config::ServerConfig& server, const BrokerState& broker,
                                                    std::span<const ListenerInfo> bound) {
  wire::BrokerRegistrationRequest request;
  request.broker_id = broker.node_id.value();
  request.cluster_id = broker.cluster_id;
  request.incarnation_id = broker.incarnation_id;
  request.rack = server.rack;
  add_listeners_and_features(request, server.listeners.advertised, bound);
  return request;
}

wire::ControllerRegistrationRequest controller_registration(const config::ServerConfig& server,
                                                            const BrokerState& broker,
                                                            std::span<const ListenerInfo> bound) {
  wire::ControllerRegistrationRequest request;
  request.controller_id = broker.node_id.value();
  request.incarnation_id = broker.incarnation_id;
  add_listeners_and_features(request, server.listeners.advertised_controller, bound);
  return request;
}

}  // namespace milena::broker
