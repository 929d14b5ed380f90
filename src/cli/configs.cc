// The command line of `milena config`, and the names of what has a configuration.
#include "cli/configs.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "cli/checks.h"
#include "cli/session_verb.h"
#include "cli/suggest.h"
#include "cli/verbs.h"
#include "config/key.h"
#include "image/image.h"

namespace milena::cli {
namespace {

using image::ResourceType;

struct TypeName {
  const char* word;
  const char* plural;
  ResourceType type;
};
constexpr TypeName kTypes[] = {{"topic", "topics", ResourceType::kTopic},
                               {"broker", "brokers", ResourceType::kBroker},
                               {"broker-logger", "broker-loggers", ResourceType::kBrokerLogger},
                               {"group", "groups", ResourceType::kGroup},
                               {"client-metrics", "client-metric", ResourceType::kClientMetrics}};

constexpr const char* kSources[] = {"unknown",        "topic",   "broker",        "all brokers",    "file",
                                    "default",        "logger",  "client metrics", "group"};

void add_target(CLI::App& app, ConfigOptions& options) {
  app.add_option("type", options.type, "what it is the configuration of")
      ->required()
      ->check(one_of(config_type_names()))
      ->type_name("TYPE");
  app.add_option("name", options.name, "its name; of a broker the id, or default: what holds for all brokers")
      ->required()
      ->type_name("NAME");
}

void add_list(CLI::App& config, Context& context) {
  auto options = std::make_shared<ConfigOptions>();
  CLI::App& app = add_session_verb(config, context, "list", "List what has a configuration", options, list_configs);
  app.alias("ls");
  app.add_option("type", options->type, "only of this type")->check(one_of(config_type_names()))->type_name("TYPE");
  app.footer("Examples:\n  milena config list\n  milena config list client-metrics -o name");
}

void add_describe(CLI::App& config, Context& context) {
  auto options = std::make_shared<ConfigOptions>();
  CLI::App& app = add_session_verb(config, context, "describe", "Show values and where they come from", options,
                                   describe_configs);
  app.add_option("type", options->type, "what it is the configuration of")
      ->required()
      ->check(one_of(config_type_names()))
      ->type_name("TYPE");
  app.add_option("names", options->names, "names (default: all there are)")->type_name("NAME");
  app.add_flag("-a,--all", options->all, "those too that nobody set: defaults");
  app.footer(R"(Examples:
  milena config describe topic orders
  milena config describe broker 1 --all
  milena config describe broker default
  milena config describe topic -o json | jq '.[] | select(.key == "retention.ms")')");
}

void add_get(CLI::App& config, Context& context) {
  auto options = std::make_shared<ConfigOptions>();
  CLI::App& app = add_session_verb(config, context, "get", "Print values, one a line", options, get_configs);
  add_target(app, *options);
  app.add_option("keys", options->keys, "keys")->required()->type_name("KEY");
  app.footer(R"(Examples:
  milena config get topic orders retention.ms
  milena config get broker 1 log.dirs num.io.threads)");
}

void add_set(CLI::App& config, Context& context) {
  auto options = std::make_shared<ConfigOptions>();
  CLI::App& app = add_session_verb(config, context, "set", "Set values; nothing else changes", options, set_configs);
  add_target(app, *options);
  app.add_option("values", options->keys, "key=value; for lists key+=value and key-=value")
      ->required()
      ->type_name("KEY=VALUE");
  app.add_flag("--dry-run", options->dry_run, "ask the server whether it would work, change nothing");
  app.footer(R"(Examples:
  milena config set topic orders retention.ms=3600000 cleanup.policy+=compact
  milena config set broker default log.retention.ms=86400000
  milena config set broker 1 num.io.threads=16 --dry-run
  milena config set client-metrics basic interval.ms=30000 metrics=org.apache.kafka.producer.)");
}

void add_delete(CLI::App& config, Context& context) {
  auto options = std::make_shared<ConfigOptions>();
  CLI::App& app = add_session_verb(config, context, "delete", "Take values back, so that the default holds again",
                                   options, delete_configs);
  app.alias("unset");
  add_target(app, *options);
  app.add_option("keys", options->keys, "keys (or --all)")->type_name("KEY");
  app.add_flag("-a,--all", options->all, "every key that is set on it");
  app.add_flag("--dry-run", options->dry_run, "ask the server whether it would work, change nothing");
  app.footer(R"(Examples:
  milena config delete topic orders retention.ms
  milena config delete client-metrics basic --all)");
}

}  // namespace

std::vector<std::string> config_type_names() {
  std::vector<std::string> words;
  for (const TypeName& type : kTypes) words.emplace_back(type.word);
  return words;
}

std::optional<std::int8_t> parse_config_type(std::string_view word) {
  for (const TypeName& type : kTypes)
    if (word == type.word || word == type.plural) return static_cast<std::int8_t>(type.type);
  return std::nullopt;
}

std::string config_type_name(std::int8_t type) {
  for (const TypeName& known : kTypes)
    if (static_cast<std::int8_t>(known.type) == type) return known.word;
  return fmt::format("type {}", type);
}

std::string said(const ConfigTarget& target) {
  bool broker = target.type == static_cast<std::int8_t>(ResourceType::kBroker);
  if (broker && target.name.empty()) return "the brokers' default";
  if (broker) return "broker " + target.name;
  return fmt::format("{} '{}'", config_type_name(target.type), target.name);
}

std::string typed_name(const ConfigTarget& target) {
  bool broker = target.type == static_cast<std::int8_t>(ResourceType::kBroker);
  return broker && target.name.empty() ? "default" : target.name;
}

Result<ConfigTarget, std::string> parse_config_target(std::string_view type, std::string_view name) {
  auto number = parse_config_type(type);
  if (!number) return Err("there is no type '" + std::string(type) + "'");
  ConfigTarget target{*number, std::string(name)};
  bool broker = *number == static_cast<std::int8_t>(ResourceType::kBroker);
  bool logger = *number == static_cast<std::int8_t>(ResourceType::kBrokerLogger);
  if (broker && name == "default") target.name.clear();
  else if ((broker || logger) && (name.empty() || !std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; })))
    return Err(fmt::format("'{}' is no broker: give its id{}", name, broker ? ", or default for all brokers" : ""));
  else if (name.empty()) return Err("the name is empty");
  return target;
}

