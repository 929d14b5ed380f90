#include "config/own_keys.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/properties.h"

namespace milena::config {
namespace {

constexpr OwnKey kKeys[] = {
    {kHttpListenersKey, "LIST of http://HOST:PORT", "http://127.0.0.1:9021",
     "Where metrics and health are served (`docs/metrics.md`): `/metrics`, `/livez`, `/readyz`. Without a host every "
     "interface; empty: nowhere. Where nobody set it and another process has the port, the node warns and goes on "
     "without."},
};

constexpr std::string_view kScheme = "http://";

}  // namespace

std::span<const OwnKey> own_keys() { return kKeys; }

bool is_own_key(std::string_view name) {
  return std::ranges::any_of(kKeys, [name](const OwnKey& key) { return key.name == name; });
}

Result<HttpConfig, ConfigErrors> http_config(const KafkaConfig& config) {
  HttpConfig http;
  auto at = config.settings().find(std::string(kHttpListenersKey));
  if (at == config.settings().end()) {
    http.listeners.push_back({"127.0.0.1", kDefaultHttpPort});
    return http;
  }
  http.asked_for = true;
  ConfigErrors errors;
  std::string_view rest = trim(at->second.value);
  while (!rest.empty()) {
    std::size_t comma = std::min(rest.find(','), rest.size());
    std::string_view entry = trim(rest.substr(0, comma));
    rest = trim(rest.substr(std::min(comma + 1, rest.size())));
    auto parsed = entry.starts_with(kScheme) ? parse_listener(entry) : std::nullopt;
    if (!parsed.has_value()) {
      errors.push_back({at->first,
                        fmt::format("{}: {} is not http://HOST:PORT (the host may be left out; the whole value empty: "
                                    "no HTTP)",
                                    kHttpListenersKey, entry),
                        at->second.source});
      continue;
    }
    if (parsed->address.port != 0 && std::ranges::find(http.listeners, parsed->address) != http.listeners.end())
      errors.push_back({at->first, fmt::format("{}: {} stands there twice", kHttpListenersKey, entry), at->second.source});
    http.listeners.push_back(parsed->address);
  }
  if (!errors.empty()) return Err(std::move(errors));
  return http;
}

}  // namespace milena::config
