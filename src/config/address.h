/// Addresses in configuration values: `host:port`, `id@host:port` and `NAME://host:port`.
/// Hosts are names, IPv4 addresses or IPv6 addresses in brackets; brackets are dropped. Nothing is resolved.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace milena::config {

struct Address {
  std::string host;  // may be empty where a listener binds to every interface
  std::uint16_t port = 0;
  friend bool operator==(const Address&, const Address&) = default;
};

/// A static voter of the metadata quorum.
struct Voter {
  BrokerId id;
  Address address;
  friend bool operator==(const Voter&, const Voter&) = default;
};

/// A listener as written: its name in upper case, and where it is.
struct ListenerAddress {
  std::string name;
  Address address;
  friend bool operator==(const ListenerAddress&, const ListenerAddress&) = default;
};

/// nullopt for a text of another form, an empty host, or a port over 65535.
std::optional<Address> parse_address(std::string_view text);
std::optional<Voter> parse_voter(std::string_view text);
/// The host may be empty. nullopt for a text of another form.
std::optional<ListenerAddress> parse_listener(std::string_view text);
/// `host:count,...`, as max.connections.per.ip.overrides has it: IPv6 addresses stand without brackets. The last of a
/// host holds. nullopt for an entry without a count, or with characters that no host has.
std::optional<std::map<std::string, std::int32_t>> parse_host_limits(std::string_view text);

}  // namespace milena::config
