/// Listeners: `listeners`, `advertised.listeners`, `listener.security.protocol.map`,
/// `controller.listener.names` and `inter.broker.listener.name`, taken together and checked as Kafka does.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/address.h"
#include "config/kafka_config.h"

namespace milena::config {

/// Kafka's ids of the protocols, as in endpoints on the wire.
enum class SecurityProtocol : std::uint8_t { kPlaintext = 0, kSsl = 1, kSaslPlaintext = 2, kSaslSsl = 3 };
std::string_view protocol_name(SecurityProtocol protocol);

struct Listener {
  std::string name;  // upper case
  Address address;   // host empty: every interface (to bind), this machine's name (to advertise); port 0: any
  SecurityProtocol protocol = SecurityProtocol::kPlaintext;
  friend bool operator==(const Listener&, const Listener&) = default;
};

struct Listeners {
  std::vector<Listener> bind;                   // in the order of `listeners`
  std::vector<Listener> advertised;             // of the broker: without controller listeners
  std::vector<Listener> advertised_controller;  // of the controller: one per bound controller listener
  std::vector<std::string> controller_names;    // the first one is used to reach controllers
  SecurityProtocol controller_protocol = SecurityProtocol::kPlaintext;  // of the first controller listener
  std::string inter_broker_name;  // empty on a node that is only a controller
};

/// REQUIRES: nothing; roles come from `process.roles`.
/// Errors: what cannot be parsed, names without a protocol, two listeners on one port, an advertised wildcard
/// address, controller and inter-broker listeners that do not fit the roles.
Result<Listeners, ConfigErrors> read_listeners(const KafkaConfig& config);

/// Listeners that are advertised without a host get `machine`; without one to give, "localhost". Answers what to tell
/// the operator, if anything. As Kafka's withWildcardHostnamesResolved.
std::string name_advertised_hosts(Listeners& listeners, std::string_view machine);

}  // namespace milena::config
