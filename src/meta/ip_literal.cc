#include "meta/ip_literal.h"

#include <arpa/inet.h>  // lint: allow(header) inet_pton reads text and opens nothing

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace milena::meta {
namespace {

constexpr std::size_t kIpv4Bytes = 4;
constexpr std::size_t kDigitsMax = 10;  // of 2^32

bool digits(std::string_view text) {
  return !text.empty() && text.size() <= kDigitsMax && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_ipv4(std::string_view text) {
  std::size_t left = kIpv4Bytes;  // bytes that the parts to come must fill
  while (left > 0) {
    std::size_t dot = text.find('.');
    std::string_view part = text.substr(0, dot);
    if (!digits(part)) return false;
    std::uint64_t value = std::stoull(std::string(part));
    bool last = dot == std::string_view::npos;
    std::uint64_t limit = last ? std::uint64_t{1} << (8 * left) : 256;
    if (value >= limit) return false;
    if (last) return true;
    text.remove_prefix(dot + 1);
    --left;
  }
  return false;
}

bool is_ipv6(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  if (std::size_t scope = text.find('%'); scope != std::string_view::npos) {
    if (!digits(text.substr(scope + 1))) return false;
    text = text.substr(0, scope);
  }
  in6_addr address{};
  return text.find('\0') == std::string_view::npos && inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}

}  // namespace

bool is_ip_literal(std::string_view text) { return is_ipv4(text) || is_ipv6(text); }

}  // namespace milena::meta
