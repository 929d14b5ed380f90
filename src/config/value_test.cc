#include "config/value.h"

#include <gtest/gtest.h>

#include "config/address.h"

namespace milena::config {
namespace {

std::string parsed(std::string_view key, std::string_view text, Scope scope = Scope::kBroker) {
  auto value = parse_value(*find_key(scope, key), text);
  return value.has_value() ? format_value(*value) : value.error();
}

// What KafkaConfig.configDef().parse says to the same texts.
TEST(Value, TypesAndMessagesAreKafkas) {
  EXPECT_EQ(parsed("log.segment.bytes", " 2097152 "), "2097152");
  EXPECT_EQ(parsed("log.segment.bytes", "12"),
            "Invalid value 12 for configuration log.segment.bytes: Value must be at least 1048576");
  EXPECT_EQ(parsed("log.segment.bytes", "abc"),
            "Invalid value abc for configuration log.segment.bytes: Not a number of type INT");
  EXPECT_EQ(parsed("log.segment.bytes", "99999999999"),
            "Invalid value 99999999999 for configuration log.segment.bytes: Not a number of type INT");
  EXPECT_EQ(parsed("log.segment.bytes", ""),
            "Invalid value  for configuration log.segment.bytes: Not a number of type INT");
  EXPECT_EQ(parsed("log.preallocate", "TRUE"), "true");
  EXPECT_EQ(parsed("log.preallocate", "yes"),
            "Invalid value yes for configuration log.preallocate: Expected value to be either true or false");
  EXPECT_EQ(
      parsed("offsets.topic.replication.factor", "70000"),
      "Invalid value 70000 for configuration offsets.topic.replication.factor: Not a number of type SHORT");
  EXPECT_EQ(parsed("log.roll.hours", "+5"), "5");
  EXPECT_NE(parsed("log.roll.hours", "0x10").find("Not a number"), std::string::npos);
  EXPECT_NE(parsed("log.roll.hours", "+-5").find("Not a number"), std::string::npos);
}

TEST(Value, Doubles) {
  EXPECT_EQ(parsed("log.cleaner.io.max.bytes.per.second", "1e3"), "1000.0");
  EXPECT_EQ(parsed("log.cleaner.io.max.bytes.per.second", "1.7976931348623157E308"),
            "1.7976931348623157E308");
  EXPECT_EQ(parsed("log.cleaner.io.max.bytes.per.second", "12500000"), "1.25E7");
  EXPECT_EQ(parsed("log.cleaner.min.cleanable.ratio", "0.0005"), "5.0E-4");
  EXPECT_EQ(
      parsed("log.cleaner.min.cleanable.ratio", "2"),
      "Invalid value 2.0 for configuration log.cleaner.min.cleanable.ratio: Value must be no more than 1");
  EXPECT_EQ(parsed("log.cleaner.min.cleanable.ratio", "x"),
            "Invalid value x for configuration log.cleaner.min.cleanable.ratio: Not a number of type DOUBLE");
}

TEST(Value, Lists) {
  EXPECT_EQ(parsed("log.cleanup.policy", "compact , delete"), "compact,delete");
  EXPECT_EQ(parsed("log.cleanup.policy", "compact,compact"), "compact");
  EXPECT_EQ(parsed("log.cleanup.policy", ""), "");
  EXPECT_EQ(parsed("log.cleanup.policy", "foo"),
            "Invalid value foo for configuration log.cleanup.policy: String must be one of: compact, delete");
  EXPECT_EQ(parsed("log.cleanup.policy", "compact, "),
            "Configuration 'log.cleanup.policy' values must not be empty.");
  EXPECT_EQ(parsed("log.dirs", ""),
            "Configuration 'log.dirs' must not be empty. Valid values include: any non-empty value");
  EXPECT_EQ(parsed("controller.quorum.voters", "x"),
            "Invalid configuration value for controller.quorum.voters. Each entry should be in the form "
            "`{id}@{host}:{port}`.");
  EXPECT_EQ(parsed("controller.quorum.bootstrap.servers", "foo"),
            "Failed to parse host name from foo for the configuration controller.quorum.bootstrap.servers. "
            "Each entry should "
            "be in the form \"{host}:{port}\"");
  EXPECT_EQ(parsed("follower.replication.throttled.replicas", "1:2, 3:4", Scope::kTopic), "1:2,3:4");
  EXPECT_EQ(parsed("follower.replication.throttled.replicas", "*", Scope::kTopic), "*");
  EXPECT_EQ(parsed("follower.replication.throttled.replicas", "1:2,3", Scope::kTopic),
            "Invalid value [1:2, 3] for configuration follower.replication.throttled.replicas: "
            "follower.replication.throttled.replicas must be the literal '*' or a list of replicas in the "
            "following format: "
            "[partitionId]:[brokerId],[partitionId]:[brokerId],...");
}

TEST(Value, Words) {
  EXPECT_EQ(parsed("compression.type", "foo"),
            "Invalid value foo for configuration compression.type: String must be one of: "
            "uncompressed, zstd, lz4, snappy, gzip, producer");
  EXPECT_EQ(parsed("compression.gzip.level", "0"),
            "Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or "
            "equal to -1");
  EXPECT_EQ(parsed("compression.gzip.level", "-1"), "-1");
  EXPECT_EQ(parsed("group.consumer.migration.policy", "Upgrade"), "Upgrade");
  EXPECT_NE(parsed("group.consumer.migration.policy", "x").find("(case insensitive): DISABLED"),
            std::string::npos);
  EXPECT_EQ(
      parsed("remote.log.storage.manager.class.name", ""),
      "Invalid value  for configuration remote.log.storage.manager.class.name: String must be non-empty");
  for (const char* good : {"latest", "earliest", "by_duration:PT1H", "by_duration:P2DT3H4M5.5S"}) {
    EXPECT_EQ(parsed("share.auto.offset.reset", good, Scope::kGroup), good);
  }
  for (const char* bad : {"none", "by_duration:", "by_duration:P", "by_duration:PT", "by_duration:1h",
                          "by_duration:-PT1H", "by_duration:PT1D", "by_duration:PT1S2H"}) {
    EXPECT_NE(parsed("share.auto.offset.reset", bad, Scope::kGroup), bad);
  }
}

TEST(Address, Forms) {
  EXPECT_EQ(parse_address("a:9092"), (Address{"a", 9092}));
  EXPECT_EQ(parse_address("[::1]:9092"), (Address{"::1", 9092}));
  for (const char* bad : {"", ":9092", "a", "a:", "a:x", "a:70000", "a b:1", "[::1:9092", "[]:1"}) {
    EXPECT_FALSE(parse_address(bad)) << bad;
  }
  EXPECT_EQ(parse_voter("3@h:9093"), (Voter{BrokerId(3), {"h", 9093}}));
  EXPECT_FALSE(parse_voter("-3@h:9093"));
  EXPECT_FALSE(parse_voter("h:9093"));
  EXPECT_EQ(parse_listener("external://:0"), (ListenerAddress{"EXTERNAL", {"", 0}}));
  EXPECT_EQ(parse_listener("A://[::]:9092"), (ListenerAddress{"A", {"::", 9092}}));
  for (const char* bad : {"PLAINTEXT", "PLAINTEXT://", "://h:1", "A:/h:1", "A://h"}) {
    EXPECT_FALSE(parse_listener(bad)) << bad;
  }
}

}  // namespace
}  // namespace milena::config
