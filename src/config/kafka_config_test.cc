#include "config/kafka_config.h"

#include <gtest/gtest.h>

#include "config/config_testing.h"
#include "config/log_config.h"
#include "config/server_config.h"

namespace milena::config {
namespace {

TEST(KafkaConfig, DefaultsAndValues) {
  KafkaConfig config = parse_config({{"log.dirs", "/a, /b"}, {"num.partitions", "7"}});
  EXPECT_EQ(config.integer("num.partitions"), 7);
  EXPECT_EQ(config.list("log.dirs"), (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(config.integer("log.segment.bytes"), 1 << 30);
  EXPECT_TRUE(config.is_null("log.retention.ms"));
  EXPECT_TRUE(config.is_set("num.partitions"));
  EXPECT_FALSE(config.is_set("num.io.threads"));
  EXPECT_EQ(config.integer("broker.id"), 1);  // node.id's other name
  EXPECT_EQ(config.milliseconds("log.flush.scheduler.interval.ms"), Duration::max());
}

TEST(KafkaConfig, ReportsEveryError) {
  auto config = KafkaConfig::parse(settings_from_file({{"num.partitions", "0"},
                                                       {"process.roles", "broker,king"},
                                                       {"listener.name.x.ssl.client.auth", "maybe"}},
                                                      "f"));
  ASSERT_TRUE(config.failed());
  std::vector<std::string> texts;
  for (const ConfigError& error : config.error()) texts.push_back(error.text());
  EXPECT_EQ(
      texts,
      (std::vector<std::string>{
          "Missing required configuration \"controller.listener.names\" which has no default value.",
          "Missing required configuration \"node.id\" which has no default value.",
          "f: Invalid value 0 for configuration num.partitions: Value must be at least 1",
          "f: Invalid value king for configuration process.roles: String must be one of: broker, controller",
          // NOLINTNEXTLINE(bugprone-suspicious-missing-comma) one text
          "f: Invalid value maybe for configuration ssl.client.auth: String must be one of: required, "
          "requested, none"}));
}

TEST(KafkaConfig, DynamicLayers) {
  KafkaConfig config = parse_config({{"log.retention.ms", "1"}, {"message.max.bytes", "1"}});
  ConfigErrors ignored;
  KafkaConfig layered =
      config.with_dynamic({{"log.retention.ms", "2"}, {"message.max.bytes", "2"}, {"node.id", "5"}},
                          {{"message.max.bytes", "3"}, {"log.cleaner.threads", "x"}}, &ignored);
  EXPECT_EQ(layered.integer("log.retention.ms"), 2);
  EXPECT_EQ(layered.integer("message.max.bytes"), 3);
  EXPECT_EQ(layered.integer("log.cleaner.threads"), 1);
  EXPECT_EQ(layered.integer("node.id"), 1);
  ASSERT_EQ(ignored.size(), 2u);
  EXPECT_EQ(ignored[0].key, "node.id");
  EXPECT_EQ(ignored[1].key, "log.cleaner.threads");
  EXPECT_EQ(layered.with_dynamic({}, {}).integer("message.max.bytes"), 1);
}

TEST(ServerConfig, CombinedNode) {
  auto server = server_config(parse_config({{"log.dirs", "/a,/b"}, {"broker.rack", "r"}}));
  ASSERT_TRUE(server.has_value());
  EXPECT_EQ(server->node_id, BrokerId(1));
  EXPECT_TRUE(server->broker);
  EXPECT_TRUE(server->controller);
  EXPECT_EQ(server->rack, "r");
  EXPECT_EQ(server->log.dirs.size(), 2u);
  EXPECT_EQ(server->metadata_log.dir, "/a");
  EXPECT_EQ(server->listeners.bind.size(), 2u);
  EXPECT_EQ(server->listeners.advertised, (std::vector<Listener>{{"PLAINTEXT", {"", 9092}}}));
  EXPECT_EQ(server->listeners.advertised_controller, (std::vector<Listener>{{"CONTROLLER", {"", 9093}}}));
  Listeners named = server->listeners;
  EXPECT_EQ(name_advertised_hosts(named, "db7.example"), "");
  EXPECT_EQ(named.advertised, (std::vector<Listener>{{"PLAINTEXT", {"db7.example", 9092}}}));
  EXPECT_EQ(named.advertised_controller, (std::vector<Listener>{{"CONTROLLER", {"db7.example", 9093}}}));
  EXPECT_EQ(named.bind, server->listeners.bind);
  EXPECT_EQ(name_advertised_hosts(named, "other"), "") << "they have a name";
  EXPECT_EQ(named.advertised[0].address.host, "db7.example");
  EXPECT_NE(name_advertised_hosts(server->listeners, ""), "") << "nobody knows this machine by name";
  EXPECT_EQ(server->listeners.advertised[0].address.host, "localhost");
  EXPECT_EQ(server->listeners.inter_broker_name, "PLAINTEXT");
  EXPECT_FALSE(server->socket.network_threads);
  EXPECT_EQ(server->group.offsets_retention, std::chrono::hours(24 * 7));
  EXPECT_EQ(server->quorum.bootstrap_servers, (std::vector<Address>{{"a", 1}}));
  EXPECT_EQ(server->metadata_log.idle_interval, Duration(500ms));
}

TEST(ServerConfig, StaticVoterGivesTheControllersAddress) {
  auto server = server_config(parse_config({{"controller.quorum.voters", "1@ctl:9093"}}));
  ASSERT_TRUE(server.has_value());
  EXPECT_EQ(server->quorum.voters, (std::vector<Voter>{{BrokerId(1), {"ctl", 9093}}}));
  EXPECT_EQ(server->listeners.advertised_controller[0].address, (Address{"ctl", 9093}));
}

std::string problem(const Properties& properties) {
  auto server = server_config(parse_config(properties));
  return server.has_value() ? "" : server.error().front().message;
}

// What new KafkaConfig(properties) says to the same properties.
TEST(ServerConfig, ListenersAreCheckedAsInKafka) {
  EXPECT_EQ(problem({{"listeners", "PLAINTEXT://:9092,CONTROLLER://:9092"}}),
            "Error creating broker listeners from '[PLAINTEXT://:9092, CONTROLLER://:9092]': Each listener "
            "must have a "
            "different port, listeners: [PLAINTEXT://:9092, CONTROLLER://:9092]");
  EXPECT_EQ(problem({{"listeners", "PLAINTEXT://1.2.3.4:9092,PLAINTEXT://[::1]:9092,CONTROLLER://:9093"}}),
            "Error creating broker listeners from '[PLAINTEXT://1.2.3.4:9092, PLAINTEXT://[::1]:9092, "
            "CONTROLLER://:9093]': "
            "Each listener must have a different name, listeners: [PLAINTEXT://1.2.3.4:9092, "
            "PLAINTEXT://[::1]:9092, "
            "CONTROLLER://:9093]");
  EXPECT_EQ(problem({{"listeners", "PLAINTEXT://:0,CONTROLLER://:0"}}), "");
  EXPECT_EQ(problem({{"listeners", "FOO://:9092,CONTROLLER://:9093"}}),
            "Error creating broker listeners from '[FOO://:9092, CONTROLLER://:9093]': No security protocol "
            "defined for "
            "listener FOO");
  EXPECT_EQ(
      problem({{"listeners", "PLAINTEXT://0.0.0.0:9092,CONTROLLER://:9093"}}),
      "advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP address.");
  EXPECT_EQ(problem({{"listeners", "PLAINTEXT://:9092,CONTROLLER://0.0.0.0:9093"}}), "");
  EXPECT_EQ(problem({{"listeners", "CONTROLLER://:9093"}}),
            "There must be at least one broker advertised listener. Perhaps all listeners appear in "
            "controller.listener.names?");
  EXPECT_EQ(problem({{"process.roles", "broker"}}),
            "controller.listener.names must not contain a value appearing in the 'listeners' configuration "
            "when running "
            "KRaft with just the broker role");
  EXPECT_EQ(problem({{"advertised.listeners", "PLAINTEXT://h:9092,SSL://i:9093"}}),
            "advertised.listeners listener names must be equal to or a subset of the ones defined in "
            "listeners. Found "
            "PLAINTEXT,SSL. The valid options based on the current configuration are PLAINTEXT,CONTROLLER");
  EXPECT_EQ(problem({{"inter.broker.listener.name", "CONTROLLER"}}),
            "inter.broker.listener.name must be a listener name defined in advertised.listeners. The valid "
            "options based on "
            "currently configured listeners are PLAINTEXT");
  EXPECT_EQ(problem({{"inter.broker.listener.name", "plaintext"}}), "");
  EXPECT_EQ(problem({{"inter.broker.listener.name", "PLAINTEXT"}, {"security.inter.broker.protocol", "SSL"}}),
            "Only one of inter.broker.listener.name and security.inter.broker.protocol should be set.");
  EXPECT_EQ(problem({{"listeners", "A://1.2.3.4:9092,B://[::1]:9092,CONTROLLER://:9093"},
                     {"listener.security.protocol.map", "A:PLAINTEXT,B:PLAINTEXT,CONTROLLER:PLAINTEXT"},
                     {"inter.broker.listener.name", "A"}}),
            "");
  EXPECT_EQ(problem({{"listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:FOO"}}),
            "Invalid security protocol `FOO` defined in listener.security.protocol.map");
}

TEST(ServerConfig, ValuesMustFitTogether) {
  EXPECT_EQ(problem({{"broker.id", "2"}}), "You must set `node.id` to the same value as `broker.id`.");
  EXPECT_EQ(problem({{"log.retention.hours", "0"}}),
            "log.retention.ms must be unlimited (-1) or, greater than or equal to 1");
  EXPECT_EQ(problem({{"log.retention.ms", "-2"}}), "");
  EXPECT_EQ(problem({{"log.roll.ms", "0"}}), "log.roll.ms must be greater than or equal to 1");
  EXPECT_EQ(
      problem({{"controller.quorum.voters", "2@a:1"}}),
      "If process.roles contains the 'controller' role, the node id 1 must be included in the set of voters "
      "controller.quorum.voters=Set(2)");
  EXPECT_EQ(
      problem({{"controller.quorum.bootstrap.servers", ""}}),
      "If using process.roles, either controller.quorum.bootstrap.servers must contain the set of bootstrap "
      "controllers or controller.quorum.voters must contain a parseable set of controllers.");
  EXPECT_EQ(problem({{"replica.lag.time.max.ms", "10"}}),
            "replica.fetch.wait.max.ms should always be less than or equal to replica.lag.time.max.ms to "
            "prevent frequent "
            "changes in ISR");
  EXPECT_EQ(problem({{"offsets.topic.compression.codec", "9"}}), "Unknown compression type id: 9");
  EXPECT_EQ(problem({{"queued.max.request.bytes", "5"}}),
            "queued.max.request.bytes must be larger or equal to socket.request.max.bytes");
}

TEST(LogConfig, TopicOverBrokerOverDefault) {
  LogConfig log = log_config(parse_config({}));
  EXPECT_EQ(log.retention_ms, std::chrono::hours(168));
  EXPECT_EQ(log.segment_ms, std::chrono::hours(168));
  EXPECT_EQ(log.retention_bytes, std::nullopt);
  EXPECT_EQ(log.flush_ms, Duration::max());
  EXPECT_TRUE(log.cleanup_delete);
  EXPECT_FALSE(log.cleanup_compact);
  EXPECT_EQ(log.compression_type, CompressionType::kProducer);
  EXPECT_EQ(log.max_message_bytes, 1048588);

  KafkaConfig broker = parse_config({{"log.retention.minutes", "5"},
                                     {"log.retention.hours", "7"},
                                     {"log.roll.hours", "2"},
                                     {"log.cleanup.policy", ""},
                                     {"log.flush.scheduler.interval.ms", "9"}});
  log = log_config(broker);
  EXPECT_EQ(log.retention_ms, std::chrono::minutes(5));
  EXPECT_EQ(log.segment_ms, std::chrono::hours(2));
  EXPECT_FALSE(log.cleanup_delete);
  EXPECT_EQ(log.flush_ms, Duration(9ms));

  log = log_config(broker, {{"retention.ms", "-1"},
                            {"cleanup.policy", "compact,delete"},
                            {"segment.bytes", "7"},
                            {"later.key", "1"},
                            {"message.timestamp.type", "LogAppendTime"},
                            {"retention.bytes", "10"}});
  EXPECT_EQ(log.retention_ms, std::nullopt);
  EXPECT_EQ(log.retention_bytes, 10);
  EXPECT_TRUE(log.cleanup_compact);
  EXPECT_EQ(log.segment_bytes, 1 << 30);  // 7 is not allowed, so it does not count
  EXPECT_EQ(log.message_timestamp_type, TimestampType::kLogAppendTime);
  EXPECT_EQ(log_config(parse_config({{"log.retention.hours", "-1"}})).retention_ms, std::nullopt);
}

TEST(Addresses, limits_of_hosts) {
  using Limits = std::map<std::string, std::int32_t>;
  EXPECT_EQ(parse_host_limits(""), Limits());
  EXPECT_EQ(parse_host_limits("127.0.0.1:5 , ::1:6,a-host:-1"), (Limits{{"127.0.0.1", 5}, {"::1", 6}, {"a-host", -1}}));
  for (std::string_view wrong : {"127.0.0.1", "127.0.0.1:", "a:b", "a:1,,b:2", "[::1]:5", "a/8:1", "a:99999999999"})
    EXPECT_EQ(parse_host_limits(wrong), std::nullopt) << wrong;
}

}  // namespace
}  // namespace milena::config
