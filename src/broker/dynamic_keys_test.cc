// Every key that may change while a node runs: its new value is told at once with where it comes from, in Kafka's
// order of precedence, and for those of which status.h says that they work there is a test that shows the effect.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "broker/testing/node_world.h"
#include "config/alter.h"
#include "config/describe.h"
#include "config/key.h"
#include "config/status.h"
#include "config/value.h"
#include "wire/apis/alter_configs.h"
#include "wire/apis/describe_configs.h"
#include "wire/apis/incremental_alter_configs.h"
#include "wire/error_code.h"

namespace milena::broker {
namespace {

using config::Key;
using config::Scope;
using config::Update;

constexpr std::int8_t kTopic = 2;
constexpr std::int8_t kBroker = 4;
constexpr std::int8_t kLogger = 8;

// Where values come from, as on the wire.
constexpr std::int8_t kOfTopic = 1;
constexpr std::int8_t kOfThisBroker = 2;
constexpr std::int8_t kOfAllBrokers = 3;

// With eligible leader replicas (KIP-966) it stands for all brokers, and neither goes nor is one broker's.
const std::string kMinIsr = "min.insync.replicas";

// Tests that show the effect, by key; those of topics show those of the broker's keys behind them, too, because the
// partition acts on one value that both give (broker_defaults_reach_the_topics).
const std::map<std::string, std::string> kEffects = {
    {"compression.gzip.level", "Effects.compression_type_and_levels"},
    {"compression.lz4.level", "Effects.compression_type_and_levels"},
    {"compression.type", "Effects.compression_type_and_levels"},
    {"compression.zstd.level", "Effects.compression_type_and_levels"},
    {"cordoned.log.dirs", "Directories.a_cordoned_one_gets_no_more_partitions"},
    {"log.cleanup.policy", "Effects.cleanup_policy"},
    {"log.flush.interval.messages", "Flushes.of_the_broker"},
    {"log.flush.interval.ms", "Flushes.flush_ms"},
    {"log.index.interval.bytes", "Effects.index_interval_and_size"},
    {"log.index.size.max.bytes", "Effects.index_interval_and_size"},
    {"log.message.timestamp.after.max.ms", "Effects.message_timestamps"},
    {"log.message.timestamp.before.max.ms", "Effects.message_timestamps"},
    {"log.message.timestamp.type", "Effects.message_timestamps"},
    {"log.preallocate", "Effects.preallocate"},
    {"log.retention.bytes", "Effects.retention_bytes_and_file_delete_delay"},
    {"log.retention.ms", "Effects.retention_of_the_broker"},
    {"log.roll.jitter.ms", "Effects.segment_jitter_ms"},
    {"log.roll.ms", "Effects.segment_ms"},
    {"log.segment.bytes", "Effects.segment_bytes"},
    {"log.segment.delete.delay.ms", "Effects.retention_bytes_and_file_delete_delay"},
    {"max.connection.creation.rate", "ConnectionQuota.max_connection_creation_rate_spreads_them_over_time"},
    {"max.connections", "ConnectionQuota.max_connections_raised_and_lowered_while_the_node_runs"},
    {"max.connections.per.ip", "ConnectionQuota.max_connections_per_ip_closes_the_newest"},
    {"max.connections.per.ip.overrides", "ConnectionQuota.max_connections_per_ip_overrides"},
    {"message.max.bytes", "Effects.a_broker_s_own_values_win_over_those_of_all_brokers"},
    // With one replica there is nothing more to see than its value: Kafka takes no more than there are replicas.
    {"min.insync.replicas", "DynamicKeys.of_brokers_are_told_at_once_in_the_order_of_precedence"},
    {"producer.id.expiration.ms", "Effects.producer_id_expiration"},
    {"replica.alter.log.dirs.io.max.bytes.per.second", "AlterReplicaLogDirs.a_move_keeps_to_its_rate"},
    {"unclean.leader.election.enable", "DynamicKeys.of_brokers_are_told_at_once_in_the_order_of_precedence"},
    // of topics
    {"cleanup.policy", "Effects.cleanup_policy"},
    {"file.delete.delay.ms", "Effects.retention_bytes_and_file_delete_delay"},
    {"flush.messages", "Flushes.flush_messages"},
    {"flush.ms", "Flushes.flush_ms"},
    {"index.interval.bytes", "Effects.index_interval_and_size"},
    {"max.message.bytes", "Effects.max_message_bytes"},
    {"message.timestamp.after.max.ms", "Effects.message_timestamps"},
    {"message.timestamp.before.max.ms", "Effects.message_timestamps"},
    {"message.timestamp.type", "Effects.message_timestamps"},
    {"preallocate", "Effects.preallocate"},
    {"retention.bytes", "Effects.retention_bytes_and_file_delete_delay"},
    {"retention.ms", "Effects.retention_ms"},
    {"segment.bytes", "Effects.segment_bytes"},
    {"segment.index.bytes", "Effects.index_interval_and_size"},
    {"segment.jitter.ms", "Effects.segment_jitter_ms"},
    {"segment.ms", "Effects.segment_ms"},
};

// A value that is allowed and not the one in force.
std::string another_value(const Key& key, const std::string& now) {
  static const std::map<std::string_view, std::string> given = {
      {"cordoned.log.dirs", "/data"},
      {"log.cleaner.dedupe.buffer.size", "134217729"},
      {"max.connections.per.ip.overrides", "10.9.8.7:5"},
      {"log.message.timestamp.type", "LogAppendTime"},
      {"message.timestamp.type", "LogAppendTime"},
      {"listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,MORE:PLAINTEXT"},
      {"compression.gzip.level", "5"},
      {"compression.zstd.level", "4"},
      {"log.local.retention.bytes", "-2"},
      {"log.local.retention.ms", "-2"},
      {"follower.replication.throttled.replicas", "0:1"},
      {"leader.replication.throttled.replicas", "0:1"},
      {"cleanup.policy", "compact"},
      {"log.cleanup.policy", "compact"},
      {"compression.type", "lz4"},
  };
  if (auto at = given.find(key.name); at != given.end()) return at->second;
  auto candidates = [&]() -> std::vector<std::string> {
    switch (key.type) {
      case config::Type::kBoolean: return {now == "true" ? "false" : "true"};
      case config::Type::kInt:
      case config::Type::kLong:
      case config::Type::kShort: {
        std::int64_t number = now.empty() ? 1 : std::stoll(now);
        return {std::to_string(number == INT64_MAX ? number - 1 : number + 1), std::to_string(number - 1)};
      }
      case config::Type::kDouble: return {"0.25"};
      default: return {};
    }
  }();
  for (const std::string& candidate : candidates) {
    if (config::parse_value(key, candidate).has_value()) return candidate;
  }
  return {};
}

class DynamicKeys : public ::testing::Test {
 protected:
  using Entry = wire::DescribeConfigsResponse::DescribeConfigsResourceResult;

