// milena config list, describe, get: what only reads.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>
#include <nlohmann/json.hpp>

#include "cli/configs.h"
#include "image/image.h"
#include "wire/apis/describe_configs.h"
#include "wire/apis/list_config_resources.h"

namespace milena::cli {
namespace {

constexpr std::int8_t kDefaultSource = 5;
using Value = wire::DescribeConfigsResponse_DescribeConfigsResourceResult;

const char* value_type(std::int8_t type) {
  constexpr const char* kNames[] = {"unknown", "boolean", "string", "int",   "short",
                                    "long",    "double",  "list",   "class", "password"};
  auto index = static_cast<std::size_t>(type);
  return type < 0 || index >= std::size(kNames) ? kNames[0] : kNames[index];
}

Json value_of(const std::optional<std::string>& value, bool sensitive) {
  if (sensitive) return "(hidden)";
  return value ? Json(*value) : Json(nullptr);
}

Json row_of(const ConfigTarget& target, const Value& value) {
  Json row;
  row["key"] = value.name;
  row["value"] = value_of(value.value, value.is_sensitive);
  row["source"] = config_source_name(value.config_source);
  row["resource_type"] = config_type_name(target.type);
  row["resource"] = typed_name(target);
  row["type"] = value_type(value.config_type);
  row["read_only"] = value.read_only;
  row["sensitive"] = value.is_sensitive;
  row["synonyms"] = Json::array();
  for (const auto& synonym : value.synonyms) {
    Json one;
    one["key"] = synonym.name;
    one["value"] = value_of(synonym.value, value.is_sensitive);
    one["source"] = config_source_name(synonym.source);
    row["synonyms"].push_back(std::move(one));
  }
  return row;
}

// The configuration of one resource. Errors: of the cluster; a resource that does not exist.
io::Task<Outcome<std::vector<Value>>> values_of(Session* session, ConfigTarget target, std::vector<std::string> keys) {
  std::string what = "cannot read the configuration of " + said(target);
  auto connection = co_await connection_for(session, target);
  if (connection.failed()) co_return Err(client_failure(what, connection.error()));
  wire::DescribeConfigsRequest request;
  request.include_synonyms = true;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = target.type;
  resource.resource_name = target.name;
  resource.configuration_keys.reset();
  if (!keys.empty()) resource.configuration_keys = std::move(keys);
  auto response = co_await (*connection)->call<wire::DescribeConfigsApi>(std::move(request));
  if (response.failed()) co_return Err(client_failure(what, response.error()));
  std::vector<Value> values;
  for (const auto& result : response->results) {
    wire::ErrorCode code = wire::error_code_from(result.error_code);
    if (code != wire::ErrorCode::NONE)
      co_return Err(broker_failure(what, code, result.error_message.value_or(""), missing_target_hint(target.type, code)));
    values.insert(values.end(), result.configs.begin(), result.configs.end());
  }
  std::ranges::sort(values, {}, &Value::name);
  co_return values;
}

io::Task<Outcome<std::vector<ConfigTarget>>> all_targets(Session* session, std::optional<std::int8_t> type) {
  auto connection = co_await session->cluster().any();
  if (connection.failed()) co_return Err(client_failure("cannot list what has a configuration", connection.error()));
  wire::ListConfigResourcesRequest request;
  if (type) request.resource_types = {*type};
  client::CallOptions call;
  call.min_version = 1;  // the first that lists more than client metrics (KIP-1142)
  auto response = co_await (*connection)->call<wire::ListConfigResourcesApi>(std::move(request), call);
  if (response.failed()) co_return Err(client_failure("cannot list what has a configuration", response.error()));
  wire::ErrorCode code = wire::error_code_from(response->error_code);
  if (code != wire::ErrorCode::NONE) co_return Err(broker_failure("cannot list what has a configuration", code, ""));
  std::vector<ConfigTarget> targets;
  for (const auto& resource : response->config_resources)
    targets.push_back({resource.resource_type, resource.resource_name});
  std::ranges::sort(targets, {}, [](const ConfigTarget& target) { return std::tie(target.type, target.name); });
  co_return targets;
}

io::Task<Outcome<std::vector<ConfigTarget>>> chosen_targets(Session* session, const ConfigOptions* options) {
  if (options->names.empty()) co_return co_await all_targets(session, parse_config_type(options->type));
  std::vector<ConfigTarget> targets;
  for (const std::string& name : options->names) {
    auto target = parse_config_target(options->type, name);
    if (target.failed()) co_return Err(usage(target.error(), "milena config describe --help"));
    targets.push_back(std::move(*target));
  }
  co_return targets;
}

}  // namespace

io::Task<client::ClientResult<client::ConnectionPtr>> connection_for(Session* session, ConfigTarget target) {
  bool broker = target.type == static_cast<std::int8_t>(image::ResourceType::kBroker);
  bool logger = target.type == static_cast<std::int8_t>(image::ResourceType::kBrokerLogger);
  if ((!broker && !logger) || target.name.empty()) co_return co_await session->cluster().any();
  std::optional<std::vector<std::string>> no_topics(std::in_place);
  auto metadata = co_await session->cluster().fetch_metadata(std::move(no_topics));
  if (metadata.failed()) co_return Err(std::move(metadata.error()));
  std::int32_t id = -1;
  auto [end, error] = std::from_chars(target.name.data(), target.name.data() + target.name.size(), id);
  if (error != std::errc()) id = -1;
  co_return co_await session->cluster().broker(BrokerId(id));
}

io::Task<int> list_configs(Session* session, ConfigOptions options) {
  std::optional<std::int8_t> type;
  if (!options.type.empty()) type = parse_config_type(options.type);
  auto targets = co_await all_targets(session, type);
  if (targets.failed()) co_return session->fail(targets.error());
  std::vector<Json> rows;
  for (const ConfigTarget& target : *targets) {
    Json row;
    row["resource"] = typed_name(target);
    row["resource_type"] = config_type_name(target.type);
    rows.push_back(std::move(row));
  }
  session->context().print({{"NAME", "resource"}, {"TYPE", "resource_type"}}, rows);
  co_return 0;
}

io::Task<int> describe_configs(Session* session, ConfigOptions options) {
  auto targets = co_await chosen_targets(session, &options);
  if (targets.failed()) co_return session->fail(targets.error());
  Context& context = session->context();
  bool table = context.format() <= OutputFormat::kWide;
  const std::vector<Column> columns{{"KEY", "key"}, {"VALUE", "value"}, {"SOURCE", "source"}, {"TYPE", "type", true},
                                    {"READ-ONLY", "read_only", true}};
  std::vector<Json> all;
  bool first = true;
  for (const ConfigTarget& target : *targets) {
    ConfigTarget asked = target;
    std::vector<std::string> every_key;
    auto values = co_await values_of(session, std::move(asked), std::move(every_key));
    if (values.failed()) co_return session->fail(values.error());
    std::vector<Json> rows;
    for (const Value& value : *values)
      if (options.all || value.config_source != kDefaultSource) rows.push_back(row_of(target, value));
    if (!table) {
      all.insert(all.end(), rows.begin(), rows.end());
      continue;
    }
    std::string title = said(target);
    context.terminal.out(fmt::format("{}{}{}\n", std::exchange(first, false) ? "" : "\n", title,
                                     rows.empty() ? ": nothing is set" : ""));
    if (!rows.empty()) context.print(columns, rows);
  }
  if (!table) context.print(columns, all);
  co_return 0;
}

io::Task<int> get_configs(Session* session, ConfigOptions options) {
  auto target = parse_config_target(options.type, options.name);
  if (target.failed()) co_return session->fail(usage(target.error(), "milena config get --help"));
  ConfigTarget asked = *target;
  std::vector<std::string> keys = options.keys;
  auto values = co_await values_of(session, std::move(asked), std::move(keys));
  if (values.failed()) co_return session->fail(values.error());
  std::vector<Json> rows;
  for (const std::string& key : options.keys) {
    auto found = std::ranges::find(*values, key, &Value::name);
    if (found == values->end())
      co_return session->fail({Exit::kNotFound, fmt::format("{} has no '{}'", said(*target), key), {},
                               config_key_hint(target->type, options.keys)});
    rows.push_back(row_of(*target, *found));
  }
  if (session->context().format() > OutputFormat::kWide) {
    session->context().print({{"KEY", "key"}}, rows);
    co_return 0;
  }
  for (const Json& row : rows)
    session->context().terminal.out((row["value"].is_string() ? row["value"].get<std::string>() : "") + "\n");
  co_return 0;
}

}  // namespace milena::cli
