/// Where a node's static configuration comes from: `server.properties`, the environment (`KAFKA_*`, as the
/// Confluent images read it) and `--override key=value`. Later sources win: file < environment < override.
/// Nothing here reads a file or the environment; callers hand in what they read.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/properties.h"
#include "base/result.h"

namespace milena::config {

/// A key's text and where it was set, for messages: "server.properties", "KAFKA_LOG_DIRS", "--override".
struct Setting {
  std::string value;
  std::string source;
};
using Settings = std::map<std::string, Setting>;

/// What is wrong with one key. `message` names key and value; `source` says where it was set (may be empty).
struct ConfigError {
  std::string key;
  std::string message;
  std::string source;

  /// "server.properties: message".
  std::string text() const { return source.empty() ? message : source + ": " + message; }
};
using ConfigErrors = std::vector<ConfigError>;

Settings settings_from_file(const Properties& properties, std::string_view file_name);

/// The settings that variables named `KAFKA_...` make. Rule of the cp-kafka images: without the prefix and in
/// lower case, `_` is a dot, `__` an underscore, `___` a dash. Variables that configure a JVM, logging or the
/// image itself are no settings.
Settings settings_from_environment(const std::map<std::string, std::string>& environment);

/// The key that variable `name` sets, or "" when it sets none.
std::string environment_key(std::string_view name);

/// `key=value`. Errors: a sentence, for a text without `=` or without a key.
Result<std::pair<std::string, std::string>, std::string> parse_override(std::string_view text);
Settings settings_from_overrides(const std::vector<std::pair<std::string, std::string>>& overrides);

/// `base` with every key of `winner` in place of its own.
Settings merge(Settings base, const Settings& winner);

}  // namespace milena::config
