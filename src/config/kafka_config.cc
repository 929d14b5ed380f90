#include "config/kafka_config.h"

#include <fmt/format.h>

#include "base/check.h"

namespace milena::config {
namespace {

std::size_t position(std::string_view name) {
  const Key* key = find_key(Scope::kBroker, name);
  CHECK(key != nullptr, "{} is no broker key", name);
  return static_cast<std::size_t>(key - keys(Scope::kBroker).data());
}

template <class T>
const T& typed(const Value& value, std::string_view name) {
  const T* typed = std::get_if<T>(&value);
  CHECK(typed != nullptr, "{} is null or of another type", name);
  return *typed;
}

// node.id and broker.id are one thing under two names.
void fill_synonyms(Settings& settings) {
  auto node = settings.find("node.id");
  auto broker = settings.find("broker.id");
  if (node == settings.end() && broker != settings.end()) {
    settings["node.id"] = broker->second;
  } else if (node != settings.end() && broker == settings.end()) {
    settings["broker.id"] = node->second;
  }
}

bool is_dynamic(const Key& key) {
  return key.update != Update::kReadOnly;
}

// Validates one dynamic layer; returns what may be used.
Properties usable(const Properties& layer, bool per_broker, ConfigErrors* ignored) {
  Properties out;
  for (const auto& [name, text] : layer) {
    std::string problem;
    const Key* key = find_broker_key(name);
    if (key != nullptr) {
      auto value = parse_value(*key, text);
      if (value.failed())
        problem = value.error();
      else if (!is_dynamic(*key))
        problem = fmt::format("{} cannot be changed while the node runs", name);
      else if (!per_broker && key->update == Update::kPerBroker)
        problem = fmt::format("{} can only be set for one broker", name);
    }
    if (problem.empty())
      out[name] = text;
    else if (ignored != nullptr)
      ignored->push_back({name, problem, "dynamic configuration"});
  }
  return out;
}

}  // namespace

Duration duration_from_ms(std::int64_t ms) {
  constexpr std::int64_t kMax = to_ms(Duration::max());
  if (ms > kMax) return Duration::max();
  if (ms < -kMax) return Duration::min();
  return from_ms(ms);
}

Result<KafkaConfig, ConfigErrors> KafkaConfig::parse(Settings settings) {
  fill_synonyms(settings);
  KafkaConfig config;
  ConfigErrors errors;
  std::span<const Key> all = keys(Scope::kBroker);
  config.values_.reserve(all.size());
  for (const Key& key : all) {
    auto setting = settings.find(std::string(key.name));
    config.values_.push_back(default_value(key));
    if (setting != settings.end()) {
      auto value = parse_value(key, setting->second.value);
      if (value.failed())
        errors.push_back({std::string(key.name), value.error(), setting->second.source});
      else
        config.values_.back() = std::move(*value);
    } else if (key.default_value.kind == Default::Kind::kRequired) {
      errors.push_back(
          {std::string(key.name),
           fmt::format("Missing required configuration \"{}\" which has no default value.", key.name), ""});
    }
  }
  for (const auto& [name, setting] : settings) {  // listener.name.<listener>.<key>
    const Key* key = find_broker_key(name);
    if (key == nullptr || key->name == name) continue;
    auto value = parse_value(*key, setting.value);
    if (value.failed()) errors.push_back({name, value.error(), setting.source});
  }
  if (!errors.empty()) return Err(std::move(errors));
  config.settings_ = std::move(settings);
  config.static_values_ = config.values_;
  return config;
}

void KafkaConfig::set(const Key& key, Value value) {
  values_[position(key.name)] = std::move(value);
}

KafkaConfig KafkaConfig::with_dynamic(const Properties& all_brokers, const Properties& this_broker,
                                      ConfigErrors* ignored) const {
  KafkaConfig config = *this;
  config.values_ = static_values_;
  config.dynamic_all_ = usable(all_brokers, false, ignored);
  config.dynamic_this_ = usable(this_broker, true, ignored);
  for (const Properties* layer : {&config.dynamic_all_, &config.dynamic_this_}) {
    for (const auto& [name, text] : *layer) {
      const Key* key = find_key(Scope::kBroker, name);
      if (key == nullptr) continue;
      auto value = parse_value(*key, text);
      CHECK(value.has_value());  // usable() parsed it
      config.set(*key, std::move(*value));
    }
  }
  return config;
}

const Value& KafkaConfig::value(std::string_view name) const {
  return values_[position(name)];
}
bool KafkaConfig::boolean(std::string_view name) const {
  return typed<bool>(value(name), name);
}
std::int64_t KafkaConfig::integer(std::string_view name) const {
  return typed<std::int64_t>(value(name), name);
}
double KafkaConfig::number(std::string_view name) const {
  return typed<double>(value(name), name);
}
const std::string& KafkaConfig::text(std::string_view name) const {
  return typed<std::string>(value(name), name);
}
const std::vector<std::string>& KafkaConfig::list(std::string_view name) const {
  return typed<std::vector<std::string>>(value(name), name);
}
Duration KafkaConfig::milliseconds(std::string_view name) const {
  return duration_from_ms(integer(name));
}
std::int64_t KafkaConfig::dynamic_integer(std::string_view name) const {
  const Key* key = find_broker_key(name);
  CHECK(key != nullptr && key->type == Type::kLong, "{} is no dynamic LONG", name);
  for (const Properties* layer : {&dynamic_this_, &dynamic_all_}) {
    auto given = layer->find(std::string(name));
    if (given == layer->end()) continue;
    auto value = parse_value(*key, given->second);
    if (value.has_value()) return std::get<std::int64_t>(*value);
  }
  return std::get<std::int64_t>(default_value(*key));
}
bool KafkaConfig::is_null(std::string_view name) const {
  return std::holds_alternative<std::monostate>(value(name));
}

bool KafkaConfig::is_set(std::string_view name) const {
  std::string key(name);
  return settings_.contains(key) || dynamic_all_.contains(key) || dynamic_this_.contains(key);
}

}  // namespace milena::config
