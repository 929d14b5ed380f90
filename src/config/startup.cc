#include "config/startup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "config/listeners.h"
#include "config/own_keys.h"
#include "config/status.h"

namespace milena::config {
namespace {

// Levenshtein's distance; `limit` where it is not below that.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    std::size_t least = row[0];
    for (std::size_t j = 0; j < b.size(); ++j) {
      std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, replaced});
      least = std::min(least, row[j + 1]);
    }
    if (least >= limit) return limit;  // the rows below hold nothing less
  }
  return std::min(row[b.size()], limit);
}

// Keys that are read by name elsewhere: provider parameters, and what Java's authorizers are told.
bool is_known_by_prefix(std::string_view name) {
  return name.starts_with("config.providers.") || is_own_key(name) || name == "super.users" ||
         name == "allow.everyone.if.no.acl.found";
}

std::string unknown_keys(const KafkaConfig& config) {
  std::vector<std::string> names;
  for (const auto& [name, setting] : config.settings()) {
    if (find_broker_key(name) != nullptr || is_known_by_prefix(name)) continue;
    std::string meant = suggest_key(name);
    names.push_back(meant.empty() ? name : fmt::format("{} (did you mean {}?)", name, meant));
  }
  if (names.empty()) return "";
  return fmt::format("Unknown configuration keys are ignored: {}", fmt::join(names, ", "));
}

bool is_reporter(std::string_view name) {
  return name == "metric.reporters" || name == "kafka.metrics.reporters";
}

bool differs_from_default(const KafkaConfig& config, const Key& key) {
  auto at = config.settings().find(std::string(key.name));
  bool own = at != config.settings().end() && at->second.source.empty();  // the program's, nobody wrote it
  return !own && config.is_set(key.name) && config.value(key.name) != default_value(key);
}

std::string keys_without_effect(const KafkaConfig& config) {
  std::vector<std::string_view> names;
  for (const Key& key : keys(Scope::kBroker)) {
    if (is_reporter(key.name) || !differs_from_default(config, key)) continue;
    if (key_status(Scope::kBroker, key.name).status == Status::kNoEffectYet) names.push_back(key.name);
  }
  if (names.empty()) return "";
  return fmt::format("Configuration keys without effect yet: {}", fmt::join(names, ", "));
}

std::string source_of(const KafkaConfig& config, const std::string& key) {
  auto at = config.settings().find(key);
  return at == config.settings().end() ? "" : at->second.source;
}

std::string setting(const KafkaConfig& config, const std::string& key) {
  auto at = config.settings().find(key);
  return at == config.settings().end() ? "" : std::string(trim(at->second.value));
}

// An authorizer may be left out where it would let an unauthenticated client do everything.
bool anonymous_is_super_user(const KafkaConfig& config) {
  std::string users = setting(config, "super.users");  // separated by ;
  while (!users.empty()) {
    std::size_t end = std::min(users.find(';'), users.size());
    if (trim(std::string_view(users).substr(0, end)) == "User:ANONYMOUS") return true;
    users.erase(0, std::min(end + 1, users.size()));
  }
  return false;
}

bool authorizer_is_harmless(const KafkaConfig& config) {
  return anonymous_is_super_user(config) || setting(config, "allow.everyone.if.no.acl.found") == "true";
}

void refuse_roles(const KafkaConfig& config, ConfigErrors& refusals) {
  const std::vector<std::string>& roles = config.list("process.roles");
  for (std::string_view role : {"broker", "controller"}) {
    if (std::ranges::find(roles, role) != roles.end()) continue;
    refusals.push_back({"process.roles",
                        fmt::format("process.roles={}: the role {} is missing, and a node without it needs other "
                                    "nodes, which is not possible yet; use broker,controller",
                                    fmt::join(roles, ","), role),
                        source_of(config, "process.roles")});
  }
}

// listener.name.<listener>.<key>
void refuse_of_listener(const std::string& name, const std::string& value, const std::string& source,
                        ConfigErrors& refusals) {
  const Key* key = find_broker_key(name);
  if (key == nullptr || key->name == name) return;
  KeyStatus status = key_status(Scope::kBroker, key->name);
  if (status.status != Status::kRefused) return;
  refusals.push_back({name, fmt::format("{}={}: {}", name, value, status.note), source});
}

void refuse_listeners(const KafkaConfig& config, ConfigErrors& refusals) {
  auto listeners = read_listeners(config);
  if (listeners.failed()) return;  // server_config() reports it
  std::vector<Listener> all = listeners->bind;
  for (const Listener& listener : all) {
    if (listener.protocol == SecurityProtocol::kPlaintext) continue;
    refusals.push_back(
        {"listeners",
         fmt::format("listeners: {} uses {}, and only PLAINTEXT is there yet; map {} to PLAINTEXT in "
                     "listener.security.protocol.map or remove the listener",
                     listener.name, protocol_name(listener.protocol), listener.name),
         source_of(config, "listeners")});
  }
  if (listeners->controller_protocol != SecurityProtocol::kPlaintext &&
      listeners->advertised_controller.empty()) {
    refusals.push_back(
        {"controller.listener.names",
         fmt::format("controller.listener.names: controllers are reached with {}, and only PLAINTEXT is "
                     "there yet; map {} to PLAINTEXT in listener.security.protocol.map",
                     protocol_name(listeners->controller_protocol), listeners->controller_names.front()),
         source_of(config, "controller.listener.names")});
  }
}

}  // namespace

