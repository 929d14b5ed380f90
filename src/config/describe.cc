#include "config/describe.h"

#include <algorithm>

#include "config/log_config.h"

namespace milena::config {
namespace {

bool wanted(const KeyFilter& filter, std::string_view name) {
  return !filter || std::ranges::find(*filter, name) != filter->end();
}

std::int8_t type_id(Type type) {
  switch (type) {
    case Type::kBoolean:
      return 1;
    case Type::kString:
      return 2;
    case Type::kInt:
      return 3;
    case Type::kShort:
      return 4;
    case Type::kLong:
      return 5;
    case Type::kDouble:
      return 6;
    case Type::kList:
      return 7;
    case Type::kClass:
      return 8;
    case Type::kPassword:
      return 9;
  }
  return 0;
}

std::optional<std::string> shown(const Value& value, bool sensitive) {
  if (sensitive || std::holds_alternative<std::monostate>(value)) return std::nullopt;
  return format_value(value);
}

ConfigEntry entry_of(const Key& key, const Value& value) {
  ConfigEntry entry;
  entry.name = key.name;
  entry.value = shown(value, key.sensitive());
  entry.sensitive = key.sensitive();
  entry.type = type_id(key.type);
  entry.documentation = key.description;
  return entry;
}

// The key for one listener is backed by the key for all of them.
std::vector<std::string_view> synonym_names(std::string_view name) {
  if (auto names = broker_synonyms(name); !names.empty()) return {names.begin(), names.end()};
  const Key* key = find_broker_key(name);
  if (key != nullptr && key->name != name) return {name, key->name};
  return {name};
}

// The layers under broker key `name`, the one in force first. What stands above the key itself is dropped, so
// that a key is never said to come from one with another name.
std::vector<ConfigSynonym> broker_layers(const KafkaConfig& broker, std::string_view name, bool sensitive) {
  std::vector<ConfigSynonym> layers;
  auto add = [&](std::string_view key, const std::string& value, ConfigSource source) {
    layers.push_back({std::string(key), sensitive ? std::nullopt : std::optional(value), source});
  };
  std::vector<std::string_view> names = synonym_names(name);
  for (std::string_view key : names) {
    auto at = broker.dynamic_this_broker().find(std::string(key));
    if (at != broker.dynamic_this_broker().end()) add(key, at->second, ConfigSource::kDynamicBroker);
  }
  for (std::string_view key : names) {
    auto at = broker.dynamic_all_brokers().find(std::string(key));
    if (at != broker.dynamic_all_brokers().end()) add(key, at->second, ConfigSource::kDynamicDefaultBroker);
  }
  for (std::string_view key : names) {
    auto at = broker.settings().find(std::string(key));
    if (at != broker.settings().end()) add(key, at->second.value, ConfigSource::kStaticBroker);
  }
  for (std::string_view key : names) {
    const Key* known = find_key(Scope::kBroker, key);
    if (known == nullptr || known->default_value.kind != Default::Kind::kValue) continue;
    add(key, format_value(default_value(*known)), ConfigSource::kDefault);
  }
  auto own = std::ranges::find(layers, name, &ConfigSynonym::name);
  layers.erase(layers.begin(), own);
  return layers;
}

ConfigEntry broker_entry(const KafkaConfig& broker, std::string_view name, std::optional<std::string> raw) {
  const Key* key = find_key(Scope::kBroker, name);
  if (key != nullptr) {
    ConfigEntry entry = entry_of(*key, broker.value(name));
    entry.read_only = key->update == Update::kReadOnly;
    entry.synonyms = broker_layers(broker, name, key->sensitive());
    return entry;
  }
  ConfigEntry entry;
  const Key* base = find_broker_key(name);  // a listener's own key, a dynamic one, or nullptr
  entry.name = name;
  entry.sensitive = base == nullptr || base->sensitive();
  if (!entry.sensitive) entry.value = std::move(raw);
  if (base != nullptr) entry.type = type_id(base->type);
  if (base != nullptr) entry.documentation = base->description;
  entry.read_only = base == nullptr || base->name != name || base->update == Update::kReadOnly;
  entry.synonyms = broker_layers(broker, name, entry.sensitive);
  return entry;
}

void set_source(ConfigEntry& entry) {
  entry.source = entry.synonyms.empty() ? ConfigSource::kDefault : entry.synonyms.front().source;
}

void add_own_layer(ConfigEntry& entry, ConfigSource source) {
  entry.synonyms.insert(entry.synonyms.begin(), {entry.name, entry.value, source});
}

bool set_here(const Properties& overrides, const Key& key) {
  return overrides.contains(std::string(key.name));
}

bool left_out(const Key& key, const KeyFilter& filter, const Properties& overrides) {
  return !wanted(filter, key.name) || (key.internal && !set_here(overrides, key));
}

}  // namespace

std::vector<ConfigEntry> describe_topic(const KafkaConfig& broker, const Properties& overrides,
                                        const KeyFilter& filter) {
  std::vector<ConfigEntry> entries;
  for (const Key& key : keys(Scope::kTopic)) {
    if (left_out(key, filter, overrides)) continue;
    ConfigEntry entry = entry_of(key, topic_value(broker, overrides, key));
    if (auto synonyms = topic_synonyms(key.name); !synonyms.empty()) {
      entry.synonyms = broker_layers(broker, synonyms.front().broker_key, key.sensitive());
    }
    if (set_here(overrides, key)) add_own_layer(entry, ConfigSource::kTopic);
    set_source(entry);
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<ConfigEntry> describe_broker(const KafkaConfig& broker, const KeyFilter& filter) {
  std::map<std::string, std::optional<std::string>> names;  // with the text of what is no plain key
  for (const Key& key : keys(Scope::kBroker)) {
    if (!key.internal) names[std::string(key.name)] = std::nullopt;
  }
  for (const auto& [name, setting] : broker.settings()) names[name] = setting.value;
  for (const Properties* layer : {&broker.dynamic_all_brokers(), &broker.dynamic_this_broker()}) {
    for (const auto& [name, value] : *layer) names[name] = value;
  }
  std::vector<ConfigEntry> entries;
  for (auto& [name, raw] : names) {
    if (!wanted(filter, name)) continue;
    entries.push_back(broker_entry(broker, name, std::move(raw)));
    set_source(entries.back());
  }
  return entries;
}

std::vector<ConfigEntry> describe_all_brokers(const KafkaConfig& broker, const KeyFilter& filter) {
  std::vector<ConfigEntry> entries;
  for (const auto& [name, value] : broker.dynamic_all_brokers()) {
    if (!wanted(filter, name)) continue;
    ConfigEntry entry = broker_entry(broker, name, value);
    if (!entry.sensitive) entry.value = value;  // the layer's own value, whatever this broker has above it
    std::erase_if(entry.synonyms,
                  [](const ConfigSynonym& s) { return s.source != ConfigSource::kDynamicDefaultBroker; });
    set_source(entry);
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<ConfigEntry> describe_group(const KafkaConfig& broker, const Properties& overrides,
                                        const KeyFilter& filter) {
  std::vector<ConfigEntry> entries;
  for (const Key& key : keys(Scope::kGroup)) {
    if (left_out(key, filter, overrides)) continue;
    std::string broker_key = "group." + std::string(key.name);
    bool backed = find_key(Scope::kBroker, broker_key) != nullptr;
    Value value = backed ? broker.value(broker_key) : default_value(key);
    if (auto given = overrides.find(std::string(key.name)); given != overrides.end()) {
      auto parsed = parse_value(key, given->second);
      if (parsed.has_value()) value = std::move(*parsed);
    }
    ConfigEntry entry = entry_of(key, value);
    if (backed) {
      entry.synonyms = broker_layers(broker, broker_key, false);
    } else {
      entry.synonyms = {{entry.name, format_value(default_value(key)), ConfigSource::kDefault}};
    }
    if (set_here(overrides, key)) add_own_layer(entry, ConfigSource::kGroup);
    set_source(entry);
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<ConfigEntry> describe_client_metrics(const Properties& values, const KeyFilter& filter) {
  std::vector<ConfigEntry> entries;
  for (const Key& key : keys(Scope::kClientMetrics)) {
    if (left_out(key, filter, values)) continue;
    Value value = default_value(key);
    if (auto given = values.find(std::string(key.name)); given != values.end()) {
      auto parsed = parse_value(key, given->second);
      if (parsed.has_value()) value = std::move(*parsed);
    }
    ConfigEntry entry = entry_of(key, value);
    if (set_here(values, key)) add_own_layer(entry, ConfigSource::kClientMetrics);
    set_source(entry);
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace milena::config
