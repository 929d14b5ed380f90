/// A broker's configuration: every broker key with its effective value, over the layers
///
///     dynamic for this broker > dynamic for all brokers > static (settings.h) > default
///
/// and the layers themselves, which DescribeConfigs shows (describe.h). Static values are validated when they
/// are parsed, all of them, so that one start reports everything that is wrong. Dynamic values come from the
/// cluster's metadata; one that is not valid is left out, as Kafka does, because the node must start with it.
///
/// An immutable value: a change makes a new KafkaConfig. Threads: const access from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/properties.h"
#include "base/result.h"
#include "base/time.h"
#include "config/settings.h"
#include "config/value.h"

namespace milena::config {

class KafkaConfig {
 public:
  /// Errors: each value that has the wrong type or is not allowed, each key that must be given and is not.
  /// `broker.id` gives `node.id` its value where only one of the two is set, and the other way round.
  static Result<KafkaConfig, ConfigErrors> parse(Settings settings);

  /// This configuration's static layer under other dynamic ones. `ignored` (may be nullptr) gets what was
  /// left out: values that are not valid, keys that cannot change while the node runs.
  KafkaConfig with_dynamic(const Properties& all_brokers, const Properties& this_broker,
                           ConfigErrors* ignored = nullptr) const;

  /// The effective value. REQUIRES: `name` is a broker key (keys(Scope::kBroker)).
  const Value& value(std::string_view name) const;

  /// The effective value by its type. REQUIRES: the key is of that type and its value not null.
  bool boolean(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;
  double number(std::string_view name) const;
  const std::string& text(std::string_view name) const;
  const std::vector<std::string>& list(std::string_view name) const;
  /// An INT or LONG key in milliseconds; the largest values become Duration::max().
  Duration milliseconds(std::string_view name) const;
  /// Of a LONG among dynamic_only_broker_keys().
  std::int64_t dynamic_integer(std::string_view name) const;
  bool is_null(std::string_view name) const;
  /// True when a layer above the defaults sets the key.
  bool is_set(std::string_view name) const;

  /// The texts as given, unknown keys among them.
  const Settings& settings() const { return settings_; }
  const Properties& dynamic_all_brokers() const { return dynamic_all_; }
  const Properties& dynamic_this_broker() const { return dynamic_this_; }

 private:
  KafkaConfig() = default;
  void set(const Key& key, Value value);

  Settings settings_;
  Properties dynamic_all_;
  Properties dynamic_this_;
  std::vector<Value> static_values_;  // by position in keys(Scope::kBroker)
  std::vector<Value> values_;
};

/// Milliseconds as a Duration; what it cannot hold becomes its largest or smallest value.
Duration duration_from_ms(std::int64_t ms);

}  // namespace milena::config
