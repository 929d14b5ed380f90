#include "config/alter.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "config/log_config.h"

namespace milena::config {
namespace {

constexpr std::size_t kMaxValueBytes = 32767;  // what a ConfigRecord is allowed to hold

AlterError bad_config(std::string message) {
  return {AlterError::Code::kInvalidConfig, std::move(message)};
}
AlterError bad_request(std::string message) {
  return {AlterError::Code::kInvalidRequest, std::move(message)};
}

Result<void, AlterError> validate_values(Scope scope, const Properties& values, std::string_view what) {
  for (const auto& [name, text] : values) {
    const Key* key = find_key(scope, name);
    if (key == nullptr) return Err(bad_config(fmt::format("Unknown {} name: {}", what, name)));
    auto value = parse_value(*key, text);
    if (value.failed()) return Err(bad_config(value.error()));
  }
  return {};
}

std::string set_text(const std::vector<std::string>& names) {
  return fmt::format("[{}]", fmt::join(names, ", "));
}

// What a listener's TLS context is made of again while the broker runs: only for one listener, by its prefix.
// SslConfigs.RECONFIGURABLE_CONFIGS; all other ssl.* and sasl.* keys are taken without a prefix as well.
bool needs_listener_prefix(const Key& key) {
  constexpr std::string_view kPrefixed[] = {
      "ssl.keystore.type",       "ssl.keystore.location",   "ssl.keystore.password",
      "ssl.key.password",        "ssl.truststore.type",     "ssl.truststore.location",
      "ssl.truststore.password", "ssl.keystore.key",        "ssl.keystore.certificate.chain",
      "ssl.truststore.certificates"};
  return std::ranges::find(kPrefixed, key.name) != std::end(kPrefixed);
}

struct GroupLimit {
  std::string_view key;
  std::string_view min;  // broker keys; empty: none
  std::string_view max;
};

constexpr GroupLimit kGroupLimits[] = {
    {"consumer.assignment.interval.ms", "group.consumer.min.assignment.interval.ms",
     "group.consumer.max.assignment.interval.ms"},
    {"consumer.heartbeat.interval.ms", "group.consumer.min.heartbeat.interval.ms",
     "group.consumer.max.heartbeat.interval.ms"},
    {"consumer.session.timeout.ms", "group.consumer.min.session.timeout.ms",
     "group.consumer.max.session.timeout.ms"},
    {"share.assignment.interval.ms", "group.share.min.assignment.interval.ms",
     "group.share.max.assignment.interval.ms"},
    {"share.delivery.count.limit", "group.share.min.delivery.count.limit",
     "group.share.max.delivery.count.limit"},
    {"share.heartbeat.interval.ms", "group.share.min.heartbeat.interval.ms",
     "group.share.max.heartbeat.interval.ms"},
    {"share.partition.max.record.locks", "group.share.min.partition.max.record.locks",
     "group.share.max.partition.max.record.locks"},
    {"share.record.lock.duration.ms", "group.share.min.record.lock.duration.ms",
     "group.share.max.record.lock.duration.ms"},
    {"share.session.timeout.ms", "group.share.min.session.timeout.ms", "group.share.max.session.timeout.ms"},
    {"streams.assignment.interval.ms", "group.streams.min.assignment.interval.ms",
     "group.streams.max.assignment.interval.ms"},
    {"streams.heartbeat.interval.ms", "group.streams.min.heartbeat.interval.ms",
     "group.streams.max.heartbeat.interval.ms"},
    {"streams.num.standby.replicas", "", "group.streams.max.standby.replicas"},
    {"streams.session.timeout.ms", "group.streams.min.session.timeout.ms",
     "group.streams.max.session.timeout.ms"},
};

std::int64_t group_integer(const Properties& values, const KafkaConfig& broker, const std::string& name) {
  if (auto given = values.find(name); given != values.end()) {
    auto value = parse_value(*find_key(Scope::kGroup, name), given->second);
    if (value.has_value()) return std::get<std::int64_t>(*value);
  }
  return broker.integer("group." + name);
}

Result<void, AlterError> check_timeouts(const Properties& values, const KafkaConfig& broker) {
  for (std::string kind : {"consumer", "share", "streams"}) {
    std::string session = kind + ".session.timeout.ms";
    std::string heartbeat = kind + ".heartbeat.interval.ms";
    if (group_integer(values, broker, session) > group_integer(values, broker, heartbeat)) continue;
    return Err(bad_config(fmt::format("{} must be greater than {}", session, heartbeat)));
  }
  return {};
}

std::string_view kind_name(AlterKind kind) {
  switch (kind) {
    case AlterKind::kSet:
      return "SET";
    case AlterKind::kDelete:
      return "DELETE";
    case AlterKind::kAppend:
      return "APPEND";
    case AlterKind::kSubtract:
      return "SUBTRACT";
  }
  return "";
}

// Own value, else default, as a list; then `operand`'s elements added or taken away.
std::string edit_list(const Key& key, const std::string* own, AlterKind kind, std::string_view operand) {
  std::vector<std::string> elements = split_list(own != nullptr ? *own : format_value(default_value(key)));
  for (std::string& element : split_list(operand)) {
    auto at = std::ranges::find(elements, element);
    if (kind == AlterKind::kAppend && at == elements.end()) elements.push_back(std::move(element));
    if (kind == AlterKind::kSubtract && at != elements.end()) elements.erase(at);
  }
  return fmt::format("{}", fmt::join(elements, ","));
}

}  // namespace

Result<void, AlterError> validate_topic(const Properties& overrides, const KafkaConfig& broker) {
  TRY(validate_values(Scope::kTopic, overrides, "topic config"));
  auto integer = [&](std::string_view name) {
    return std::get<std::int64_t>(topic_value(broker, overrides, *find_key(Scope::kTopic, name)));
  };
  auto boolean = [&](std::string_view name) {
    return std::get<bool>(topic_value(broker, overrides, *find_key(Scope::kTopic, name)));
  };
  if (integer("min.compaction.lag.ms") > integer("max.compaction.lag.ms")) {
    return Err(bad_config(
        fmt::format("conflict topic config setting min.compaction.lag.ms ({}) > max.compaction.lag.ms ({})",
                    integer("min.compaction.lag.ms"), integer("max.compaction.lag.ms"))));
  }
  if (boolean("remote.storage.enable")) {
    return Err(bad_config(
        "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote "
        "log storage."));
  }
  return {};
}

Result<void, AlterError> validate_broker(const Properties& values, bool one_broker) {
  std::vector<std::string> read_only;
  std::vector<std::string> per_broker;
  std::vector<std::string> unprefixed;
  for (const auto& [name, text] : values) {
    const Key* key = find_broker_key(name);
    if (key == nullptr) continue;
    if (key->update == Update::kReadOnly)
      read_only.push_back(name);
    else if (key->name == name && needs_listener_prefix(*key))
      unprefixed.push_back(name);
    else if (!one_broker && (key->update == Update::kPerBroker || key->name != name))
      per_broker.push_back(name);
  }
  if (!read_only.empty()) {
    return Err(bad_config("Cannot update these configs dynamically: " + set_text(read_only)));
  }
  if (!unprefixed.empty()) {
    return Err(bad_config(
        "These security configs can be dynamically updated only per-listener using the listener prefix: " +
        set_text(unprefixed)));
  }
  if (!per_broker.empty()) {
    return Err(
        bad_config("Cannot update these configs at default cluster level, broker id must be specified: " +
                   set_text(per_broker)));
  }
  for (const auto& [name, text] : values) {
    const Key* key = find_broker_key(name);
    if (key == nullptr) continue;
    auto value = parse_value(*key, text);
    if (value.failed()) return Err(bad_config(value.error()));
  }
  return {};
}

Result<void, AlterError> validate_group(const Properties& values, const KafkaConfig& broker) {
  TRY(validate_values(Scope::kGroup, values, "group config"));
  for (const GroupLimit& limit : kGroupLimits) {
    std::string name(limit.key);
    if (!values.contains(name)) continue;
    std::int64_t number = group_integer(values, broker, name);
    if (!limit.min.empty() && number < broker.integer(limit.min)) {
      return Err(bad_config(fmt::format("{} must be greater than or equal to {}", name, limit.min)));
    }
    if (number > broker.integer(limit.max)) {
      return Err(bad_config(fmt::format("{} must be less than or equal to {}", name, limit.max)));
    }
  }
  return check_timeouts(values, broker);
}

Result<void, AlterError> validate_client_metrics(const Properties& values) {
  constexpr std::int64_t kMinInterval = 100;
  constexpr std::int64_t kMaxInterval = 3'600'000;
  constexpr std::string_view kLabels[] = {"client_instance_id",    "client_id",
                                          "client_software_name",  "client_software_version",
                                          "client_source_address", "client_source_port"};
  for (const auto& [name, text] : values) {
    const Key* key = find_key(Scope::kClientMetrics, name);
    if (key == nullptr)
      return Err(bad_request(fmt::format("Unknown client metrics configuration: {}", name)));
    auto value = parse_value(*key, text);
    if (value.failed()) return Err(bad_config(value.error()));
    if (name == "interval.ms") {
      std::int64_t interval = std::get<std::int64_t>(*value);
      if (interval >= kMinInterval && interval <= kMaxInterval) continue;
      return Err(bad_request(fmt::format(
          "Invalid value {} for {}, interval must be between 100 and 3600000 (1 hour)", interval, name)));
    }
    if (name != "match") continue;
    for (const std::string& pattern : std::get<std::vector<std::string>>(*value)) {
      std::size_t equals = pattern.find('=');
      std::string_view label = trim(std::string_view(pattern).substr(0, equals));
      if (equals == std::string::npos || std::ranges::find(kLabels, label) == std::end(kLabels)) {
        return Err(bad_config(fmt::format("Illegal client matching pattern: {}", pattern)));
      }
    }
  }
  return {};
}

Result<Altered, AlterError> apply_incremental(Scope scope, const Properties& current,
                                              const std::vector<AlterOp>& ops) {
  Altered altered{current, {}};
  std::set<std::string> seen;
  for (const AlterOp& op : ops) {
    if (!seen.insert(op.key).second) {
      return Err(bad_request(fmt::format("Error due to duplicate config keys : {}", op.key)));
    }
    if (op.kind != AlterKind::kDelete && !op.value) {
      return Err(bad_request(fmt::format("Null value not supported for : {}", op.key)));
    }
    auto own = altered.values.find(op.key);
    std::optional<std::string> before;
    if (own != altered.values.end()) before = own->second;
    std::optional<std::string> after;
    if (op.kind == AlterKind::kSet) {
      after = op.value;
    } else if (op.kind != AlterKind::kDelete) {
      const Key* key = scope == Scope::kBroker ? find_broker_key(op.key) : find_key(scope, op.key);
      if (key == nullptr || key->type != Type::kList) {
        return Err(bad_config(
            fmt::format("Can't {} to key {} because its type is not LIST.", kind_name(op.kind), op.key)));
      }
      after = edit_list(*key, before ? &*before : nullptr, op.kind, *op.value);
    }
    if (after && after->size() > kMaxValueBytes) {
      return Err(bad_config(
          fmt::format("The configuration value cannot be added because it exceeds the maximum value size "
                      "of {} bytes.",
                      kMaxValueBytes)));
    }
    if (after == before) continue;
    altered.changes.emplace_back(op.key, after);
    if (after)
      altered.values[op.key] = std::move(*after);
    else
      altered.values.erase(op.key);
  }
  return altered;
}

Altered replace_all(const Properties& current, const Properties& wanted) {
  Altered altered{wanted, {}};
  for (const auto& [key, value] : wanted) {
    auto before = current.find(key);
    if (before == current.end() || before->second != value) altered.changes.emplace_back(key, value);
  }
  for (const auto& [key, value] : current) {
    if (!wanted.contains(key)) altered.changes.emplace_back(key, std::nullopt);
  }
  return altered;
}

}  // namespace milena::config
