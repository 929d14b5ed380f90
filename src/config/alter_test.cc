#include "config/alter.h"

#include <gmock/gmock.h>

#include "config/config_testing.h"

namespace milena::config {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::string topic_problem(const Properties& overrides) {
  auto result = validate_topic(overrides, parse_config({}));
  return result.has_value() ? "" : result.error().message;
}

// What LogConfig.validate says to the same properties.
TEST(ValidateTopic, MessagesAreKafkas) {
  EXPECT_EQ(topic_problem({{"retention.ms", "5"}, {"cleanup.policy", "compact"}}), "");
  EXPECT_EQ(topic_problem({{"foo", "1"}}), "Unknown topic config name: foo");
  EXPECT_EQ(topic_problem({{"retention.ms", "-2"}}),
            "Invalid value -2 for configuration retention.ms: Value must be at least -1");
  EXPECT_EQ(topic_problem({{"min.compaction.lag.ms", "10"}, {"max.compaction.lag.ms", "5"}}),
            "conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)");
  EXPECT_EQ(topic_problem({{"remote.storage.enable", "true"}}),
            "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote "
            "log storage.");
  EXPECT_EQ(topic_problem({{"preallocate", "1"}}),
            "Invalid value 1 for configuration preallocate: Expected value to be either true or false");
}

std::string broker_problem(const Properties& values, bool one_broker) {
  auto result = validate_broker(values, one_broker);
  return result.has_value() ? "" : result.error().message;
}

// What DynamicBrokerConfig.validateConfigs says to the same properties.
TEST(ValidateBroker, MessagesAreKafkas) {
  EXPECT_EQ(broker_problem({{"node.id", "1"}}, true), "Cannot update these configs dynamically: [node.id]");
  EXPECT_EQ(broker_problem({{"listeners", "PLAINTEXT://:1"}}, false),
            "Cannot update these configs at default cluster level, broker id must be specified: [listeners]");
  EXPECT_EQ(broker_problem({{"listeners", "PLAINTEXT://:1"}}, true), "");
  EXPECT_EQ(broker_problem({{"log.segment.bytes", "1"}}, true),
            "Invalid value 1 for configuration log.segment.bytes: Value must be at least 1048576");
  EXPECT_EQ(broker_problem({{"foo", "1"}}, true), "");
  EXPECT_EQ(broker_problem({{"ssl.keystore.location", "x"}}, true),
            "These security configs can be dynamically updated only per-listener using the listener prefix: "
            "[ssl.keystore.location]");
  // Only what makes a listener's keys and trust needs its prefix.
  EXPECT_EQ(broker_problem({{"sasl.kerberos.min.time.before.relogin", "58000"}}, true), "");
  EXPECT_EQ(broker_problem({{"ssl.cipher.suites", "a"}, {"ssl.client.auth", "none"}}, true), "");
  EXPECT_EQ(broker_problem({{"sasl.kerberos.min.time.before.relogin", "58000"}}, false),
            "Cannot update these configs at default cluster level, broker id must be specified: "
            "[sasl.kerberos.min.time.before.relogin]");
  EXPECT_EQ(broker_problem({{"ssl.key.password", "x"}, {"ssl.keystore.type", "JKS"}}, true),
            "These security configs can be dynamically updated only per-listener using the listener prefix: "
            "[ssl.key.password, ssl.keystore.type]");
  EXPECT_EQ(broker_problem({{"listener.name.x.ssl.keystore.location", "1"}}, true), "");
  EXPECT_EQ(broker_problem({{"listener.name.x.ssl.keystore.location", "1"}}, false),
            "Cannot update these configs at default cluster level, broker id must be specified: "
            "[listener.name.x.ssl.keystore.location]");
  EXPECT_EQ(broker_problem({{"leader.replication.throttled.rate", "5"}}, false), "");
}

TEST(ValidateGroup, WithinTheBrokersLimits) {
  KafkaConfig broker = parse_config({});
  EXPECT_TRUE(validate_group({{"consumer.session.timeout.ms", "50000"}}, broker).has_value());
  EXPECT_EQ(
      validate_group({{"consumer.session.timeout.ms", "1000"}}, broker).error().message,
      "consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms");
  EXPECT_EQ(validate_group({{"streams.num.standby.replicas", "3"}}, broker).error().message,
            "streams.num.standby.replicas must be less than or equal to group.streams.max.standby.replicas");
  EXPECT_TRUE(validate_group({{"x", "1"}}, broker).failed());
}

TEST(ValidateClientMetrics, MessagesAreKafkas) {
  EXPECT_TRUE(validate_client_metrics({{"interval.ms", "100"}, {"match", "client_id=a.*"}, {"metrics", ""}})
                  .has_value());
  EXPECT_EQ(validate_client_metrics({{"interval.ms", "5"}}).error().message,
            "Invalid value 5 for interval.ms, interval must be between 100 and 3600000 (1 hour)");
  EXPECT_EQ(validate_client_metrics({{"match", "x=1"}}).error().message,
            "Illegal client matching pattern: x=1");
  EXPECT_EQ(validate_client_metrics({{"foo", "1"}}).error().code, AlterError::Code::kInvalidRequest);
}

TEST(Incremental, SetDeleteAppendSubtract) {
  Properties current = {{"retention.ms", "5"}, {"segment.bytes", "7"}};
  auto altered = apply_incremental(Scope::kTopic, current,
                                   {{"retention.ms", AlterKind::kDelete, std::nullopt},
                                    {"segment.bytes", AlterKind::kSet, "7"},
                                    {"cleanup.policy", AlterKind::kAppend, "compact"},
                                    {"preallocate", AlterKind::kDelete, std::nullopt}});
  ASSERT_TRUE(altered.has_value());
  EXPECT_THAT(altered->changes,
              ElementsAre(Pair("retention.ms", std::nullopt), Pair("cleanup.policy", "delete,compact")));
  EXPECT_THAT(altered->values,
              ElementsAre(Pair("cleanup.policy", "delete,compact"), Pair("segment.bytes", "7")));

  altered = apply_incremental(Scope::kTopic, altered->values,
                              {{"cleanup.policy", AlterKind::kSubtract, "delete,x"}});
  ASSERT_TRUE(altered.has_value());
  EXPECT_EQ(altered->values.at("cleanup.policy"), "compact");
  altered =
      apply_incremental(Scope::kTopic, altered->values, {{"cleanup.policy", AlterKind::kAppend, "compact"}});
  EXPECT_TRUE(altered->changes.empty());
}

TEST(Incremental, Errors) {
  auto fails = [](std::vector<AlterOp> ops) {
    auto altered = apply_incremental(Scope::kTopic, {}, ops);
    return altered.has_value() ? std::string() : altered.error().message;
  };
  EXPECT_EQ(fails({{"retention.ms", AlterKind::kAppend, "1"}}),
            "Can't APPEND to key retention.ms because its type is not LIST.");
  EXPECT_EQ(fails({{"retention.ms", AlterKind::kSet, "1"}, {"retention.ms", AlterKind::kSet, "2"}}),
            "Error due to duplicate config keys : retention.ms");
  EXPECT_EQ(fails({{"retention.ms", AlterKind::kSet, std::nullopt}}),
            "Null value not supported for : retention.ms");
  EXPECT_EQ(
      fails({{"cleanup.policy", AlterKind::kSet, std::string(32768, 'x')}}),
      "The configuration value cannot be added because it exceeds the maximum value size of 32767 bytes.");
}

TEST(ReplaceAll, NamesWhatChanges) {
  Altered altered = replace_all({{"a", "1"}, {"b", "1"}, {"c", "1"}}, {{"a", "1"}, {"b", "2"}, {"d", "4"}});
  EXPECT_THAT(altered.changes, ElementsAre(Pair("b", "2"), Pair("d", "4"), Pair("c", std::nullopt)));
}

}  // namespace
}  // namespace milena::config
