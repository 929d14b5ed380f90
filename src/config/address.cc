#include "config/address.h"

#include <algorithm>
#include <charconv>

#include "config/value.h"

namespace milena::config {
namespace {

template <class T>
std::optional<T> parse_number(std::string_view text) {
  T number{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_host_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
         c == '_' || c == '%';
}

std::optional<Address> parse_host_port(std::string_view text) {
  Address address;
  std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  if (!port) return std::nullopt;
  if (host.starts_with('[')) {
    if (!host.ends_with(']') || host.size() < 4) return std::nullopt;
    host = host.substr(1, host.size() - 2);
    if (!std::ranges::all_of(host, [](char c) { return is_host_char(c) || c == ':'; })) return std::nullopt;
  } else if (host.find(':') != std::string_view::npos) {
    // An IPv6 address without brackets is understood where nothing else can be meant, as Kafka does.
    if (std::ranges::count(host, ':') < 2) return std::nullopt;
    if (!std::ranges::all_of(host, [](char c) { return is_host_char(c) || c == ':'; })) return std::nullopt;
  } else if (!std::ranges::all_of(host, is_host_char)) {
    return std::nullopt;
  }
  address.host = host;
  address.port = *port;
  return address;
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  auto address = parse_host_port(trim(text));
  if (!address || address->host.empty()) return std::nullopt;
  return address;
}

std::optional<Voter> parse_voter(std::string_view text) {
  text = trim(text);
  std::size_t at = text.find('@');
  if (at == std::string_view::npos) return std::nullopt;
  auto id = parse_number<std::int32_t>(text.substr(0, at));
  auto address = parse_address(text.substr(at + 1));
  if (!id || *id < 0 || !address) return std::nullopt;
  return Voter{BrokerId(*id), std::move(*address)};
}

std::optional<ListenerAddress> parse_listener(std::string_view text) {
  text = trim(text);
  std::size_t separator = text.find("://");
  if (separator == std::string_view::npos || separator == 0) return std::nullopt;
  auto address = parse_host_port(text.substr(separator + 3));
  if (!address) return std::nullopt;
  std::string name(text.substr(0, separator));
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return ListenerAddress{std::move(name), std::move(*address)};
}

std::optional<std::map<std::string, std::int32_t>> parse_host_limits(std::string_view text) {
  std::map<std::string, std::int32_t> limits;
  while (!text.empty()) {
    std::size_t comma = std::min(text.find(','), text.size());
    std::string_view entry = trim(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    std::size_t colon = entry.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    std::string_view host = trim(entry.substr(0, colon));
    auto limit = parse_number<std::int32_t>(trim(entry.substr(colon + 1)));
    if (!limit || !std::ranges::all_of(host, [](char c) { return is_host_char(c) || c == ':'; })) return std::nullopt;
    limits[std::string(host)] = *limit;
  }
  return limits;
}

}  // namespace milena::config
