/// The verbs of `milena config`: configurations of topics, brokers, groups and client metrics subscriptions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/context.h"
#include "cli/topic.h"

namespace milena::cli {

/// What has a configuration. `name` of a broker: its id, or empty for the default of all ("default" as typed).
struct ConfigTarget {
  std::int8_t type = 0;  // as on the wire
  std::string name;
  bool operator==(const ConfigTarget&) const = default;
};
/// Words for the types, as they are typed: "topic", "broker", "broker-logger", "group", "client-metrics".
std::vector<std::string> config_type_names();
std::optional<std::int8_t> parse_config_type(std::string_view word);
std::string config_type_name(std::int8_t type);
/// "topic 'orders'", "broker 1", "the brokers' default".
std::string said(const ConfigTarget& target);
/// The name as it is typed: of the brokers' default, "default".
std::string typed_name(const ConfigTarget& target);
/// Errors: a sentence; a broker that is neither a number nor `default`.
Result<ConfigTarget, std::string> parse_config_target(std::string_view type, std::string_view name);
/// Where a value comes from, in words; the number of DescribeConfigs.
std::string config_source_name(std::int8_t source);

struct ConfigOptions {
  std::string type;
  std::string name;
  std::vector<std::string> names;  // describe
  std::vector<std::string> keys;   // get, delete; of set: key=value
  bool all = false;
  bool dry_run = false;
};

io::Task<int> list_configs(Session* session, ConfigOptions options);
io::Task<int> describe_configs(Session* session, ConfigOptions options);
io::Task<int> get_configs(Session* session, ConfigOptions options);
io::Task<int> set_configs(Session* session, ConfigOptions options);
io::Task<int> delete_configs(Session* session, ConfigOptions options);

/// The broker to ask about it: a broker knows its own configuration, any knows the others.
io::Task<client::ClientResult<client::ConnectionPtr>> connection_for(Session* session, ConfigTarget target);
/// Where to look when a resource's configuration was refused with `code`.
std::string missing_target_hint(std::int8_t type, wire::ErrorCode code);
/// What may have been meant by keys that no such resource has, or where to read about them.
std::string config_key_hint(std::int8_t type, const std::vector<std::string>& keys);

}  // namespace milena::cli
