/// Every configuration key of Apache Kafka 4.3.1, once: type, default, allowed values, importance, whether it
/// can change while the node runs, and a description in Milena's own words.
///
/// The rows stand in keys_*.cc, sorted by name, one table per scope. They are facts about Kafka and change
/// only with its version; `schemas/config/*.tsv` holds the same facts as read from Kafka's own jars, and a
/// test compares the two. What Milena makes of a key today is not here but in status.h.
///
/// Threads: constant data. A `const Key*` is valid for the whole run of the program.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

namespace milena::config {

enum class Type : std::uint8_t { kBoolean, kString, kInt, kShort, kLong, kDouble, kList, kClass, kPassword };
enum class Scope : std::uint8_t { kBroker, kTopic, kGroup, kClientMetrics };
enum class Importance : std::uint8_t { kHigh, kMedium, kLow };

/// How a broker key may change while the node runs. Keys of other scopes always may: kClusterWide.
enum class Update : std::uint8_t {
  kReadOnly,     // only with a restart
  kPerBroker,    // for one broker
  kClusterWide,  // for one broker, or for all as the default
};

/// A key's default: a value's text, null (no value), or none at all (the key must be given).
struct Default {
  enum class Kind : std::uint8_t { kValue, kNull, kRequired };
  Kind kind = Kind::kValue;
  std::string_view text;

  constexpr Default(const char* value)
      : text(value) {}  // NOLINT(google-explicit-constructor): rows of tables are plain texts
  constexpr explicit Default(Kind k) : kind(k) {}
};
inline constexpr Default kNull{Default::Kind::kNull};
inline constexpr Default kRequired{Default::Kind::kRequired};

/// Which values of the right type are accepted.
struct Allowed {
  enum class Rule : std::uint8_t {
    kAny,
    kRange,        // min..max, both included
    kOneOf,        // one of words
    kOneOfNoCase,  // the same, in any case
    kNonEmpty,
    kList,             // no empty element, duplicates dropped; elements of words, if there are any
    kGzipLevel,        // 1..9 or -1
    kVoters,           // id@host:port
    kAddresses,        // host:port
    kReplicas,         // partition:broker, or *
    kShareOffsetReset  // earliest, latest, by_duration:P...
  };
  static constexpr double kNoLimit = std::numeric_limits<double>::infinity();

  Rule rule = Rule::kAny;
  double min = -kNoLimit;
  double max = kNoLimit;
  std::string_view words = {};  // separated by one space
  bool empty = true;            // kList: may the list be empty?
};

constexpr Allowed any() {
  return {};
}
constexpr Allowed at_least(double min) {
  return {Allowed::Rule::kRange, min};
}
constexpr Allowed between(double min, double max) {
  return {Allowed::Rule::kRange, min, max};
}
constexpr Allowed one_of(std::string_view words) {
  return {.rule = Allowed::Rule::kOneOf, .words = words};
}
constexpr Allowed one_of_no_case(std::string_view words) {
  return {.rule = Allowed::Rule::kOneOfNoCase, .words = words};
}
constexpr Allowed non_empty() {
  return {.rule = Allowed::Rule::kNonEmpty};
}
constexpr Allowed list(std::string_view words = {}) {
  return {.rule = Allowed::Rule::kList, .words = words};
}
constexpr Allowed filled_list(std::string_view words = {}) {
  return {.rule = Allowed::Rule::kList, .words = words, .empty = false};
}
constexpr Allowed rule(Allowed::Rule special) {
  return {.rule = special};
}

struct Key {
  std::string_view name;
  Type type;
  Default default_value;
  Allowed allowed;
  Importance importance;
  Update update;
  std::string_view description;
  bool internal = false;  // for tests of Kafka itself; left out of answers and documents

  /// Values of the type PASSWORD are shown to nobody.
  constexpr bool sensitive() const { return type == Type::kPassword; }
};

/// The keys of `scope`, sorted by name: 360 for brokers, 34 for topics (33 and an internal one), 17 for
/// groups, 3 for subscriptions to client metrics.
std::span<const Key> keys(Scope scope);

/// The key of that exact name, or nullptr.
const Key* find_key(Scope scope, std::string_view name);

/// The broker key that `name` sets: `name` itself, or for `listener.name.<listener>.[<mechanism>.]<key>` that
/// key. nullptr when there is none.
const Key* find_broker_key(std::string_view name);

/// The three broker keys that can only be set dynamically and so are not in `keys(kBroker)`: replication
/// throttle rates. (quota keys of Kafka's QuotaConfig)
std::span<const Key> dynamic_only_broker_keys();

/// A broker key that gives a topic key its default, and the unit its value is in.
struct TopicSynonym {
  std::string_view broker_key;
  std::int64_t factor = 1;  // what to multiply the broker key's value by, e.g. 60000 for minutes
};

/// The broker keys behind topic key `name`, the one that wins first; empty when it has none.
std::span<const TopicSynonym> topic_synonyms(std::string_view name);

/// The broker keys that say the same thing as `name` in other units, the one that wins first, `name` among
/// them. Empty: only `name` itself.
/// `log.retention.hours` -> `log.retention.ms`, `log.retention.minutes`, `log.retention.hours`.
std::span<const std::string_view> broker_synonyms(std::string_view name);

/// "INT", "LONG", ... as Kafka writes them.
std::string_view type_name(Type type);
std::string_view importance_name(Importance importance);
/// "read-only", "per-broker", "cluster-wide".
std::string_view update_name(Update update);

}  // namespace milena::config