  void SetUp() override {
    ASSERT_TRUE(world_.start()) << world_.error();
    world_.create_topic("t");
  }
  std::map<std::string, Entry> describe(std::int8_t type, const std::string& name) {
    wire::DescribeConfigsRequest request;
    request.include_synonyms = true;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = type;
    resource.resource_name = name;
    resource.configuration_keys.reset();
    auto response = world_.ask<wire::DescribeConfigsApi>(request, 4);
    CHECK(response.has_value() && response->results.at(0).error_code == 0);
    std::map<std::string, Entry> entries;
    for (Entry& entry : response->results[0].configs) entries.emplace(entry.name, entry);
    return entries;
  }
  std::string set(std::int8_t type, const std::string& name, const std::string& key, std::optional<std::string> value,
                  std::int8_t operation = 0) {
    wire::IncrementalAlterConfigsRequest request;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = type;
    resource.resource_name = name;
    auto& config = resource.configs.emplace_back();
    config.name = key;
    config.config_operation = value.has_value() ? operation : std::int8_t{1};
    config.value = std::move(value);
    auto answer = world_.ask<wire::IncrementalAlterConfigsApi>(request, 1);
    CHECK(answer.has_value(), "IncrementalAlterConfigs was not answered");
    const auto& result = answer->responses.at(0);
    return result.error_code == 0 ? "" : result.error_message.value_or("an error without a message");
  }
  void expect(const std::map<std::string, Entry>& entries, std::string_view key, const std::string& value,
              std::int8_t source) {
    auto at = entries.find(std::string(key));
    ASSERT_NE(at, entries.end()) << key;
    EXPECT_EQ(at->second.value, value) << key;
    EXPECT_EQ(at->second.config_source, source) << key;
  }

