#include "config/settings.h"

#include <gtest/gtest.h>

#include "config/providers.h"

namespace milena::config {
namespace {

TEST(Environment, RuleOfTheConfluentImages) {
  EXPECT_EQ(environment_key("KAFKA_LOG_RETENTION_MS"), "log.retention.ms");
  EXPECT_EQ(environment_key("KAFKA_A__B"), "a_b");
  EXPECT_EQ(environment_key("KAFKA_A___B"), "a-b");
  EXPECT_EQ(environment_key("KAFKA_A____B"), "a-_b");
  EXPECT_EQ(environment_key("KAFKA_LISTENER_NAME_INTERNAL_SASL_ENABLED_MECHANISMS"),
            "listener.name.internal.sasl.enabled.mechanisms");
  EXPECT_EQ(environment_key("KAFKA_ZOOKEEPER_CLIENT_CNXN_SOCKET"), "zookeeper.clientCnxnSocket");
  for (const char* none : {"KAFKA_HEAP_OPTS", "KAFKA_OPTS", "KAFKA_JMX_OPTS", "KAFKA_LOG4J_LOGGERS",
                           "KAFKA_VERSION", "KAFKA_", "PATH", "kafka_node_id"}) {
    EXPECT_EQ(environment_key(none), "") << none;
  }
}

TEST(Settings, LaterSourcesWin) {
  Settings file = settings_from_file({{"a", "1"}, {"b", "1"}, {"c", "1"}}, "server.properties");
  Settings environment = settings_from_environment({{"KAFKA_B", "2"}, {"KAFKA_C", "2"}, {"HOME", "/"}});
  auto pair = parse_override("c = 3=4");
  ASSERT_TRUE(pair.has_value());
  Settings all = merge(merge(file, environment), settings_from_overrides({*pair}));
  EXPECT_EQ(all.at("a").value, "1");
  EXPECT_EQ(all.at("a").source, "server.properties");
  EXPECT_EQ(all.at("b").value, "2");
  EXPECT_EQ(all.at("b").source, "KAFKA_B");
  EXPECT_EQ(all.at("c").value, " 3=4");
  EXPECT_EQ(all.at("c").source, "--override");
  EXPECT_EQ(all.size(), 3u);
  EXPECT_FALSE(parse_override("a").has_value());
  EXPECT_FALSE(parse_override("=a").has_value());
}

ProviderSources fake_sources() {
  return {[](const std::string& path) -> Result<std::string, std::string> {
            if (path == "/s/secrets.properties") return std::string("password=x\\u0041y\nother=1\n");
            if (path == "/d/token") return std::string("abc");
            return Err(path + ": no such file");
          },
          [](const std::string& name) -> std::optional<std::string> {
            if (name == "TOKEN") return "t";
            return std::nullopt;
          }};
}

Properties with_providers(Properties more) {
  more["config.providers"] = "file,dir,env";
  more["config.providers.file.class"] = "org.apache.kafka.common.config.provider.FileConfigProvider";
  more["config.providers.dir.class"] = "org.apache.kafka.common.config.provider.DirectoryConfigProvider";
  more["config.providers.env.class"] = "org.apache.kafka.common.config.provider.EnvVarConfigProvider";
  return more;
}

TEST(Providers, FillValues) {
  auto settings = resolve_providers(
      settings_from_file(with_providers({{"a", "<${file:/s/secrets.properties:password}>${env:TOKEN}"},
                                         {"b", "${dir:/d:token}"},
                                         {"c", "${vault:x:y} ${no} ${"}}),
                         "f"),
      fake_sources());
  ASSERT_TRUE(settings.has_value());
  EXPECT_EQ(settings->at("a").value, "<xAy>t");
  EXPECT_EQ(settings->at("b").value, "abc");
  EXPECT_EQ(settings->at("c").value, "${vault:x:y} ${no} ${");
}

TEST(Providers, ErrorsNameTheKey) {
  auto settings = resolve_providers(
      settings_from_file(with_providers({{"a", "${file:/s/secrets.properties:nothing}"},
                                         {"b", "${env:NOTHING}"},
                                         {"c", "${file:/missing:k}"},
                                         {"d", "${dir:/d:../etc/passwd}"},
                                         {"e", "${file:/s/../x:k}"},
                                         {"config.providers.file.param.allowed.paths", "/s,/missing"}}),
                         "f.properties"),
      fake_sources());
  ASSERT_TRUE(settings.failed());
  ASSERT_EQ(settings.error().size(), 5u);
  EXPECT_EQ(settings.error()[0].text(), "f.properties: a: /s/secrets.properties has no key nothing");
  EXPECT_EQ(settings.error()[1].key, "b");
  EXPECT_EQ(settings.error()[2].message, "c: /missing: no such file");
  EXPECT_EQ(settings.error()[3].message, "d: ../etc/passwd is no file name");
  EXPECT_EQ(settings.error()[4].message, "e: /s/../x is outside the provider's allowed.paths");
}

TEST(Providers, UnknownClassIsAnError) {
  auto settings = resolve_providers(
      settings_from_file({{"config.providers", "v"}, {"config.providers.v.class", "com.example.Vault"}}, "f"),
      fake_sources());
  ASSERT_TRUE(settings.failed());
  EXPECT_NE(settings.error()[0].message.find("com.example.Vault"), std::string::npos);
}

}  // namespace
}  // namespace milena::config
