// parse_servers: a list of bootstrap servers from text.
#include <fmt/format.h>

#include <charconv>

#include "client/cluster.h"

namespace milena::client {
namespace {

constexpr std::uint16_t kDefaultPort = 9092;

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

Result<io::Endpoint, std::string> parse_server(std::string_view text) {
  std::string_view rest = text;
  if (auto scheme = rest.find("://"); scheme != std::string_view::npos) {
    std::string_view protocol = rest.substr(0, scheme);
    if (protocol != "PLAINTEXT")
      return Err(fmt::format("'{}': only PLAINTEXT connections are supported, not {}", text, protocol));
    rest.remove_prefix(scheme + 3);
  }
  io::Endpoint endpoint;
  endpoint.port = kDefaultPort;
  std::string_view port;
  bool has_port = false;
  if (rest.starts_with('[')) {
    auto close = rest.find(']');
    if (close == std::string_view::npos) return Err(fmt::format("'{}': no ']' after the IPv6 address", text));
    endpoint.host = rest.substr(1, close - 1);
    rest.remove_prefix(close + 1);
    has_port = !rest.empty();
    if (has_port && rest.front() != ':') return Err(fmt::format("'{}' is not host:port", text));
    if (has_port) port = rest.substr(1);
  } else {
    auto colon = rest.find(':');
    if (colon != std::string_view::npos && rest.find(':', colon + 1) != std::string_view::npos)
      return Err(fmt::format("'{}': write an IPv6 address as [address]:port", text));
    endpoint.host = rest.substr(0, colon);
    has_port = colon != std::string_view::npos;
    if (has_port) port = rest.substr(colon + 1);
  }
  if (endpoint.host.empty()) return Err(fmt::format("'{}' has no host name", text));
  if (has_port) {
    auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
    if (error != std::errc() || end != port.data() + port.size() || endpoint.port == 0)
      return Err(fmt::format("'{}': '{}' is not a port (1 to 65535)", text, port));
  }
  return endpoint;
}

}  // namespace

Result<std::vector<io::Endpoint>, std::string> parse_servers(std::string_view text) {
  std::vector<io::Endpoint> servers;
  while (true) {
    auto comma = text.find(',');
    std::string_view part = trim(text.substr(0, comma));
    if (!part.empty()) {
      TRY_ASSIGN(io::Endpoint server, parse_server(part));
      servers.push_back(std::move(server));
    }
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  if (servers.empty()) return Err(std::string("no server given; write host:port[,host:port...]"));
  return servers;
}

}  // namespace milena::client