std::string config_source_name(std::int8_t source) {
  auto index = static_cast<std::size_t>(source);
  return source < 0 || index >= std::size(kSources) ? kSources[0] : kSources[index];
}

std::string missing_target_hint(std::int8_t type, wire::ErrorCode code) {
  if (type == static_cast<std::int8_t>(ResourceType::kTopic) && exit_of(code) == Exit::kNotFound)
    return "milena topic list; or milena topic create NAME";
  return "milena config list shows what has a configuration";
}

std::string config_key_hint(std::int8_t type, const std::vector<std::string>& keys) {
  config::Scope scope = config::Scope::kBroker;
  if (type == static_cast<std::int8_t>(ResourceType::kTopic)) scope = config::Scope::kTopic;
  if (type == static_cast<std::int8_t>(ResourceType::kGroup)) scope = config::Scope::kGroup;
  if (type == static_cast<std::int8_t>(ResourceType::kClientMetrics)) scope = config::Scope::kClientMetrics;
  std::vector<std::string> known;
  for (const config::Key& key : config::keys(scope)) known.emplace_back(key.name);
  for (const std::string& key : keys)
    if (std::ranges::find(known, key) == known.end() && config::find_broker_key(key) == nullptr)
      return fmt::format("there is no '{}'{}; docs/configuration.md lists all", key, did_you_mean(key, known));
  return "docs/configuration.md lists the keys, their values, and which may change while a node runs";
}

void add_config_verbs(CLI::App& root, Context& context) {
  CLI::App& config = *root.add_subcommand("config", "Show and change configurations of topics, brokers, groups");
  config.alias("configs");
  config.require_subcommand(1);
  config.footer("'milena config VERB --help' explains a verb with examples.");
  add_list(config, context);
  add_describe(config, context);
  add_get(config, context);
  add_set(config, context);
  add_delete(config, context);
}

}  // namespace milena::cli