  NodeWorld world_;
};

bool dynamic(const Key& key) {
  return key.update != Update::kReadOnly && !key.internal && !key.name.starts_with("ssl.") &&
         !key.name.starts_with("sasl.");
}

TEST_F(DynamicKeys, of_brokers_are_told_at_once_in_the_order_of_precedence) {
  const auto before = describe(kBroker, "1");
  std::size_t tried = 0;
  for (const Key& key : config::keys(Scope::kBroker)) {
    std::string name(key.name);
    if (!dynamic(key) || !before.contains(name)) continue;
    const Entry& old = before.at(name);
    std::string first = another_value(key, old.value.value_or(""));
    if (first.empty()) continue;  // lists of classes and the like
    ++tried;
    if (name == kMinIsr) {
      ASSERT_EQ(set(kBroker, "", name, first), "");
      expect(describe(kBroker, "1"), name, first, kOfAllBrokers);
      ASSERT_EQ(set(kBroker, "", name, old.value), "");
      continue;
    }
    if (key.update == Update::kClusterWide) {
      ASSERT_EQ(set(kBroker, "", name, first), "") << name;
      expect(describe(kBroker, "1"), name, first, kOfAllBrokers);
      std::string second = another_value(key, first);
      ASSERT_EQ(set(kBroker, "1", name, second), "") << name;
      expect(describe(kBroker, "1"), name, second, kOfThisBroker);
      expect(describe(kBroker, ""), name, first, kOfAllBrokers);
      ASSERT_EQ(set(kBroker, "1", name, std::nullopt), "") << name;
      expect(describe(kBroker, "1"), name, first, kOfAllBrokers);
      ASSERT_EQ(set(kBroker, "", name, std::nullopt), "") << name;
    } else {
      EXPECT_NE(set(kBroker, "", name, first), "") << name << " is for one broker";
      ASSERT_EQ(set(kBroker, "1", name, first), "") << name;
      expect(describe(kBroker, "1"), name, first, kOfThisBroker);
      ASSERT_EQ(set(kBroker, "1", name, std::nullopt), "") << name;
    }
    const auto after = describe(kBroker, "1");
    EXPECT_EQ(after.at(name).value, old.value) << name;
    EXPECT_EQ(after.at(name).config_source, old.config_source) << name;
  }
  EXPECT_GE(tried, 45u);
}

TEST_F(DynamicKeys, of_topics_are_told_at_once) {
  const auto before = describe(kTopic, "t");
  std::size_t tried = 0;
  for (const Key& key : config::keys(Scope::kTopic)) {
    std::string name(key.name);
    if (key.internal || config::key_status(Scope::kTopic, name).status == config::Status::kRefused) continue;
    const Entry& old = before.at(name);
    std::string value = another_value(key, old.value.value_or(""));
    if (value.empty()) continue;
    std::string refused = set(kTopic, "t", name, value);
    if (!refused.empty() && (name.starts_with("remote.") || name.starts_with("local."))) continue;  // as by Kafka
    ASSERT_EQ(refused, "") << name << "=" << value;
    ++tried;
    expect(describe(kTopic, "t"), name, value, kOfTopic);
    ASSERT_EQ(set(kTopic, "t", name, std::nullopt), "") << name;
    const auto after = describe(kTopic, "t");
    EXPECT_EQ(after.at(name).value, old.value) << name;
    EXPECT_EQ(after.at(name).config_source, old.config_source) << name;
  }
  EXPECT_GE(tried, 25u);
}

TEST_F(DynamicKeys, broker_defaults_reach_the_topics) {
  std::size_t tried = 0;
  for (const Key& topic_key : config::keys(Scope::kTopic)) {
    for (const config::TopicSynonym& synonym : config::topic_synonyms(topic_key.name)) {
      const Key& key = *config::find_key(Scope::kBroker, synonym.broker_key);
      if (!dynamic(key) || topic_key.internal || key.name == kMinIsr) continue;
      std::string name(key.name);
      auto before = describe(kTopic, "t");
      std::string value = another_value(key, describe(kBroker, "1").at(name).value.value_or(""));
      ASSERT_FALSE(value.empty()) << name;
      ASSERT_EQ(set(kBroker, "", name, value), "") << name;
      expect(describe(kTopic, "t"), topic_key.name, value, kOfAllBrokers);
      ASSERT_EQ(set(kBroker, "", name, std::nullopt), "") << name;
      EXPECT_EQ(describe(kTopic, "t").at(std::string(topic_key.name)).value,
                before.at(std::string(topic_key.name)).value);
      ++tried;
    }
  }
  EXPECT_GE(tried, 20u);
}

bool is_a_test(const std::string& full_name) {
  const ::testing::UnitTest& all = *::testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const ::testing::TestSuite& suite = *all.GetTestSuite(i);
    for (int j = 0; j < suite.total_test_count(); ++j) {
      if (std::string(suite.name()) + "." + suite.GetTestInfo(j)->name() == full_name) return true;
    }
  }
  return false;
}

TEST(DynamicKeyEffects, every_key_that_works_has_a_test_that_shows_it) {
  std::set<std::string> works;
  for (const Key& key : config::keys(Scope::kBroker)) {
    if (dynamic(key) && config::follows_changes(key.name)) works.emplace(key.name);
  }
  for (const Key& key : config::dynamic_only_broker_keys()) {
    if (config::follows_changes(key.name)) works.emplace(key.name);
  }
  for (const Key& key : config::keys(Scope::kTopic)) {
    if (config::key_status(Scope::kTopic, key.name).status == config::Status::kWorks) works.emplace(key.name);
  }
  for (const std::string& key : works) EXPECT_TRUE(kEffects.contains(key)) << key;
  for (const auto& [key, test] : kEffects) {
    EXPECT_TRUE(works.contains(key)) << key;
    EXPECT_TRUE(is_a_test(test)) << test;
  }
}

TEST_F(DynamicKeys, levels_of_loggers) {
  const auto before = describe(kLogger, "1");
  ASSERT_GE(before.size(), 5u);
  expect(before, "root", "INFO", 6);
  EXPECT_EQ(set(kLogger, "1", "group", "DEBUG"), "");
  expect(describe(kLogger, "1"), "group", "DEBUG", 6);
  expect(describe(kLogger, "1"), "log", "INFO", 6);
  EXPECT_EQ(set(kLogger, "1", "root", "WARN"), "");
  expect(describe(kLogger, "1"), "log", "WARN", 6);
  EXPECT_EQ(set(kLogger, "1", "group", std::nullopt), "");
  expect(describe(kLogger, "1"), "group", "WARN", 6);
  EXPECT_EQ(set(kLogger, "1", "root", std::nullopt), "Removing the log level of the root logger is not allowed");
  EXPECT_EQ(set(kLogger, "1", "nobody", "INFO"), "Logger nobody does not exist!");
  EXPECT_EQ(set(kLogger, "1", "root", "LOUD"),
            "Cannot set the log level of root to LOUD as it is not a supported log level. Valid log levels are FATAL, "
            "ERROR, WARN, INFO, DEBUG, TRACE");
  EXPECT_EQ(set(kLogger, "1", "root", "INFO", 2), "APPEND operation is not allowed for the BROKER_LOGGER resource");
  EXPECT_EQ(set(kLogger, "2", "root", "INFO"), "Unexpected node id. Expected 1, but received 2");
  EXPECT_EQ(set(kLogger, "x", "root", "INFO"), "Node id must be an integer, but it is: x");
}

// AlterConfigs, the old way: what is not named goes back to its default.
TEST_F(DynamicKeys, the_old_request_does_the_same) {
  ASSERT_EQ(set(kBroker, "1", "log.retention.ms", "60000"), "");
  wire::AlterConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = kBroker;
  resource.resource_name = "1";
  auto& config = resource.configs.emplace_back();
  config.name = "max.connections";
  config.value = "77";
  ASSERT_EQ(world_.ask<wire::AlterConfigsApi>(request, 2)->responses.at(0).error_code, 0);
  expect(describe(kBroker, "1"), "max.connections", "77", kOfThisBroker);
  EXPECT_NE(describe(kBroker, "1").at("log.retention.ms").config_source, kOfThisBroker);
}

TEST_F(DynamicKeys, cordoned_log_dirs_must_be_directories_of_this_broker) {
  EXPECT_NE(set(kBroker, "1", "cordoned.log.dirs", "/elsewhere"), "");
  EXPECT_NE(set(kBroker, "1", "cordoned.log.dirs", "*,/data"), "");
  EXPECT_EQ(set(kBroker, "1", "cordoned.log.dirs", "*"), "");
}

}  // namespace
}  // namespace milena::broker
