// DescribeConfigs, IncrementalAlterConfigs, AlterConfigs and ListConfigResources on a node.
#include <gtest/gtest.h>

#include <algorithm>

#include "broker/testing/node_world.h"
#include "wire/apis/alter_configs.h"
#include "wire/apis/describe_configs.h"
#include "wire/apis/incremental_alter_configs.h"
#include "wire/apis/list_config_resources.h"
#include "wire/error_code.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;

constexpr std::int8_t kTopic = 2;
constexpr std::int8_t kBroker = 4;
constexpr std::int8_t kLogger = 8;
constexpr std::int8_t kClientMetrics = 16;
constexpr std::int8_t kGroup = 32;
const Via kController{"admin", true};

std::int16_t code(ErrorCode error) { return wire::to_int16(error); }

class Configs : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(world_.start()) << world_.error();
    world_.create_topic("orders");
  }
  using Result = wire::DescribeConfigsResponse::DescribeConfigsResult;
  using Entry = wire::DescribeConfigsResponse::DescribeConfigsResourceResult;

  Result describe(std::int8_t type, std::string name, std::vector<std::string> keys = {}, std::int16_t version = 4,
                  Via via = {}) {
    wire::DescribeConfigsRequest request;
    request.include_synonyms = true;
    request.include_documentation = true;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = type;
    resource.resource_name = std::move(name);
    resource.configuration_keys = std::move(keys);
    if (resource.configuration_keys->empty()) resource.configuration_keys.reset();
    auto response = world_.ask<wire::DescribeConfigsApi>(request, version, std::move(via));
    CHECK(response.has_value(), "DescribeConfigs was not answered");
    return response->results.at(0);
  }
  static const Entry* find(const Result& result, std::string_view name) {
    auto it = std::ranges::find(result.configs, name, &Entry::name);
    return it == result.configs.end() ? nullptr : &*it;
  }
  std::int16_t alter(std::int8_t type, std::string name, std::string key, std::optional<std::string> value,
                     std::int8_t operation = 0, bool validate_only = false, Via via = {}) {
    wire::IncrementalAlterConfigsRequest request;
    request.validate_only = validate_only;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = type;
    resource.resource_name = std::move(name);
    auto& config = resource.configs.emplace_back();
    config.name = std::move(key);
    config.value = std::move(value);
    config.config_operation = operation;
    auto response = world_.ask<wire::IncrementalAlterConfigsApi>(request, 1, std::move(via));
    CHECK(response.has_value(), "IncrementalAlterConfigs was not answered");
    return response->responses.at(0).error_code;
  }

  NodeWorld world_;
};

TEST_F(Configs, of_a_topic_are_described_in_every_version) {
  for (std::int16_t version = 1; version <= 4; ++version) {
    Result all = describe(kTopic, "orders", {}, version);
    EXPECT_EQ(all.error_code, 0);
    EXPECT_EQ(all.configs.size(), 33u);
    const Entry* retention = find(all, "retention.ms");
    ASSERT_NE(retention, nullptr);
    EXPECT_EQ(retention->value, "604800000");
    EXPECT_EQ(retention->config_source, 5);
    ASSERT_NE(find(all, "compression.type"), nullptr);
    EXPECT_EQ(find(all, "compression.type")->synonyms.at(0).name, "compression.type");
    EXPECT_EQ(find(all, "compression.type")->synonyms.at(0).source, 5);
    if (version >= 3) {
      EXPECT_EQ(retention->config_type, 5);  // LONG
      EXPECT_TRUE(retention->documentation.has_value() && !retention->documentation->empty());
    }
  }
  EXPECT_EQ(describe(kTopic, "orders", {"retention.ms", "nothing"}).configs.size(), 1u);
}

