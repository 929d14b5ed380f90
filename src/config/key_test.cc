#include "config/key.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "config/document.h"
#include "config/status.h"
#include "config/value.h"

namespace milena::config {
namespace {

struct Fact {
  std::string name, type, default_value, valid, importance, update, internal;
};

constexpr std::string_view kBrokerFacts =
#include "config/facts_broker.inc"
    ;
constexpr std::string_view kTopicFacts =
#include "config/facts_topic.inc"
    ;
constexpr std::string_view kGroupFacts =
#include "config/facts_group.inc"
    ;
constexpr std::string_view kClientMetricsFacts =
#include "config/facts_client-metrics.inc"
    ;

std::vector<Fact> read_facts(std::string_view text) {
  std::vector<Fact> facts;
  text.remove_prefix(text.find('\n') + 1);  // the heading
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    std::vector<std::string> cells(1);
    for (char c : line) {
      if (c == '\t')
        cells.emplace_back();
      else
        cells.back() += c;
    }
    if (cells.size() != 7) {
      ADD_FAILURE() << "seven cells expected: " << line;
      continue;
    }
    facts.push_back({cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6]});
  }
  return facts;
}

// The rule of a row as the facts write it.
std::string fact_of(const Key& key) {
  auto words = [&](std::string_view all) {
    std::string text = "[";
    for (char c : all) text += c == ' ' ? std::string(", ") : std::string(1, c);
    return text + "]";
  };
  const Allowed& allowed = key.allowed;
  switch (allowed.rule) {
    case Allowed::Rule::kAny:
      return "";
    case Allowed::Rule::kRange:
      return "Range|" + allowed_text(key);
    case Allowed::Rule::kOneOf:
      return "ValidString|" + words(allowed.words);
    case Allowed::Rule::kOneOfNoCase:
      return "CaseInsensitiveValidString|(case insensitive) " + words(allowed.words);
    case Allowed::Rule::kNonEmpty:
      return "NonEmptyString|non-empty string";
    case Allowed::Rule::kList:
      return fmt::format("ValidList|{}|{}", allowed.words.empty() ? "" : words(allowed.words),
                         allowed.empty ? "empty" : "filled");
    case Allowed::Rule::kGzipLevel:
      return "LambdaValidator|[1,...,9] or -1";
    case Allowed::Rule::kVoters:
      return "ControllerQuorumVotersValidator|non-empty list";
    case Allowed::Rule::kAddresses:
      return "ControllerQuorumBootstrapServersValidator|non-empty list";
    case Allowed::Rule::kReplicas:
      return "ThrottledReplicaListValidator|[partitionId]:[brokerId],[partitionId]:[brokerId],...";
    case Allowed::Rule::kShareOffsetReset:
      return "Validator|[latest, earliest, by_duration:PnDTnHnMn.nS]";
  }
  return "?";
}

void expect_equal_to_facts(Scope scope, std::string_view text, std::size_t count) {
  std::vector<Fact> facts = read_facts(text);
  std::span<const Key> table = keys(scope);
  ASSERT_EQ(facts.size(), count);
  ASSERT_EQ(table.size(), count);
  for (std::size_t i = 0; i < count; ++i) {
    const Fact& fact = facts[i];
    const Key& key = table[i];
    SCOPED_TRACE(fact.name);
    EXPECT_EQ(key.name, fact.name);
    EXPECT_EQ(type_name(key.type), fact.type);
    std::string value(key.default_value.text);
    if (key.default_value.kind == Default::Kind::kNull) value = "null";
    if (key.default_value.kind == Default::Kind::kRequired) value = "<none>";
    EXPECT_EQ(value, fact.default_value);
    if (!fact.valid.starts_with("NonNullValidator")) {
      EXPECT_EQ(fact_of(key), fact.valid);
    }
    EXPECT_EQ(importance_name(key.importance), fact.importance);
    if (scope == Scope::kBroker) {
      EXPECT_EQ(update_name(key.update), fact.update);
    }
    EXPECT_EQ(key.internal, !fact.internal.empty());
  }
}

TEST(Keys, AreKafkasByName) {
  expect_equal_to_facts(Scope::kBroker, kBrokerFacts, 360);
  expect_equal_to_facts(Scope::kTopic, kTopicFacts, 34);  // 33 and internal.segment.bytes
  expect_equal_to_facts(Scope::kGroup, kGroupFacts, 17);
  expect_equal_to_facts(Scope::kClientMetrics, kClientMetricsFacts, 3);
}

