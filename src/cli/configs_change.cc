// milena config set, delete.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/configs.h"
#include "image/image.h"
#include "wire/apis/describe_configs.h"
#include "wire/apis/incremental_alter_configs.h"

namespace milena::cli {
namespace {

// The source of values that were set on the resource itself.
std::int8_t own_source(const ConfigTarget& target) {
  switch (static_cast<image::ResourceType>(target.type)) {
    case image::ResourceType::kTopic: return 1;
    case image::ResourceType::kBroker: return target.name.empty() ? 3 : 2;
    case image::ResourceType::kBrokerLogger: return 6;
    case image::ResourceType::kClientMetrics: return 7;
    case image::ResourceType::kGroup: return 8;
  }
  return 0;
}

io::Task<int> change(Session* session, ConfigTarget target, std::vector<ConfigChange> changes, bool dry_run) {
  std::string what = "cannot change the configuration of " + said(target);
  ConfigTarget where = target;
  auto connection = co_await connection_for(session, std::move(where));
  if (connection.failed()) co_return session->fail(what, connection.error());
  wire::IncrementalAlterConfigsRequest request;
  request.validate_only = dry_run;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = target.type;
  resource.resource_name = target.name;
  std::vector<std::string> keys;
  for (const ConfigChange& one : changes) {
    auto& config = resource.configs.emplace_back();
    config.name = one.key;
    config.config_operation = static_cast<std::int8_t>(one.operation);
    config.value = one.value;
    if (one.operation == ConfigChange::Operation::kDelete) config.value.reset();
    keys.push_back(one.key);
  }
  auto response = co_await (*connection)->call<wire::IncrementalAlterConfigsApi>(std::move(request));
  if (response.failed()) co_return session->fail(what, response.error());
  for (const auto& result : response->responses) {
    wire::ErrorCode code = wire::error_code_from(result.error_code);
    if (code == wire::ErrorCode::NONE) continue;
    bool refused = code == wire::ErrorCode::INVALID_CONFIG || code == wire::ErrorCode::INVALID_REQUEST;
    std::string next = refused ? config_key_hint(target.type, keys) : missing_target_hint(target.type, code);
    co_return session->fail(broker_failure(what, code, result.error_message.value_or(""), next));
  }
  Json row;
  row["resource"] = typed_name(target);
  row["resource_type"] = config_type_name(target.type);
  row["keys"] = keys;
  row["altered"] = !dry_run;
  session->context().print(
      {{"NAME", "resource"}, {"TYPE", "resource_type"}, {"KEYS", "keys"}, {"ALTERED", "altered"}}, {row});
  if (dry_run) session->context().terminal.talk("dry run: it would work, nothing was changed\n");
  co_return 0;
}

// The keys that are set on the resource itself.
io::Task<Outcome<std::vector<std::string>>> own_keys(Session* session, ConfigTarget target) {
  std::string what = "cannot read the configuration of " + said(target);
  ConfigTarget where = target;
  auto connection = co_await connection_for(session, std::move(where));
  if (connection.failed()) co_return Err(client_failure(what, connection.error()));
  wire::DescribeConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = target.type;
  resource.resource_name = target.name;
  resource.configuration_keys.reset();
  auto response = co_await (*connection)->call<wire::DescribeConfigsApi>(std::move(request));
  if (response.failed()) co_return Err(client_failure(what, response.error()));
  std::vector<std::string> keys;
  for (const auto& result : response->results) {
    wire::ErrorCode code = wire::error_code_from(result.error_code);
    if (code != wire::ErrorCode::NONE) 
      co_return Err(broker_failure(what, code, result.error_message.value_or(""), missing_target_hint(target.type, code)));
    for (const auto& value : result.configs)
      if (value.config_source == own_source(target)) keys.push_back(value.name);
  }
  co_return keys;
}

}  // namespace

io::Task<int> set_configs(Session* session, ConfigOptions options) {
  auto target = parse_config_target(options.type, options.name);
  if (target.failed()) co_return session->fail(usage(target.error(), "milena config set --help"));
  std::vector<ConfigChange> changes;
  for (const std::string& text : options.keys) {
    auto parsed = parse_config_change(text);
    if (parsed.failed()) co_return session->fail(usage(parsed.error(), "milena config set --help"));
    changes.push_back(std::move(*parsed));
  }
  co_return co_await change(session, std::move(*target), std::move(changes), options.dry_run);
}

io::Task<int> delete_configs(Session* session, ConfigOptions options) {
  auto target = parse_config_target(options.type, options.name);
  if (target.failed()) co_return session->fail(usage(target.error(), "milena config delete --help"));
  if (options.keys.empty() != options.all)
    co_return session->fail(usage("give the keys to take back, or --all", "milena config delete --help"));
  std::vector<std::string> keys = options.keys;
  if (options.all) {
    ConfigTarget asked = *target;
    auto found = co_await own_keys(session, std::move(asked));
    if (found.failed()) co_return session->fail(found.error());
    if (found->empty()) {
      session->context().terminal.talk("nothing is set on " + said(*target) + "\n");
      co_return 0;
    }
    keys = std::move(*found);
  }
  std::vector<ConfigChange> changes;
  for (const std::string& key : keys) changes.push_back({key, ConfigChange::Operation::kDelete, {}});
  co_return co_await change(session, std::move(*target), std::move(changes), options.dry_run);
}

}  // namespace milena::cli
