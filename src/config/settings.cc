#include "config/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "config/value.h"

namespace milena::config {
namespace {

constexpr std::string_view kPrefix = "KAFKA_";

// Without the prefix. Variables of the images that never become a property.
constexpr std::array<std::string_view, 16> kNotProperties = {
    "VERSION",
    "HEAP_OPTS",
    "LOG4J_OPTS",
    "OPTS",
    "JMX_OPTS",
    "JMX_HOSTNAME",
    "JMX_PORT",
    "JVM_PERFORMANCE_OPTS",
    "GC_LOG_OPTS",
    "HOME",
    "LOG4J_LOGGERS",
    "LOG4J_ROOT_LOGLEVEL",
    "TOOLS_LOG4J_LOGLEVEL",
    "LOG4J_CONFIG",
    "CLUSTER_ID",
    "DEBUG",
};

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  std::string result;
  std::size_t begin = 0;
  for (std::size_t at = 0; (at = text.find(from, begin)) != std::string::npos; begin = at + from.size()) {
    result.append(text, begin, at - begin).append(to);
  }
  text = result.append(text, begin);
}

}  // namespace

Settings settings_from_file(const Properties& properties, std::string_view file_name) {
  Settings settings;
  for (const auto& [key, value] : properties) settings[key] = {value, std::string(file_name)};
  return settings;
}

std::string environment_key(std::string_view name) {
  if (!name.starts_with(kPrefix) || name.size() == kPrefix.size()) return "";
  name.remove_prefix(kPrefix.size());
  if (std::ranges::find(kNotProperties, name) != kNotProperties.end()) return "";
  if (name == "ZOOKEEPER_CLIENT_CNXN_SOCKET") return "zookeeper.clientCnxnSocket";
  std::string key(name);
  std::ranges::transform(key, key.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  std::string single = key;
  for (std::size_t i = 1; i + 1 < key.size(); ++i) {
    if (key[i] == '_' && key[i - 1] != '_' && key[i + 1] != '_') single[i] = '.';
  }
  replace_all(single, "___", "-");
  replace_all(single, "__", "_");
  return single;
}

Settings settings_from_environment(const std::map<std::string, std::string>& environment) {
  Settings settings;
  for (const auto& [name, value] : environment) {
    if (std::string key = environment_key(name); !key.empty()) settings[key] = {value, name};
  }
  return settings;
}

Result<std::pair<std::string, std::string>, std::string> parse_override(std::string_view text) {
  std::size_t equals = text.find('=');
  std::string key(trim(text.substr(0, equals)));
  if (equals == std::string_view::npos || key.empty()) {
    return Err(fmt::format("--override {}: expected key=value", text));
  }
  return std::pair(std::move(key), std::string(text.substr(equals + 1)));
}

Settings settings_from_overrides(const std::vector<std::pair<std::string, std::string>>& overrides) {
  Settings settings;
  for (const auto& [key, value] : overrides) settings[key] = {value, "--override"};
  return settings;
}

Settings merge(Settings base, const Settings& winner) {
  for (const auto& [key, setting] : winner) base.insert_or_assign(key, setting);
  return base;
}

}  // namespace milena::config
