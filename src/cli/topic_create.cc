// milena topic create, delete, alter: what changes topics.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/name_filter.h"
#include "cli/suggest.h"
#include "cli/topic.h"
#include "config/key.h"
#include "wire/apis/create_partitions.h"
#include "wire/apis/create_topics.h"
#include "wire/apis/delete_topics.h"
#include "wire/apis/incremental_alter_configs.h"

namespace milena::cli {
namespace {

constexpr std::int8_t kTopicResource = 2;

// The most telling exit code of several: the first that is not 0.
void note(int& exit, int code) {
  if (exit == 0) exit = code;
}

// For a configuration that was refused: a key that no topic has, and what may have been meant.
std::string config_hint(const std::vector<std::string>& given) {
  std::vector<std::string> known;
  for (const config::Key& key : config::keys(config::Scope::kTopic)) known.emplace_back(key.name);
  for (const std::string& key : given)
    if (std::find(known.begin(), known.end(), key) == known.end())
      return fmt::format("there is no '{}'{}; docs/configuration.md lists all", key,
                         did_you_mean(key, known));
  return "docs/configuration.md lists the keys of topics and their values";
}

std::vector<std::string> config_keys(const std::vector<std::string>& configs) {
  std::vector<std::string> keys;
  for (const std::string& text : configs)
    if (auto change = parse_config_change(text); change.has_value()) keys.push_back(change->key);
  return keys;
}

std::string create_hint(wire::ErrorCode code, const std::string& name, const TopicOptions& options) {
  switch (code) {
    case wire::ErrorCode::TOPIC_ALREADY_EXISTS:
      return fmt::format("milena topic describe {}; or add --if-not-exists", name);
    case wire::ErrorCode::INVALID_REPLICATION_FACTOR:
      return "give at most as many replicas (-r) as there are brokers";
    case wire::ErrorCode::INVALID_TOPIC_EXCEPTION:
      return "use letters, digits, '.', '_' and '-', at most 249 of them";
    case wire::ErrorCode::INVALID_CONFIG:
      return config_hint(config_keys(options.configs));
    default:
      return {};
  }
}

}  // namespace

io::Task<int> create_topics(Session* session, TopicOptions options) {
  wire::CreateTopicsRequest request;
  request.timeout_ms = session->timeout_ms();
  request.validate_only = options.dry_run;
  for (const std::string& name : options.names) {
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    topic.num_partitions = options.partitions;
    topic.replication_factor = static_cast<std::int16_t>(options.replication_factor);
    for (const std::string& text : options.configs) {
      auto change = parse_config_change(text);
      if (change.failed())
        co_return session->fail(usage("wrong -c: " + change.error(), "write -c retention.ms=3600000"));
      if (change->operation != ConfigChange::Operation::kSet)
        co_return session->fail(usage("wrong -c: a new topic has no list to change", "write key=value"));
      auto& config = topic.configs.emplace_back();
      config.name = change->key;
      config.value = change->value;
    }
  }
  auto connection = co_await session->cluster().any();
  if (connection.failed()) co_return session->fail("cannot create topics", connection.error());
  client::CallOptions call;
  bool defaults = options.partitions < 0 || options.replication_factor < 0;
  call.min_version = defaults ? 4 : 1;  // -1, the server's default, is understood from version 4 on (KIP-464)
  auto response = co_await (*connection)->call<wire::CreateTopicsApi>(std::move(request), call);
  if (response.failed()) co_return session->fail("cannot create topics", response.error());

  int exit = 0;
  std::vector<Json> rows;
  for (const auto& topic : response->topics) {
    wire::ErrorCode code = wire::error_code_from(topic.error_code);
    if (code == wire::ErrorCode::TOPIC_ALREADY_EXISTS && options.if_not_exists) {
      session->context().terminal.talk(fmt::format("topic '{}' exists already\n", topic.name));
    } else if (code != wire::ErrorCode::NONE) {
      note(exit, session->fail(broker_failure(fmt::format("cannot create topic '{}'", topic.name), code,
                                              topic.error_message.value_or(""),
                                              create_hint(code, topic.name, options))));
    } else {
      Json row;
      row["name"] = topic.name;
      if (topic.num_partitions >= 0) row["partitions"] = topic.num_partitions;
      if (topic.replication_factor >= 0) row["replication_factor"] = topic.replication_factor;
      if (!topic.topic_id.is_zero() && !options.dry_run) row["topic_id"] = topic.topic_id.to_string();
      rows.push_back(std::move(row));
    }
  }
  std::vector<Column> columns{
      {"NAME", "name"}, {"PARTITIONS", "partitions"}, {"REPLICAS", "replication_factor"}, {"ID", "topic_id"}};
  if (!rows.empty() || exit == 0) session->context().print(columns, rows);
  if (!rows.empty() && options.dry_run)
    session->context().terminal.talk(exit == 0 ? "dry run: it would work, nothing was created\n"
                                               : "dry run: nothing was created\n");
  co_return exit;
}

io::Task<int> check_topics(Session* session, TopicOptions options) {
  auto topics = co_await select_topics(session, std::move(options));
  co_return topics.failed() ? session->fail(topics.error()) : 0;
}

namespace {

// The names to delete: as given, or those that the patterns match. Empty: nothing to do.
io::Task<Outcome<std::vector<std::string>>> names_to_delete(Session* session, TopicOptions options) {
  if (!options.regex) co_return options.names;
  TopicOptions selection = options;
  auto topics = co_await select_topics(session, std::move(selection));
  if (topics.failed()) co_return Err(std::move(topics.error()));
  std::vector<std::string> names;
  for (const auto& topic : *topics) names.push_back(topic.name.value_or(""));
  if (names.empty() && !options.if_exists)
    co_return Err(Failure{Exit::kNotFound, "no topic matches", {}, "milena topic list"});
  if (!options.yes && !names.empty()) {
    std::string list;
    for (const std::string& name : names) list += "\n  " + name;
    co_return Err(usage(fmt::format("{} topics match and would be deleted:{}", names.size(), list),
                        "add --yes if you mean all of them"));
  }
  co_return names;
}

}  // namespace

io::Task<int> delete_topics(Session* session, TopicOptions options) {
  TopicOptions selection = options;
  auto names = co_await names_to_delete(session, std::move(selection));
  if (names.failed()) co_return session->fail(names.error());
  if (names->empty()) co_return 0;
  auto connection = co_await session->cluster().any();
  if (connection.failed()) co_return session->fail("cannot delete topics", connection.error());
  wire::DeleteTopicsRequest request;
  request.timeout_ms = session->timeout_ms();
  request.topic_names = *names;
  for (const std::string& name : *names) request.topics.emplace_back().name = name;
  auto response = co_await (*connection)->call<wire::DeleteTopicsApi>(std::move(request));
  if (response.failed()) co_return session->fail("cannot delete topics", response.error());
  int exit = 0;
  std::vector<Json> rows;
  for (const auto& topic : response->responses) {
    wire::ErrorCode code = wire::error_code_from(topic.error_code);
    std::string name = topic.name.value_or("");
    if (code == wire::ErrorCode::NONE) {
      Json row;
      row["name"] = name;
      row["deleted"] = true;
      rows.push_back(std::move(row));
    } else if (code == wire::ErrorCode::UNKNOWN_TOPIC_OR_PARTITION && options.if_exists) {
      session->context().terminal.talk(fmt::format("topic '{}' does not exist\n", name));
    } else {
      std::string next = code == wire::ErrorCode::UNKNOWN_TOPIC_OR_PARTITION ? "milena topic list" : "";
      note(exit, session->fail(broker_failure(fmt::format("cannot delete topic '{}'", name), code,
                                              topic.error_message.value_or(""), next)));
    }
  }
  std::vector<Column> columns{{"NAME", "name"}, {"DELETED", "deleted"}};
  if (!rows.empty()) session->context().print(columns, rows);
  co_return exit;
}

namespace {

io::Task<int> add_partitions(Session* session, TopicOptions options) {
  auto connection = co_await session->cluster().any();
  if (connection.failed()) co_return session->fail("cannot add partitions", connection.error());
  wire::CreatePartitionsRequest request;
  request.timeout_ms = session->timeout_ms();
  request.validate_only = options.dry_run;
  for (const std::string& name : options.names) {
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    topic.count = options.partitions;
    topic.assignments.reset();
  }
  auto response = co_await (*connection)->call<wire::CreatePartitionsApi>(std::move(request));
  if (response.failed()) co_return session->fail("cannot add partitions", response.error());
  int exit = 0;
  for (const auto& result : response->results) {
    if (result.error_code == 0) continue;
    wire::ErrorCode code = wire::error_code_from(result.error_code);
    std::string next = exit_of(code) == Exit::kNotFound ? "milena topic list" : "";
    if (code == wire::ErrorCode::INVALID_PARTITIONS)
      next = fmt::format("give more partitions than it has: milena topic describe {}", result.name);
    note(exit, session->fail(broker_failure(
                   fmt::format("cannot give topic '{}' {} partitions", result.name, options.partitions), code,
                   result.error_message.value_or(""), next)));
  }
  co_return exit;
}

Result<std::vector<ConfigChange>, std::string> all_changes(const TopicOptions& options) {
  std::vector<ConfigChange> changes;
  for (const std::string& text : options.configs) {
    TRY_ASSIGN(ConfigChange change, parse_config_change(text));
    changes.push_back(std::move(change));
  }
  for (const std::string& key : options.deleted_configs)
    changes.push_back({key, ConfigChange::Operation::kDelete, {}});
  return changes;
}

io::Task<int> change_configs(Session* session, TopicOptions options, std::vector<ConfigChange> changes) {
  auto connection = co_await session->cluster().any();
  if (connection.failed()) co_return session->fail("cannot change the configuration", connection.error());
  wire::IncrementalAlterConfigsRequest request;
  request.validate_only = options.dry_run;
  for (const std::string& name : options.names) {
    auto& resource = request.resources.emplace_back();
    resource.resource_type = kTopicResource;
    resource.resource_name = name;
    resource.configs.reserve(changes.size());
    for (const ConfigChange& change : changes) {
      auto& config = resource.configs.emplace_back();
      config.name = change.key;
      config.config_operation = static_cast<std::int8_t>(change.operation);
      config.value = change.value;
      if (change.operation == ConfigChange::Operation::kDelete) config.value.reset();
    }
  }
  auto response = co_await (*connection)->call<wire::IncrementalAlterConfigsApi>(std::move(request));
  if (response.failed()) co_return session->fail("cannot change the configuration", response.error());
  int exit = 0;
  std::vector<std::string> keys;
  keys.reserve(changes.size());
  for (const ConfigChange& change : changes) keys.push_back(change.key);
  for (const auto& result : response->responses) {
    if (result.error_code == 0) continue;
    wire::ErrorCode code = wire::error_code_from(result.error_code);
    std::string next = exit_of(code) == Exit::kNotFound ? "milena topic list" : "";
    bool refused = code == wire::ErrorCode::INVALID_CONFIG || code == wire::ErrorCode::INVALID_REQUEST;
    if (refused) next = config_hint(keys);
    note(exit, session->fail(broker_failure(
                   fmt::format("cannot change the configuration of topic '{}'", result.resource_name), code,
                   result.error_message.value_or(""), next)));
  }
  co_return exit;
}

}  // namespace

io::Task<int> alter_topics(Session* session, TopicOptions options) {
  auto changes = all_changes(options);
  if (changes.failed())
    co_return session->fail(usage("wrong -c: " + changes.error(), "write -c retention.ms=3600000"));
  if (changes->empty() && options.partitions < 0)
    co_return session->fail(usage("nothing to change", "give -c key=value, -d key or -p N"));
  int exit = 0;
  if (!changes->empty()) {
    TopicOptions copy = options;
    exit = co_await change_configs(session, std::move(copy), std::move(*changes));
  }
  if (options.partitions > 0 && exit == 0) {
    TopicOptions copy = options;
    exit = co_await add_partitions(session, std::move(copy));
  }
  if (exit != 0) co_return exit;
  std::vector<Json> rows;
  for (const std::string& name : options.names) {
    Json row;
    row["name"] = name;
    row["altered"] = !options.dry_run;
    rows.push_back(std::move(row));
  }
  std::vector<Column> columns{{"NAME", "name"}, {"ALTERED", "altered"}};
  session->context().print(columns, rows);
  co_return 0;
}

}  // namespace milena::cli