TEST_F(Configs, of_a_topic_are_changed_and_removed) {
  EXPECT_EQ(alter(kTopic, "orders", "retention.ms", "1000", 0, true), 0);
  EXPECT_EQ(find(describe(kTopic, "orders"), "retention.ms")->value, "604800000");
  EXPECT_EQ(alter(kTopic, "orders", "retention.ms", "1000"), 0);
  Result changed = describe(kTopic, "orders");
  EXPECT_EQ(find(changed, "retention.ms")->value, "1000");
  EXPECT_EQ(find(changed, "retention.ms")->config_source, 1);
  EXPECT_EQ(alter(kTopic, "orders", "cleanup.policy", "compact", 2), 0);
  EXPECT_EQ(find(describe(kTopic, "orders"), "cleanup.policy")->value, "delete,compact");
  EXPECT_EQ(alter(kTopic, "orders", "retention.ms", std::nullopt, 1), 0);
  EXPECT_EQ(find(describe(kTopic, "orders"), "retention.ms")->config_source, 5);
}

TEST_F(Configs, mistakes_are_told_by_their_codes) {
  EXPECT_EQ(alter(kTopic, "orders", "no.such.key", "1"), code(ErrorCode::INVALID_CONFIG));
  EXPECT_EQ(alter(kTopic, "orders", "retention.ms", "soon"), code(ErrorCode::INVALID_CONFIG));
  EXPECT_EQ(alter(kTopic, "orders", "retention.ms", std::nullopt), code(ErrorCode::INVALID_REQUEST));
  EXPECT_EQ(alter(kTopic, "nothing", "retention.ms", "1000"), code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
  EXPECT_EQ(alter(kBroker, "2", "log.cleaner.threads", "2"), code(ErrorCode::INVALID_REQUEST));
  EXPECT_EQ(alter(kBroker, "first", "log.cleaner.threads", "2"), code(ErrorCode::INVALID_REQUEST));
  EXPECT_EQ(alter(kBroker, "1", "log.dirs", "/elsewhere"), code(ErrorCode::INVALID_REQUEST));
  EXPECT_EQ(alter(kLogger, "1", "root", "LOUD"), code(ErrorCode::INVALID_CONFIG));
  EXPECT_EQ(alter(kLogger, "1", "root", std::nullopt, 1), code(ErrorCode::INVALID_REQUEST));
  EXPECT_EQ(alter(kLogger, "1", "no.such.logger", "DEBUG"), code(ErrorCode::INVALID_CONFIG));
  EXPECT_EQ(alter(kLogger, "2", "root", "DEBUG"), code(ErrorCode::INVALID_REQUEST));
  EXPECT_EQ(alter(kBroker, "1", "log.cleaner.threads", "2", 2), code(ErrorCode::INVALID_CONFIG));  // no list
  EXPECT_EQ(alter(kBroker, "1", "no.such.key", "2", 3), code(ErrorCode::INVALID_CONFIG));
  EXPECT_EQ(alter(kTopic, "", "retention.ms", "1"), code(ErrorCode::INVALID_REQUEST));
  EXPECT_EQ(alter(kGroup, "", "consumer.session.timeout.ms", "50000"), code(ErrorCode::INVALID_REQUEST));
  EXPECT_EQ(alter(kClientMetrics, "", "interval.ms", "60000"), code(ErrorCode::INVALID_REQUEST));
  EXPECT_EQ(alter(kClientMetrics, "m", "interval.ms", "1"), code(ErrorCode::INVALID_REQUEST));
  EXPECT_EQ(alter(7, "1", "x", "y"), code(ErrorCode::INVALID_REQUEST));
  EXPECT_EQ(alter(7, "1", "x", "y", 0, false, kController), code(ErrorCode::UNSUPPORTED_VERSION));
  EXPECT_EQ(alter(kBroker, "7", "log.cleaner.threads", "2", 0, false, kController),
            code(ErrorCode::BROKER_ID_NOT_REGISTERED));
  EXPECT_EQ(describe(kTopic, "nothing").error_code, code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
  EXPECT_EQ(describe(kTopic, "not a name").error_code, code(ErrorCode::INVALID_TOPIC_EXCEPTION));
  EXPECT_EQ(describe(kBroker, "2").error_code, code(ErrorCode::INVALID_REQUEST));
  EXPECT_EQ(describe(kBroker, "2").error_message, "Unexpected broker id, expected 1 or empty string, but received 2");
  EXPECT_EQ(describe(kGroup, "").error_code, code(ErrorCode::INVALID_REQUEST));
  EXPECT_EQ(describe(7, "x").error_code, code(ErrorCode::INVALID_REQUEST));
}

TEST_F(Configs, a_resource_given_twice_fails_each_time) {
  wire::IncrementalAlterConfigsRequest request;
  for (int i = 0; i < 2; ++i) {
    auto& resource = request.resources.emplace_back();
    resource.resource_type = kTopic;
    resource.resource_name = "orders";
  }
  auto broker = world_.ask<wire::IncrementalAlterConfigsApi>(request, 0);
  ASSERT_EQ(broker->responses.size(), 2u);
  EXPECT_EQ(broker->responses[1].error_code, code(ErrorCode::INVALID_REQUEST));
  EXPECT_EQ(broker->responses[1].error_message, "Each resource must appear at most once.");
}

TEST_F(Configs, the_old_way_of_altering_replaces_everything) {
  ASSERT_EQ(alter(kTopic, "orders", "retention.ms", "1000"), 0);
  for (std::int16_t version = 0; version <= 2; ++version) {
    wire::AlterConfigsRequest request;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = kTopic;
    resource.resource_name = "orders";
    auto& config = resource.configs.emplace_back();
    config.name = "segment.ms";
    config.value = "60000";
    auto& logger = request.resources.emplace_back();
    logger.resource_type = kLogger;
    logger.resource_name = "1";
    auto response = world_.ask<wire::AlterConfigsApi>(request, version);
    ASSERT_TRUE(response.has_value()) << response.error().message;
    ASSERT_EQ(response->responses.size(), 2u);
    EXPECT_EQ(response->responses[0].error_code, 0);
    EXPECT_EQ(response->responses[1].error_code, code(ErrorCode::INVALID_REQUEST));
    EXPECT_EQ(find(describe(kTopic, "orders"), "segment.ms")->value, "60000");
    EXPECT_EQ(find(describe(kTopic, "orders"), "retention.ms")->value, "604800000");
    request.resources[0].configs[0].value.reset();
    EXPECT_EQ(world_.ask<wire::AlterConfigsApi>(request, version)->responses[0].error_code,
              code(ErrorCode::INVALID_REQUEST));
  }
}

TEST_F(Configs, of_the_broker_follow_its_dynamic_values) {
  Result before = describe(kBroker, "1");
  EXPECT_EQ(before.error_code, 0);
  ASSERT_NE(find(before, "node.id"), nullptr);
  EXPECT_EQ(find(before, "node.id")->config_source, 4);
  EXPECT_TRUE(find(before, "node.id")->read_only);
  EXPECT_TRUE(describe(kBroker, "").configs.empty() ||
              find(describe(kBroker, ""), "log.cleaner.threads") == nullptr);
  EXPECT_EQ(alter(kBroker, "", "log.cleaner.threads", "2"), 0);
  EXPECT_EQ(find(describe(kBroker, ""), "log.cleaner.threads")->config_source, 3);
  EXPECT_EQ(find(describe(kBroker, "1"), "log.cleaner.threads")->value, "2");
  EXPECT_EQ(alter(kBroker, "1", "log.cleaner.threads", "1", 0, false, kController), 0);
  Result after = describe(kBroker, "1", {}, 4, kController);
  EXPECT_EQ(find(after, "log.cleaner.threads")->value, "1");
  EXPECT_EQ(find(after, "log.cleaner.threads")->config_source, 2);
  EXPECT_GE(find(after, "log.cleaner.threads")->synonyms.size(), 3u);
}

TEST_F(Configs, what_would_stop_the_next_start_is_refused) {
  const std::string listeners = "PLAINTEXT://:9092,SSL://:9094,CONTROLLER://:9093";
  EXPECT_EQ(alter(kBroker, "1", "listeners", listeners), code(ErrorCode::INVALID_REQUEST));
  EXPECT_EQ(alter(kBroker, "1", "listener.name.plaintext.principal.builder.class", "com.example.Builder"),
            code(ErrorCode::INVALID_REQUEST));
  EXPECT_EQ(alter(kBroker, "1", "cordoned.log.dirs", "/elsewhere"), code(ErrorCode::INVALID_REQUEST));
  EXPECT_EQ(alter(kBroker, "1", "cordoned.log.dirs", "/elsewhere", 0, false, kController),
            code(ErrorCode::INVALID_CONFIG));
  ASSERT_TRUE(world_.stop());
  EXPECT_TRUE(world_.start()) << world_.error();
}

TEST_F(Configs, of_groups_client_metrics_and_loggers) {
  EXPECT_EQ(alter(kGroup, "g", "consumer.session.timeout.ms", "50000"), 0);
  Result group = describe(kGroup, "g");
  EXPECT_EQ(find(group, "consumer.session.timeout.ms")->value, "50000");
  EXPECT_EQ(find(group, "consumer.session.timeout.ms")->config_source, 8);
  EXPECT_EQ(alter(kClientMetrics, "m", "interval.ms", "60000"), 0);
  EXPECT_EQ(find(describe(kClientMetrics, "m"), "interval.ms")->value, "60000");
  Result logger = describe(kLogger, "1");
  EXPECT_EQ(logger.error_code, 0);
  ASSERT_NE(find(logger, "root"), nullptr);
  EXPECT_EQ(find(logger, "root")->value, "INFO");
  ASSERT_NE(find(logger, "controller"), nullptr);
  EXPECT_EQ(find(logger, "controller")->config_source, 6);
  EXPECT_FALSE(find(logger, "controller")->read_only);
  EXPECT_EQ(alter(kLogger, "1", "controller", "DEBUG", 0, true), 0);
  EXPECT_EQ(find(describe(kLogger, "1"), "controller")->value, "INFO") << "it was only asked whether it could be";
}

TEST_F(Configs, resources_are_listed_by_type) {
  ASSERT_EQ(alter(kClientMetrics, "one", "interval.ms", "60000"), 0);
  ASSERT_EQ(alter(kGroup, "g", "consumer.session.timeout.ms", "50000"), 0);
  auto list = [&](std::vector<std::int8_t> types, std::int16_t version = 1) {
    wire::ListConfigResourcesRequest request;
    request.resource_types = std::move(types);
    auto response = world_.ask<wire::ListConfigResourcesApi>(request, version);
    CHECK(response.has_value(), "ListConfigResources was not answered");
    EXPECT_EQ(response->error_code, 0);
    std::vector<std::string> found;
    for (const auto& resource : response->config_resources)
      found.push_back(std::to_string(resource.resource_type) + "/" + resource.resource_name);
    return found;
  };
  using Found = std::vector<std::string>;
  EXPECT_EQ(list({}, 0), Found{"16/one"});
  EXPECT_EQ(list({kGroup, kTopic, kGroup}), (Found{"2/orders", "32/g"}));
  EXPECT_EQ(list({}), (Found{"2/orders", "4/1", "8/1", "16/one", "32/g"}));
  ASSERT_EQ(alter(kGroup, "g", "consumer.session.timeout.ms", std::nullopt, 1), 0);
  EXPECT_EQ(list({kGroup}), Found{});

  wire::ListConfigResourcesRequest request;
  request.resource_types = {kTopic, 0};
  auto refused = world_.ask<wire::ListConfigResourcesApi>(request, 1);
  EXPECT_EQ(refused->error_code, code(ErrorCode::UNSUPPORTED_VERSION));
  EXPECT_TRUE(refused->config_resources.empty());
}

}  // namespace
}  // namespace milena::broker
