#include "config/listeners.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>

namespace milena::config {
namespace {

using ProtocolMap = std::map<std::string, SecurityProtocol>;

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return out;
}

std::optional<SecurityProtocol> protocol_of(std::string_view name) {
  if (name == "PLAINTEXT") return SecurityProtocol::kPlaintext;
  if (name == "SSL") return SecurityProtocol::kSsl;
  if (name == "SASL_PLAINTEXT") return SecurityProtocol::kSaslPlaintext;
  if (name == "SASL_SSL") return SecurityProtocol::kSaslSsl;
  return std::nullopt;
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

std::vector<std::string> names_of(const std::vector<Listener>& listeners) {
  std::vector<std::string> names;
  names.reserve(listeners.size());
  for (const Listener& listener : listeners) names.push_back(listener.name);
  return names;
}

class ListenerReader {
 public:
  explicit ListenerReader(const KafkaConfig& config) : config_(config) {}

  Result<Listeners, ConfigErrors> read() {
    const auto& roles = config_.list("process.roles");
    broker_ = contains(roles, "broker");
    controller_ = contains(roles, "controller");
    for (const std::string& name : config_.list("controller.listener.names"))
      out_.controller_names.push_back(upper(name));
    read_protocols();
    out_.bind = parse("listeners");
    check_ports();
    if (errors_.empty()) advertise();
    if (errors_.empty()) check_controllers();
    if (errors_.empty() && broker_) choose_inter_broker();
    if (!errors_.empty()) return Err(std::move(errors_));
    return std::move(out_);
  }

 private:
  void fail(std::string_view key, std::string message) {
    auto setting = config_.settings().find(std::string(key));
    errors_.push_back({std::string(key), std::move(message),
                       setting == config_.settings().end() ? "" : setting->second.source});
  }

  void read_protocols() {
    constexpr std::string_view kKey = "listener.security.protocol.map";
    for (const std::string& entry : split_list(config_.text(kKey))) {
      std::size_t colon = entry.rfind(':');
      std::string name = upper(entry.substr(0, colon));
      std::string protocol = colon == std::string::npos ? "" : upper(entry.substr(colon + 1));
      if (auto known = protocol_of(protocol)) {
        protocols_[name] = *known;
      } else {
        fail(kKey, fmt::format("Invalid security protocol `{}` defined in {}", protocol, kKey));
      }
    }
    // Controller listeners are PLAINTEXT where the map is the default one (KIP-601).
    if (config_.is_set(kKey)) return;
    for (const std::string& name : out_.controller_names)
      protocols_.try_emplace(name, SecurityProtocol::kPlaintext);
  }

  std::vector<Listener> parse(std::string_view key) {
    std::vector<Listener> listeners;
    const auto& entries = config_.list(key);
    for (const std::string& entry : entries) {
      auto address = parse_listener(entry);
      if (!address) {
        fail(key, fmt::format("Unable to parse {} in {}: expected NAME://host:port", entry, key));
        continue;
      }
      auto protocol = protocols_.find(address->name);
      if (protocol == protocols_.end()) {
        fail(key,
             fmt::format(
                 "Error creating broker listeners from '[{}]': No security protocol defined for listener {}",
                 fmt::join(entries, ", "), address->name));
        continue;
      }
      listeners.push_back({address->name, address->address, protocol->second});
    }
    return listeners;
  }

  // Two listeners may share a port where one is IPv4 and the other IPv6; 0 means any.
  void check_ports() {
    const auto& entries = config_.list("listeners");
    auto is_v6 = [](const Listener& l) { return l.address.host.find(':') != std::string::npos; };
    for (std::size_t i = 0; i < out_.bind.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const Listener& a = out_.bind[j];
        const Listener& b = out_.bind[i];
        bool pair = is_v6(a) != is_v6(b) && !a.address.host.empty() && !b.address.host.empty();
        bool same_port = a.address.port == b.address.port && a.address.port != 0 && !pair;
        if (a.name != b.name && !same_port) continue;
        std::string_view what = a.name == b.name ? "name" : "port";
        fail("listeners",
             fmt::format("Error creating broker listeners from '[{0}]': Each listener must have a different "
                         "{1}, listeners: [{0}]",
                         fmt::join(entries, ", "), what));
        return;
      }
    }
  }

  // What is not advertised by name is where it is bound; a controller of a static quorum is where its voter
  // entry says.
  void advertise() {
    bool given = !config_.is_null("advertised.listeners");
    std::vector<Listener> named;
    if (given) named = parse("advertised.listeners");
    check_advertised_names(named);
    for (const Listener& listener : given ? named : out_.bind) {
      if (!contains(out_.controller_names, listener.name)) out_.advertised.push_back(listener);
    }
    for (const Listener& listener : out_.bind) {
      if (!contains(out_.controller_names, listener.name)) continue;
      auto at = std::ranges::find(named, listener.name, &Listener::name);
      out_.advertised_controller.push_back(at != named.end() ? *at : own_controller_address(listener));
    }
    for (const std::vector<Listener>* list : {&out_.advertised, &out_.advertised_controller}) {
      if (std::ranges::none_of(*list, [](const Listener& l) { return l.address.host == "0.0.0.0"; }))
        continue;
      fail(
          given ? "advertised.listeners" : "listeners",
          "advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP address.");
      return;
    }
  }

  void check_advertised_names(const std::vector<Listener>& named) {
    std::vector<std::string> bound = names_of(out_.bind);
    std::vector<std::string> advertised = names_of(named);
    if (std::ranges::all_of(advertised, [&](const std::string& name) { return contains(bound, name); }))
      return;
    fail("advertised.listeners",
         fmt::format("advertised.listeners listener names must be equal to or a subset of the ones defined "
                     "in listeners. "
                     "Found {}. The valid options based on the current configuration are {}",
                     fmt::join(advertised, ","), fmt::join(bound, ",")));
  }

  Listener own_controller_address(Listener listener) const {
    if (listener.address.host == "0.0.0.0" || listener.address.host == "::") listener.address.host.clear();
    for (const std::string& entry : config_.list("controller.quorum.voters")) {
      auto voter = parse_voter(entry);
      bool own = voter && voter->id.value() == config_.integer("node.id") && voter->address.host != "0.0.0.0";
      if (own && listener.name == out_.controller_names.front()) listener.address = voter->address;
    }
    return listener;
  }

  void check_controllers() {
    bool bound = !out_.advertised_controller.empty();
    if (!controller_ && bound) {
      fail("controller.listener.names",
           "controller.listener.names must not contain a value appearing in the 'listeners' configuration "
           "when running "
           "KRaft with just the broker role");
    } else if (controller_ && !bound) {
      fail("controller.listener.names",
           "controller.listener.names must contain at least one value appearing in the 'listeners' "
           "configuration when "
           "running the KRaft controller role");
    } else if (!broker_ && out_.bind.size() != out_.advertised_controller.size()) {
      fail("listeners",
           "The listeners config must only contain KRaft controller listeners from controller.listener.names "
           "when "
           "process.roles=controller");
    } else if (broker_ && out_.advertised.empty()) {
      fail("listeners",
           "There must be at least one broker advertised listener. Perhaps all listeners appear in "
           "controller.listener.names?");
    }
    if (!errors_.empty()) return;
    auto protocol = protocols_.find(out_.controller_names.front());
    if (protocol == protocols_.end()) {
      fail("controller.listener.names",
           fmt::format("Controller listener with name {} defined in "
                       "controller.listener.names not found in listener.security.protocol.map.",
                       out_.controller_names.front()));
      return;
    }
    out_.controller_protocol = protocol->second;
  }

  void choose_inter_broker() {
    constexpr std::string_view kKey = "inter.broker.listener.name";
    if (config_.is_set(kKey) && config_.is_set("security.inter.broker.protocol")) {
      fail(kKey, "Only one of inter.broker.listener.name and security.inter.broker.protocol should be set.");
      return;
    }
    out_.inter_broker_name = config_.is_null(kKey) ? upper(config_.text("security.inter.broker.protocol"))
                                                   : upper(config_.text(kKey));
    std::vector<std::string> names = names_of(out_.advertised);
    if (contains(names, out_.inter_broker_name)) return;
    fail(kKey,
         fmt::format("{} must be a listener name defined in advertised.listeners. The valid options based on "
                     "currently configured listeners are {}",
                     config_.is_null(kKey) ? "security.inter.broker.protocol" : kKey, fmt::join(names, ",")));
  }

  const KafkaConfig& config_;
  bool broker_ = false;
  bool controller_ = false;
  ProtocolMap protocols_;
  Listeners out_;
  ConfigErrors errors_;
};

}  // namespace

