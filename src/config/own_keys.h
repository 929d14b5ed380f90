/// Milena's own configuration keys, all of them `milena.*`. They come from the same places as Kafka's (file,
/// environment, --override), are read at the start, and are in no answer to a client: Kafka's tools know nothing of
/// them, and Kafka itself, started on the same file, ignores them.
///
/// Threads: constant data.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/address.h"
#include "config/kafka_config.h"

namespace milena::config {

inline constexpr std::string_view kHttpListenersKey = "milena.http.listeners";
inline constexpr std::uint16_t kDefaultHttpPort = 9021;

struct OwnKey {
  std::string_view name;
  std::string_view type;
  std::string_view default_value;
  std::string_view description;
};

/// Sorted by name.
std::span<const OwnKey> own_keys();
bool is_own_key(std::string_view name);

/// Where metrics and health are served over HTTP.
struct HttpConfig {
  std::vector<Address> listeners;  // an empty host: every interface; none: switched off
  /// Somebody asked for these: if one cannot be had, the start fails. The default gives way to another process.
  bool asked_for = false;
};

/// Errors: an entry of milena.http.listeners that is not http://HOST:PORT, or one port twice.
Result<HttpConfig, ConfigErrors> http_config(const KafkaConfig& config);

}  // namespace milena::config
