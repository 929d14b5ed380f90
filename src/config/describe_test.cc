#include "config/describe.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "config/config_testing.h"

namespace milena::config {
namespace {

using testing::ElementsAre;

ConfigEntry one(const std::vector<ConfigEntry>& entries) {
  EXPECT_EQ(entries.size(), 1u);
  return entries.empty() ? ConfigEntry() : entries.front();
}

ConfigSynonym layer(const char* name, const char* value, ConfigSource source) {
  return {name, value, source};
}

// Values and synonyms are those of Kafka's own ConfigHelper for the same properties.
TEST(DescribeTopic, DefaultsComeFromTheBroker) {
  KafkaConfig broker = parse_config({});
  ConfigEntry entry = one(describe_topic(broker, {}, KeyFilter({"segment.bytes"})));
  EXPECT_EQ(entry.value, "1073741824");
  EXPECT_EQ(entry.source, ConfigSource::kDefault);
  EXPECT_EQ(entry.type, 3);
  EXPECT_FALSE(entry.read_only);
  EXPECT_THAT(entry.synonyms, ElementsAre(layer("log.segment.bytes", "1073741824", ConfigSource::kDefault)));

  entry = one(describe_topic(broker, {}, KeyFilter({"retention.ms"})));
  EXPECT_EQ(entry.value, "604800000");
  EXPECT_EQ(entry.source, ConfigSource::kDefault);
  EXPECT_THAT(entry.synonyms, ElementsAre());  // log.retention.ms itself has no value anywhere
  EXPECT_EQ(describe_topic(broker, {}, std::nullopt).size(), 33u);
  EXPECT_EQ(one(describe_topic(broker, {}, KeyFilter({"flush.ms", "nonsense"}))).value,
            "9223372036854775807");
}

TEST(DescribeTopic, Layers) {
  KafkaConfig broker = parse_config({{"log.segment.bytes", "2000000"}, {"log.retention.hours", "5"}});
  ConfigEntry entry =
      one(describe_topic(broker, {{"segment.bytes", "3000000"}}, KeyFilter({"segment.bytes"})));
  EXPECT_EQ(entry.value, "3000000");
  EXPECT_EQ(entry.source, ConfigSource::kTopic);
  EXPECT_THAT(entry.synonyms, ElementsAre(layer("segment.bytes", "3000000", ConfigSource::kTopic),
                                          layer("log.segment.bytes", "2000000", ConfigSource::kStaticBroker),
                                          layer("log.segment.bytes", "1073741824", ConfigSource::kDefault)));
  entry = one(describe_topic(broker, {}, KeyFilter({"retention.ms"})));
  EXPECT_EQ(entry.value, "18000000");
  EXPECT_EQ(entry.source, ConfigSource::kDefault);
  EXPECT_THAT(entry.synonyms, ElementsAre());

  entry = one(describe_topic(parse_config({{"log.retention.ms", "5"}}), {}, KeyFilter({"retention.ms"})));
  EXPECT_EQ(entry.source, ConfigSource::kStaticBroker);
  EXPECT_THAT(entry.synonyms, ElementsAre(layer("log.retention.ms", "5", ConfigSource::kStaticBroker),
                                          layer("log.retention.hours", "168", ConfigSource::kDefault)));
}

TEST(DescribeBroker, EveryPublicKey) {
  KafkaConfig broker = parse_config({});
  std::vector<ConfigEntry> all = describe_broker(broker, std::nullopt);
  EXPECT_EQ(all.size(), 340u);
  EXPECT_TRUE(std::ranges::is_sorted(all, {}, &ConfigEntry::name));
  for (const ConfigEntry& entry : all) EXPECT_FALSE(entry.documentation.empty()) << entry.name;
}

TEST(DescribeBroker, Layers) {
  KafkaConfig broker =
      parse_config({{"log.retention.minutes", "5"}, {"log.retention.hours", "7"}, {"foo.bar", "zz"}})
          .with_dynamic({{"message.max.bytes", "11"}}, {{"message.max.bytes", "12"}});
  ConfigEntry entry = one(describe_broker(broker, KeyFilter({"log.retention.minutes"})));
  EXPECT_EQ(entry.value, "5");
  EXPECT_TRUE(entry.read_only);
  EXPECT_THAT(entry.synonyms, ElementsAre(layer("log.retention.minutes", "5", ConfigSource::kStaticBroker),
                                          layer("log.retention.hours", "7", ConfigSource::kStaticBroker),
                                          layer("log.retention.hours", "168", ConfigSource::kDefault)));
  entry = one(describe_broker(broker, KeyFilter({"log.retention.ms"})));
  EXPECT_EQ(entry.value, std::nullopt);
  EXPECT_FALSE(entry.read_only);
  EXPECT_THAT(entry.synonyms, ElementsAre());
  entry = one(describe_broker(broker, KeyFilter({"message.max.bytes"})));
  EXPECT_EQ(entry.value, "12");
  EXPECT_THAT(entry.synonyms,
              ElementsAre(layer("message.max.bytes", "12", ConfigSource::kDynamicBroker),
                          layer("message.max.bytes", "11", ConfigSource::kDynamicDefaultBroker),
                          layer("message.max.bytes", "1048588", ConfigSource::kDefault)));
  entry = one(describe_broker(broker, KeyFilter({"foo.bar"})));  // unknown: might be a plug-in's secret
  EXPECT_EQ(entry.value, std::nullopt);
  EXPECT_TRUE(entry.sensitive);
  EXPECT_TRUE(entry.read_only);
  EXPECT_EQ(entry.type, 0);
  entry = one(describe_broker(broker, KeyFilter({"node.id"})));
  EXPECT_THAT(entry.synonyms, ElementsAre(layer("node.id", "1", ConfigSource::kStaticBroker)));

  entry = one(describe_all_brokers(broker, std::nullopt));
  EXPECT_EQ(entry.name, "message.max.bytes");
  EXPECT_EQ(entry.value, "11");
  EXPECT_EQ(entry.source, ConfigSource::kDynamicDefaultBroker);
}

TEST(DescribeBroker, SecretsAreNotShown) {
  KafkaConfig broker = parse_config({{"ssl.key.password", "hush"}});
  ConfigEntry entry = one(describe_broker(broker, KeyFilter({"ssl.key.password"})));
  EXPECT_EQ(entry.value, std::nullopt);
  EXPECT_TRUE(entry.sensitive);
  ASSERT_EQ(entry.synonyms.size(), 1u);
  EXPECT_EQ(entry.synonyms[0].value, std::nullopt);
}

TEST(DescribeGroup, BrokerGivesTheDefault) {
  KafkaConfig broker = parse_config({{"group.consumer.session.timeout.ms", "50000"}});
  ConfigEntry entry = one(describe_group(broker, {}, KeyFilter({"consumer.session.timeout.ms"})));
  EXPECT_EQ(entry.value, "50000");
  EXPECT_EQ(entry.source, ConfigSource::kStaticBroker);
  entry = one(describe_group(broker, {{"share.auto.offset.reset", "earliest"}},
                             KeyFilter({"share.auto.offset.reset"})));
  EXPECT_EQ(entry.value, "earliest");
  EXPECT_THAT(entry.synonyms,
              ElementsAre(layer("share.auto.offset.reset", "earliest", ConfigSource::kGroup),
                          layer("share.auto.offset.reset", "latest", ConfigSource::kDefault)));
  EXPECT_EQ(one(describe_client_metrics({{"interval.ms", "7000"}}, KeyFilter({"interval.ms"}))).source,
            ConfigSource::kClientMetrics);
}

}  // namespace
}  // namespace milena::config
