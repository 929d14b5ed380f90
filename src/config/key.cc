#include "config/key.h"

#include <algorithm>
#include <array>
#include <vector>

#include "config/key_tables.h"

namespace milena::config {
namespace {

constexpr Key kDynamicOnly[] = {
    {"follower.replication.throttled.rate", Type::kLong, "9223372036854775807", at_least(0),
     Importance::kMedium, Update::kClusterWide,
     "Most bytes a second that a follower fetches for its throttled replicas."},
    {"leader.replication.throttled.rate", Type::kLong, "9223372036854775807", at_least(0),
     Importance::kMedium, Update::kClusterWide,
     "Most bytes a second that a leader serves to its throttled followers."},
    {"replica.alter.log.dirs.io.max.bytes.per.second", Type::kLong, "9223372036854775807", at_least(0),
     Importance::kMedium, Update::kClusterWide, "Most bytes a second copied between log directories."},
};

std::vector<Key> join_broker_keys() {
  std::vector<Key> all;
  for (std::span<const Key> part :
       {broker_keys_a_g(), broker_keys_i_n(), broker_keys_o_r(), broker_keys_s_z()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

const Key* find_in(std::span<const Key> keys, std::string_view name) {
  auto at = std::ranges::lower_bound(keys, name, {}, &Key::name);
  return at != keys.end() && at->name == name ? &*at : nullptr;
}

struct TopicRow {
  std::string_view topic_key;
  std::array<TopicSynonym, 3> synonyms;
};

constexpr TopicRow kTopicRows[] = {
    {"cleanup.policy", {{{"log.cleanup.policy"}}}},
    {"compression.gzip.level", {{{"compression.gzip.level"}}}},
    {"compression.lz4.level", {{{"compression.lz4.level"}}}},
    {"compression.type", {{{"compression.type"}}}},
    {"compression.zstd.level", {{{"compression.zstd.level"}}}},
    {"delete.retention.ms", {{{"log.cleaner.delete.retention.ms"}}}},
    {"file.delete.delay.ms", {{{"log.segment.delete.delay.ms"}}}},
    {"flush.messages", {{{"log.flush.interval.messages"}}}},
    {"flush.ms", {{{"log.flush.interval.ms"}, {"log.flush.scheduler.interval.ms"}}}},
    {"index.interval.bytes", {{{"log.index.interval.bytes"}}}},
    {"local.retention.bytes", {{{"log.local.retention.bytes"}}}},
    {"local.retention.ms", {{{"log.local.retention.ms"}}}},
    {"max.compaction.lag.ms", {{{"log.cleaner.max.compaction.lag.ms"}}}},
    {"max.message.bytes", {{{"message.max.bytes"}}}},
    {"message.timestamp.after.max.ms", {{{"log.message.timestamp.after.max.ms"}}}},
    {"message.timestamp.before.max.ms", {{{"log.message.timestamp.before.max.ms"}}}},
    {"message.timestamp.type", {{{"log.message.timestamp.type"}}}},
    {"min.cleanable.dirty.ratio", {{{"log.cleaner.min.cleanable.ratio"}}}},
    {"min.compaction.lag.ms", {{{"log.cleaner.min.compaction.lag.ms"}}}},
    {"min.insync.replicas", {{{"min.insync.replicas"}}}},
    {"preallocate", {{{"log.preallocate"}}}},
    {"retention.bytes", {{{"log.retention.bytes"}}}},
    {"retention.ms",
     {{{"log.retention.ms"}, {"log.retention.minutes", 60'000}, {"log.retention.hours", 3'600'000}}}},
    {"segment.bytes", {{{"log.segment.bytes"}}}},
    {"segment.index.bytes", {{{"log.index.size.max.bytes"}}}},
    {"segment.jitter.ms", {{{"log.roll.jitter.ms"}, {"log.roll.jitter.hours", 3'600'000}}}},
    {"segment.ms", {{{"log.roll.ms"}, {"log.roll.hours", 3'600'000}}}},
    {"unclean.leader.election.enable", {{{"unclean.leader.election.enable"}}}},
};

constexpr std::string_view kRoll[] = {"log.roll.ms", "log.roll.hours"};
constexpr std::string_view kRollJitter[] = {"log.roll.jitter.ms", "log.roll.jitter.hours"};
constexpr std::string_view kRetention[] = {"log.retention.ms", "log.retention.minutes",
                                           "log.retention.hours"};
constexpr std::string_view kFlush[] = {"log.flush.interval.ms", "log.flush.scheduler.interval.ms"};

}  // namespace

std::span<const Key> keys(Scope scope) {
  switch (scope) {
    case Scope::kBroker: {
      static const std::vector<Key> all = join_broker_keys();
      return all;
    }
    case Scope::kTopic:
      return topic_keys();
    case Scope::kGroup:
      return group_keys();
    case Scope::kClientMetrics:
      return client_metrics_keys();
  }
  return {};
}

const Key* find_key(Scope scope, std::string_view name) {
  return find_in(keys(scope), name);
}

const Key* find_broker_key(std::string_view name) {
  constexpr std::string_view kPrefix = "listener.name.";
  if (const Key* key = find_key(Scope::kBroker, name)) return key;
  if (const Key* key = find_in(dynamic_only_broker_keys(), name)) return key;
  if (!name.starts_with(kPrefix)) return nullptr;
  std::string_view rest = name.substr(kPrefix.size());
  for (int dropped = 0; dropped < 2; ++dropped) {  // the listener's name, then a SASL mechanism's
    std::size_t dot = rest.find('.');
    if (dot == std::string_view::npos) return nullptr;
    rest.remove_prefix(dot + 1);
    if (const Key* key = find_key(Scope::kBroker, rest)) return key;
  }
  return nullptr;
}

std::span<const Key> dynamic_only_broker_keys() {
  return kDynamicOnly;
}

std::span<const TopicSynonym> topic_synonyms(std::string_view name) {
  auto at = std::ranges::lower_bound(kTopicRows, name, {}, &TopicRow::topic_key);
  if (at == std::end(kTopicRows) || at->topic_key != name) return {};
  std::size_t count = 1;
  while (count < at->synonyms.size() && !at->synonyms[count].broker_key.empty()) ++count;
  return std::span(at->synonyms).first(count);
}

std::span<const std::string_view> broker_synonyms(std::string_view name) {
  for (std::span<const std::string_view> row :
       {std::span<const std::string_view>(kRoll), std::span<const std::string_view>(kRollJitter),
        std::span<const std::string_view>(kRetention)}) {
    if (std::ranges::find(row, name) != row.end()) return row;
  }
  if (name == kFlush[0]) return kFlush;  // not the other way round
  return {};
}

std::string_view type_name(Type type) {
  switch (type) {
    case Type::kBoolean:
      return "BOOLEAN";
    case Type::kString:
      return "STRING";
    case Type::kInt:
      return "INT";
    case Type::kShort:
      return "SHORT";
    case Type::kLong:
      return "LONG";
    case Type::kDouble:
      return "DOUBLE";
    case Type::kList:
      return "LIST";
    case Type::kClass:
      return "CLASS";
    case Type::kPassword:
      return "PASSWORD";
  }
  return "";
}

std::string_view importance_name(Importance importance) {
  switch (importance) {
    case Importance::kHigh:
      return "HIGH";
    case Importance::kMedium:
      return "MEDIUM";
    case Importance::kLow:
      return "LOW";
  }
  return "";
}

std::string_view update_name(Update update) {
  switch (update) {
    case Update::kReadOnly:
      return "read-only";
    case Update::kPerBroker:
      return "per-broker";
    case Update::kClusterWide:
      return "cluster-wide";
  }
  return "";
}

}  // namespace milena::config
