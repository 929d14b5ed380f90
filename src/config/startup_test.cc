#include "config/startup.h"

#include <gmock/gmock.h>

#include "config/config_testing.h"

namespace milena::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Suggestions, WithinTwoEditsOrByTopicKey) {
  EXPECT_EQ(suggest_key("log.retention.hour"), "log.retention.hours");
  EXPECT_EQ(suggest_key("log.segmnet.bytes"), "log.segment.bytes");
  EXPECT_EQ(suggest_key("retention.ms"), "log.retention.ms");
  EXPECT_EQ(suggest_key("zookeeper.connect"), "");
}

TEST(Warnings, NoneForAPlainConfiguration) {
  EXPECT_THAT(startup_warnings(parse_config({{"offsets.topic.replication.factor", "1"}})), ElementsAre());
}

TEST(Warnings, ThatGroupsWouldHaveNoCoordinator) {
  EXPECT_THAT(startup_warnings(parse_config({})), ElementsAre(HasSubstr("offsets.topic.replication.factor=3 needs")));
}

TEST(Warnings, OneLineForEachKind) {
  KafkaConfig config = parse_config({{"log.segmnet.bytes", "1"},
                                     {"zookeeper.connect", "x"},
                                     {"super.users", "User:a"},
                                     {"num.io.threads", "16"},
                                     {"ssl.protocol", "TLSv1.2"},
                                     {"queued.max.requests", "500"},
                                     {"metric.reporters", "com.x.Y"},
                                     {"offsets.topic.replication.factor", "1"},
                                     {"broker.session.timeout.ms", "3000"}});
  EXPECT_THAT(
      startup_warnings(config),
      ElementsAre(
          "Unknown configuration keys are ignored: log.segmnet.bytes (did you mean log.segment.bytes?), "
          "zookeeper.connect",
          "Configuration keys without effect yet: num.io.threads, ssl.protocol",
          "metric.reporters is ignored: Java classes cannot be loaded",
          HasSubstr("broker.heartbeat.interval.ms (2000 ms)")));
}

std::vector<std::string> refused(const Properties& properties) {
  std::vector<std::string> keys;
  for (const ConfigError& error : startup_refusals(parse_config(properties))) {
    EXPECT_THAT(error.message, HasSubstr(error.key));
    EXPECT_EQ(error.source, "server.properties") << error.key;
    keys.push_back(error.key);
  }
  return keys;
}

TEST(Refusals, NothingForPlaintext) {
  EXPECT_THAT(refused({}), ElementsAre());
}

TEST(Refusals, WhatWouldBeServedWrongly) {
  EXPECT_THAT(refused({{"listeners", "PLAINTEXT://:1,SSL://:2,CONTROLLER://:3"}}), ElementsAre("listeners"));
  EXPECT_THAT(refused({{"listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:SASL_SSL"}}),
              ElementsAre("listeners"));
  EXPECT_THAT(refused({{"remote.log.storage.system.enable", "true"}}),
              ElementsAre("remote.log.storage.system.enable"));
  EXPECT_THAT(refused({{"create.topic.policy.class.name", "X"},
                       {"alter.config.policy.class.name", "X"},
                       {"client.quota.callback.class", "X"},
                       {"principal.builder.class", "X"}}),
              ElementsAre("alter.config.policy.class.name", "client.quota.callback.class",
                          "create.topic.policy.class.name", "principal.builder.class"));
  EXPECT_THAT(refused({{"controller.quorum.voters", "1@a:1,2@b:1"}}),
              ElementsAre("controller.quorum.voters"));
  EXPECT_THAT(refused({{"controller.quorum.voters", "1@a:1"}}), ElementsAre());
}

TEST(Refusals, AuthorizerUnlessEverybodyMayDoEverything) {
  const std::string name = "org.apache.kafka.metadata.authorizer.StandardAuthorizer";
  EXPECT_THAT(refused({{"authorizer.class.name", name}}), ElementsAre("authorizer.class.name"));
  EXPECT_THAT(refused({{"authorizer.class.name", name}, {"super.users", "User:admin"}}),
              ElementsAre("authorizer.class.name"));
  EXPECT_THAT(refused({{"authorizer.class.name", name}, {"super.users", "User:admin; User:ANONYMOUS"}}),
              ElementsAre());
  EXPECT_THAT(refused({{"authorizer.class.name", name}, {"allow.everyone.if.no.acl.found", "true"}}),
              ElementsAre());
}

TEST(Refusals, AuthorizerThatDependsOnStoredAcls) {
  const std::string name = "org.apache.kafka.metadata.authorizer.StandardAuthorizer";
  EXPECT_FALSE(must_have_no_acls(parse_config({})));
  EXPECT_TRUE(must_have_no_acls(
      parse_config({{"authorizer.class.name", name}, {"allow.everyone.if.no.acl.found", "true"}})));
  EXPECT_FALSE(must_have_no_acls(
      parse_config({{"authorizer.class.name", name}, {"super.users", "User:a;User:ANONYMOUS"}})));
}

TEST(Refusals, PluginsOfOneListener) {
  EXPECT_THAT(refused({{"listener.name.inside.principal.builder.class", "X"}}),
              ElementsAre("listener.name.inside.principal.builder.class"));
}

TEST(DynamicKeys, WithoutEffectAreNamedOnceTheyChange) {
  KafkaConfig file = parse_config({});
  KafkaConfig first = file.with_dynamic({{"message.max.bytes", "1"}, {"log.cleaner.threads", "2"}},
                                        {{"num.network.threads", "4"}});
  EXPECT_EQ(dynamic_keys_without_effect(file, first),
            "Dynamic configuration keys without effect: log.cleaner.threads, num.network.threads");
  EXPECT_EQ(dynamic_keys_without_effect(first, first), "");
  EXPECT_EQ(dynamic_keys_without_effect(first, file), "");
}

TEST(Refusals, RolesOfOtherNodes) {
  EXPECT_THAT(refused({{"process.roles", "broker"}}), ElementsAre("process.roles"));
  EXPECT_THAT(refused({{"process.roles", "controller"}, {"listeners", "CONTROLLER://:9093"}}),
              ElementsAre("process.roles"));
}

}  // namespace
}  // namespace milena::config