TEST(Keys, AreSortedAndDescribed) {
  for (Scope scope : {Scope::kBroker, Scope::kTopic, Scope::kGroup, Scope::kClientMetrics}) {
    std::span<const Key> table = keys(scope);
    EXPECT_TRUE(std::ranges::is_sorted(table, {}, &Key::name));
    for (const Key& key : table) {
      EXPECT_GT(key.description.size(), 10u) << key.name;
      EXPECT_TRUE(key.description.ends_with('.')) << key.name;
      EXPECT_EQ(find_key(scope, key.name), &key);
    }
  }
  EXPECT_EQ(find_key(Scope::kBroker, "log.segment.byte"), nullptr);
}

TEST(Keys, DefaultsAreAllowed) {
  for (Scope scope : {Scope::kBroker, Scope::kTopic, Scope::kGroup, Scope::kClientMetrics}) {
    for (const Key& key : keys(scope)) {
      if (key.default_value.kind != Default::Kind::kValue) continue;
      auto value = parse_value(key, key.default_value.text);
      ASSERT_TRUE(value.has_value()) << value.error();
      EXPECT_EQ(format_value(*value), key.default_value.text) << key.name;
    }
  }
}

TEST(Keys, OfListeners) {
  EXPECT_EQ(find_broker_key("listener.name.internal.ssl.keystore.location")->name, "ssl.keystore.location");
  EXPECT_EQ(find_broker_key("listener.name.x.scram-sha-256.sasl.jaas.config")->name, "sasl.jaas.config");
  EXPECT_EQ(find_broker_key("listener.name.x.nonsense"), nullptr);
  EXPECT_EQ(find_broker_key("listener.name.x"), nullptr);
  EXPECT_EQ(find_broker_key("leader.replication.throttled.rate")->type, Type::kLong);
}

TEST(Keys, SynonymsExist) {
  std::size_t with_synonyms = 0;
  for (const Key& key : keys(Scope::kTopic)) {
    for (const TopicSynonym& synonym : topic_synonyms(key.name)) {
      const Key* broker = find_key(Scope::kBroker, synonym.broker_key);
      ASSERT_NE(broker, nullptr) << synonym.broker_key;
      EXPECT_GE(synonym.factor, 1);
    }
    with_synonyms += topic_synonyms(key.name).empty() ? 0 : 1;
  }
  EXPECT_EQ(with_synonyms, 28u);
  EXPECT_EQ(topic_synonyms("retention.ms").size(), 3u);
  EXPECT_EQ(broker_synonyms("log.retention.hours").size(), 3u);
  EXPECT_TRUE(broker_synonyms("log.flush.scheduler.interval.ms").empty());
}

TEST(KeyStatus, NamesOnlyKeysAndExplainsRefusals) {
  std::size_t works = 0;
  for (Scope scope : {Scope::kBroker, Scope::kTopic}) {
    for (const Key& key : keys(scope)) {
      KeyStatus status = key_status(scope, key.name);
      works += status.status == Status::kWorks ? 1 : 0;
      EXPECT_TRUE(status.status != Status::kRefused || !status.note.empty()) << key.name;
    }
  }
  EXPECT_GT(works, 80u);
  EXPECT_EQ(key_status(Scope::kBroker, "listeners").status, Status::kWorks);
  EXPECT_EQ(key_status(Scope::kBroker, "authorizer.class.name").status, Status::kRefused);
  EXPECT_EQ(key_status(Scope::kBroker, "ssl.provider").status, Status::kNoEffectYet);
  for (auto& [scope, names] : status_rows()) {
    EXPECT_TRUE(std::ranges::is_sorted(names)) << *std::ranges::is_sorted_until(names);
    for (std::string_view name : names) EXPECT_NE(scope == Scope::kBroker ? find_broker_key(name) : find_key(scope, name), nullptr) << name;
  }
}

TEST(Document, NamesEveryPublicKey) {
  std::string document = configuration_document();
  EXPECT_NE(document.find("| `retention.ms` | LONG, [-1,...] | `604800000` | works |"), std::string::npos);
  for (const Key& key : keys(Scope::kBroker)) {
    bool named = document.find(fmt::format("| `{}` |", key.name)) != std::string::npos;
    EXPECT_EQ(named, !key.internal || find_key(Scope::kTopic, key.name) != nullptr) << key.name;
  }
}

}  // namespace
}  // namespace milena::config