std::string_view protocol_name(SecurityProtocol protocol) {
  switch (protocol) {
    case SecurityProtocol::kPlaintext:
      return "PLAINTEXT";
    case SecurityProtocol::kSsl:
      return "SSL";
    case SecurityProtocol::kSaslPlaintext:
      return "SASL_PLAINTEXT";
    case SecurityProtocol::kSaslSsl:
      return "SASL_SSL";
  }
  return "";
}

Result<Listeners, ConfigErrors> read_listeners(const KafkaConfig& config) {
  return ListenerReader(config).read();
}

std::string name_advertised_hosts(Listeners& listeners, std::string_view machine) {
  std::string unnamed;
  for (std::vector<Listener>* list : {&listeners.advertised, &listeners.advertised_controller}) {
    for (Listener& listener : *list) {
      if (!listener.address.host.empty()) continue;
      listener.address.host = machine.empty() ? "localhost" : machine;
      if (machine.empty() && list == &listeners.advertised) unnamed += (unnamed.empty() ? "" : ", ") + listener.name;
    }
  }
  if (unnamed.empty()) return {};
  return fmt::format(
      "this machine's host name cannot be resolved, so {} is advertised as localhost, and no client on another machine "
      "can use it; set advertised.listeners to a name or address that clients can reach",
      unnamed);
}

}  // namespace milena::config