std::string suggest_key(std::string_view name) {
  if (auto synonyms = topic_synonyms(name); !synonyms.empty())
    return std::string(synonyms.front().broker_key);
  std::string_view best;
  std::size_t best_distance = 3;
  for (const Key& key : keys(Scope::kBroker)) {
    std::size_t longer = std::max(key.name.size(), name.size());
    if (longer - std::min(key.name.size(), name.size()) >= best_distance) continue;
    std::size_t distance = edit_distance(key.name, name, best_distance);
    if (distance >= best_distance) continue;
    best = key.name;
    best_distance = distance;
  }
  for (const OwnKey& key : own_keys()) {
    std::size_t distance = edit_distance(key.name, name, best_distance);
    if (distance >= best_distance) continue;
    best = key.name;
    best_distance = distance;
  }
  return std::string(best);
}

std::vector<std::string> startup_warnings(const KafkaConfig& config) {
  std::vector<std::string> warnings;
  for (std::string warning : {unknown_keys(config), keys_without_effect(config)}) {
    if (!warning.empty()) warnings.push_back(std::move(warning));
  }
  for (const Key& key : keys(Scope::kBroker)) {
    if (!is_reporter(key.name) || !differs_from_default(config, key)) continue;
    warnings.push_back(fmt::format("{} is ignored: {}", key.name, key_status(Scope::kBroker, key.name).note));
  }
  std::int64_t heartbeat = config.integer("broker.heartbeat.interval.ms");
  std::int64_t session = config.integer("broker.session.timeout.ms");
  if (heartbeat > session / 2) {
    warnings.push_back(
        fmt::format("broker.heartbeat.interval.ms ({} ms) should be at most half of "
                    "broker.session.timeout.ms ({} ms), or brokers are fenced for one lost heartbeat",
                    heartbeat, session));
  }
  std::int64_t replicas = config.integer("offsets.topic.replication.factor");
  if (replicas > 1) {
    warnings.push_back(fmt::format(
        "offsets.topic.replication.factor={} needs as many brokers, and this version runs one: until "
        "__consumer_offsets exists, consumer groups find no coordinator; set it to 1",
        replicas));
  }
  return warnings;
}

std::string dynamic_keys_without_effect(const KafkaConfig& before, const KafkaConfig& now) {
  std::vector<std::string> names;
  auto compare = [&](const Properties& old_values, const Properties& new_values) {
    for (const auto& [name, value] : new_values) {
      auto old = old_values.find(name);
      const Key* key = find_broker_key(name);
      bool same = old != old_values.end() && old->second == value;
      if (same || key == nullptr) continue;
      bool for_listener = key->name == "max.connections" || key->name == "max.connection.creation.rate";
      if (follows_changes(key->name) && (key->name == name || for_listener)) continue;
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    }
  };
  compare(before.dynamic_all_brokers(), now.dynamic_all_brokers());
  compare(before.dynamic_this_broker(), now.dynamic_this_broker());
  if (names.empty()) return "";
  return fmt::format("Dynamic configuration keys without effect: {}", fmt::join(names, ", "));
}

ConfigErrors startup_refusals(const KafkaConfig& config) {
  ConfigErrors refusals;
  for (const Key& key : keys(Scope::kBroker)) {
    KeyStatus status = key_status(Scope::kBroker, key.name);
    if (status.status != Status::kRefused || config.value(key.name) == default_value(key)) continue;
    if (key.name == "authorizer.class.name" && authorizer_is_harmless(config)) continue;
    std::string name(key.name);
    refusals.push_back({name, fmt::format("{}={}: {}", name, format_value(config.value(name)), status.note),
                        source_of(config, name)});
  }
  for (const auto& [name, given] : config.settings()) refuse_of_listener(name, given.value, given.source, refusals);
  for (const Properties* layer : {&config.dynamic_all_brokers(), &config.dynamic_this_broker()}) {
    for (const auto& [name, value] : *layer) refuse_of_listener(name, value, "", refusals);
  }
  refuse_roles(config, refusals);
  refuse_listeners(config, refusals);
  if (std::size_t voters = config.list("controller.quorum.voters").size(); voters > 1) {
    refusals.push_back(
        {"controller.quorum.voters",
         fmt::format("controller.quorum.voters names {} voters, and only one is possible yet; keep this "
                     "node's own entry only if it is to be a cluster of its own",
                     voters),
         source_of(config, "controller.quorum.voters")});
  }
  return refusals;
}

bool must_have_no_acls(const KafkaConfig& config) {
  return !config.text("authorizer.class.name").empty() && !anonymous_is_super_user(config);
}

}  // namespace milena::config
