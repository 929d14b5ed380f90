#include "meta/configs.h"

#include <gtest/gtest.h>

#include "meta/testing.h"

namespace milena::meta {
namespace {

using wire::ErrorCode;
using Types = std::vector<std::string_view>;

struct Change {
  std::int8_t type;
  std::string resource;
  std::string key;
  std::int8_t operation;
  std::optional<std::string> value;
};

ErrorCode alter(World& world, const Change& change) {
  wire::IncrementalAlterConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = change.type;
  resource.resource_name = change.resource;
  auto& config = resource.configs.emplace_back();
  config.name = change.key;
  config.config_operation = change.operation;
  config.value = change.value;
  auto decision = incremental_alter_configs(world.context(), request);
  world.append(decision.records);
  return wire::error_code_from(decision.response.responses.at(0).error_code);
}

TEST(Configs, SetDeleteAppendSubtract) {
  World world;
  world.start_broker(1);
  world.create("foo");
  auto value = [&](const char* key) { return world.image().config(image::ResourceType::kTopic, "foo", key); };
  EXPECT_EQ(alter(world, {2, "foo", "retention.ms", 0, "5"}), ErrorCode::NONE);
  EXPECT_EQ(*value("retention.ms"), "5");
  std::size_t at = world.log.size();
  EXPECT_EQ(alter(world, {2, "foo", "retention.ms", 0, "5"}), ErrorCode::NONE);
  EXPECT_EQ(world.log.size(), at);  // nothing changes, nothing is written
  EXPECT_EQ(alter(world, {2, "foo", "retention.ms", 1, std::nullopt}), ErrorCode::NONE);
  EXPECT_EQ(value("retention.ms"), nullptr);
  EXPECT_EQ(alter(world, {2, "foo", "cleanup.policy", 2, "compact"}), ErrorCode::NONE);
  EXPECT_EQ(*value("cleanup.policy"), "delete,compact");
  EXPECT_EQ(alter(world, {2, "foo", "cleanup.policy", 3, "delete"}), ErrorCode::NONE);
  EXPECT_EQ(*value("cleanup.policy"), "compact");
}

TEST(Configs, Refuses) {
  World world;
  world.start_broker(1);
  world.create("foo");
  EXPECT_EQ(alter(world, {2, "foo", "retention.ms", 0, "x"}), ErrorCode::INVALID_CONFIG);
  EXPECT_EQ(alter(world, {2, "foo", "retention.ms", 2, "5"}), ErrorCode::INVALID_CONFIG);
  EXPECT_EQ(alter(world, {2, "nope", "retention.ms", 0, "5"}), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
  EXPECT_EQ(alter(world, {2, "../foo", "retention.ms", 0, "x"}), ErrorCode::INVALID_TOPIC_EXCEPTION);
  EXPECT_EQ(alter(world, {2, "", "retention.ms", 0, "5"}), ErrorCode::INVALID_REQUEST);
  EXPECT_EQ(alter(world, {4, "..", "retention.ms", 0, "x"}), ErrorCode::INVALID_REQUEST);
  EXPECT_EQ(alter(world, {2, "foo", "retention.ms", 0, std::nullopt}), ErrorCode::INVALID_REQUEST);
  EXPECT_EQ(alter(world, {2, "foo", "retention.ms", 7, "5"}), ErrorCode::INVALID_REQUEST);
  EXPECT_EQ(alter(world, {3, "foo", "retention.ms", 0, "5"}), ErrorCode::UNSUPPORTED_VERSION);
  EXPECT_EQ(alter(world, {4, "8", "log.retention.ms", 0, "5"}), ErrorCode::BROKER_ID_NOT_REGISTERED);
  EXPECT_EQ(alter(world, {4, "1", "min.insync.replicas", 0, "1"}), ErrorCode::INVALID_CONFIG);
  EXPECT_EQ(alter(world, {4, "", "min.insync.replicas", 1, std::nullopt}), ErrorCode::INVALID_CONFIG);
  EXPECT_EQ(alter(world, {2, "foo", "a", 0, std::string(32768, 'x')}), ErrorCode::INVALID_CONFIG);
}

TEST(Configs, MinInsyncReplicasClearsTheElr) {
  World world;
  world.start_broker(1);
  world.create("foo");
  world.heartbeat(1, true);
  EXPECT_EQ(world.partition("foo").elr, ids({1}));
  std::size_t at = world.log.size();
  EXPECT_EQ(alter(world, {2, "foo", "min.insync.replicas", 0, "2"}), ErrorCode::NONE);
  EXPECT_EQ(types(world.log, at), (Types{"ConfigRecord", "ClearElrRecord"}));
  EXPECT_TRUE(world.partition("foo").elr.empty());
  EXPECT_EQ(effective_min_insync_replicas(world.context(), "foo"), 1);  // there is but one replica
  EXPECT_EQ(alter(world, {4, "", "min.insync.replicas", 0, "3"}), ErrorCode::NONE);
  EXPECT_EQ(std::get<wire::ClearElrRecord>(world.log.back().message).topic_name, "");
}

TEST(Configs, OnlyBrokersHaveAResourceForAllOfThem) {
  World world;
  world.start_broker(1);
  EXPECT_EQ(alter(world, {2, "", "retention.ms", 0, "5"}), ErrorCode::INVALID_REQUEST);
  EXPECT_EQ(alter(world, {16, "", "interval.ms", 0, "60000"}), ErrorCode::INVALID_REQUEST);
  EXPECT_EQ(alter(world, {32, "", "consumer.session.timeout.ms", 0, "45000"}), ErrorCode::INVALID_REQUEST);
  EXPECT_EQ(alter(world, {4, "", "retention.ms", 0, "5"}), ErrorCode::NONE);
}

TEST(Configs, TheOldApiReplacesEverything) {
  World world;
  world.start_broker(1);
  world.create("foo", 1, 1, {{"retention.ms", "5"}, {"a", "1"}});
  wire::AlterConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = 2;
  resource.resource_name = "foo";
  resource.configs.emplace_back().name = "b";
  resource.configs.back().value = "2";
  auto decision = alter_configs(world.context(), request);
  EXPECT_EQ(decision.response.responses.at(0).error_code, 0);
  EXPECT_EQ(decision.response.responses.at(0).error_message, std::nullopt);
  world.append(decision.records);
  EXPECT_EQ(world.image().config(image::ResourceType::kTopic, "foo"), (image::ConfigMap{{"b", "2"}}));
  request.resources.push_back(request.resources[0]);
  decision = alter_configs(world.context(), request);
  EXPECT_EQ(decision.response.responses.at(1).error_code, wire::to_int16(ErrorCode::INVALID_REQUEST));
}

TEST(Configs, UncleanElection) {
  World world;
  world.start_broker(1);
  world.create("foo");
  EXPECT_FALSE(unclean_election_enabled(world.context(), "foo"));
  alter(world, {4, "", "unclean.leader.election.enable", 0, "true"});
  EXPECT_TRUE(unclean_election_enabled(world.context(), "foo"));
  alter(world, {2, "foo", "unclean.leader.election.enable", 0, "false"});
  EXPECT_FALSE(unclean_election_enabled(world.context(), "foo"));
}

}  // namespace
}  // namespace milena::meta
