#include "meta/topics.h"

#include <gtest/gtest.h>

#include "meta/testing.h"

namespace milena::meta {
namespace {

using wire::ErrorCode;
using Types = std::vector<std::string_view>;

std::int16_t number(ErrorCode code) { return wire::to_int16(code); }

TEST(TopicNames, AreCheckedAsInKafka) {
  for (const char* name : {"a", "A.b_c-9", "..."}) EXPECT_FALSE(topic_name_problem(name).has_value()) << name;
  for (const char* name : {"", ".", "..", "a b", "\xc3\xa4", "a/b"})
    EXPECT_TRUE(topic_name_problem(name).has_value()) << name;
  EXPECT_FALSE(topic_name_problem(std::string(249, 'x')).has_value());
  EXPECT_TRUE(topic_name_problem(std::string(250, 'x')).has_value());
}

TEST(CreateTopics, WritesTopicConfigsPartitionsInOneBatch) {
  World world;
  world.start_broker(1);
  std::size_t at = world.log.size();
  auto result = world.create("foo", 2, 1, {{"retention.ms", "100"}, {"cleanup.policy", "compact"}});
  EXPECT_EQ(result.error_code, 0);
  EXPECT_EQ(result.error_message, std::nullopt);
  EXPECT_EQ(result.num_partitions, 2);
  EXPECT_EQ(result.configs->size(), 2U);
  EXPECT_EQ(types(world.log, at),
            (Types{"TopicRecord", "ConfigRecord", "ConfigRecord", "PartitionRecord", "PartitionRecord"}));
  EXPECT_EQ(std::get<wire::ConfigRecord>(world.log[at + 1].message).name, "cleanup.policy");
  EXPECT_EQ(world.log.back().version, 2);
  EXPECT_EQ(world.partition("foo", 1).directories, (std::vector<Uuid>{{100, 1}}));
  EXPECT_EQ(world.image().topic("foo")->id, result.topic_id);
}

TEST(CreateTopics, RefusesWithKafkasErrors) {
  World world;
  EXPECT_EQ(world.create("early").error_code, number(ErrorCode::INVALID_REPLICATION_FACTOR));
  world.start_broker(1);
  world.create("a.b");
  EXPECT_EQ(world.create("a.b").error_code, number(ErrorCode::TOPIC_ALREADY_EXISTS));
  EXPECT_EQ(world.create("a_b").error_code, number(ErrorCode::INVALID_TOPIC_EXCEPTION));
  EXPECT_EQ(world.create("a b").error_code, number(ErrorCode::INVALID_TOPIC_EXCEPTION));
  EXPECT_EQ(world.create("x", 0).error_code, number(ErrorCode::INVALID_PARTITIONS));
  EXPECT_EQ(world.create("x", 1, 0).error_code, number(ErrorCode::INVALID_REPLICATION_FACTOR));
  EXPECT_EQ(world.create("x", 1, 2).error_code, number(ErrorCode::INVALID_REPLICATION_FACTOR));
  EXPECT_EQ(world.create("x", 10'001).error_code, number(ErrorCode::POLICY_VIOLATION));
  EXPECT_EQ(world.create("x", INT32_MAX).error_code, number(ErrorCode::POLICY_VIOLATION));
  EXPECT_EQ(world.create("x", 1, 1, {{"retention.ms", "soon"}}).error_code, number(ErrorCode::INVALID_CONFIG));
  EXPECT_EQ(world.create("__cluster_metadata").error_code, number(ErrorCode::INVALID_REQUEST));
  EXPECT_EQ(world.image().topics.size(), 1U);
  EXPECT_EQ(world.create("defaults", -1, -1).error_code, 0);
}

wire::CreateTopicsRequest assigned(std::vector<std::vector<int>> partitions) {
  wire::CreateTopicsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = "assigned";
  topic.num_partitions = -1;
  topic.replication_factor = -1;
  int index = 0;
  for (const auto& brokers : partitions) {
    auto& assignment = topic.assignments.emplace_back();
    assignment.partition_index = index++;
    assignment.broker_ids.assign(brokers.begin(), brokers.end());
  }
  return request;
}

TEST(CreateTopics, ManualAssignments) {
  World world;
  world.start_broker(1);
  world.start_broker(2);
  world.register_broker(3, 1);
  auto error = [&](const wire::CreateTopicsRequest& request) {
    return create_topics(world.context(), request).response.topics.at(0).error_code;
  };
  EXPECT_EQ(error(assigned({{1, 2}, {2, 1}})), 0);
  auto invalid = number(ErrorCode::INVALID_REPLICA_ASSIGNMENT);
  EXPECT_EQ(error(assigned({{1, 1}})), invalid);
  EXPECT_EQ(error(assigned({{}})), invalid);
  EXPECT_EQ(error(assigned({{9}})), invalid);
  EXPECT_EQ(error(assigned({{1, 2}, {1}})), invalid);
  EXPECT_EQ(error(assigned({{3}})), invalid);  // fenced
  auto gap = assigned({{1}, {2}});
  gap.topics[0].assignments[1].partition_index = 5;
  EXPECT_EQ(error(gap), invalid);
  gap.topics[0].assignments[1].partition_index = 0;
  EXPECT_EQ(error(gap), invalid);
  auto counted = assigned({{1}});
  counted.topics[0].num_partitions = 1;
  EXPECT_EQ(error(counted), number(ErrorCode::INVALID_REQUEST));
  // A fenced replica is no member of the ISR.
  world.append(create_topics(world.context(), assigned({{3, 1}})).records);
  EXPECT_EQ(world.partition("assigned").isr, ids({1}));
  EXPECT_EQ(world.partition("assigned").leader, BrokerId(1));
}

TEST(CreateTopics, ValidateOnlyAndDuplicates) {
  World world;
  world.start_broker(1);
  wire::CreateTopicsRequest request;
  request.validate_only = true;
  for (const char* name : {"a", "b", "b", "b"}) {
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    topic.num_partitions = 1;
    topic.replication_factor = 1;
  }
  auto decision = create_topics(world.context(), request);
  EXPECT_TRUE(decision.records.empty());
  ASSERT_EQ(decision.response.topics.size(), 2U);
  EXPECT_EQ(decision.response.topics[0].error_code, 0);
  EXPECT_EQ(decision.response.topics[1].name, "b");
  EXPECT_EQ(decision.response.topics[1].error_code, number(ErrorCode::INVALID_REQUEST));
}

TEST(DeleteTopics, ByNameAndById) {
  World world;
  world.start_broker(1);
  auto foo = world.create("foo").topic_id;
  auto bar = world.create("bar").topic_id;
  world.create("baz");
  wire::DeleteTopicsRequest request;
  request.topics.resize(6);
  request.topics[0].name = "foo";
  request.topics[1].topic_id = bar;
  request.topics[2].name = "nope";
  request.topics[3].topic_id = Uuid{9, 9};
  request.topics[5].name = "foo2";
  request.topics[5].topic_id = foo;
  auto decision = delete_topics(world.context(), request, 6);
  std::map<std::pair<std::string, Uuid>, std::int16_t> errors;
  for (const auto& result : decision.response.responses)
    errors[{result.name.value_or("-"), result.topic_id}] = result.error_code;
  EXPECT_EQ(errors.size(), 6U);
  EXPECT_EQ((errors[{"foo", foo}]), 0);
  EXPECT_EQ((errors[{"bar", bar}]), 0);
  EXPECT_EQ((errors[{"nope", kZeroUuid}]), number(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
  EXPECT_EQ((errors[{"-", Uuid{9, 9}}]), number(ErrorCode::UNKNOWN_TOPIC_ID));
  EXPECT_EQ((errors[{"-", kZeroUuid}]), number(ErrorCode::INVALID_REQUEST));
  EXPECT_EQ((errors[{"foo2", foo}]), number(ErrorCode::INVALID_REQUEST));
  world.append(decision.records);
  EXPECT_EQ(world.image().topics.size(), 1U);
}

TEST(DeleteTopics, TwiceTheSameIsRefused) {
  World world;
  world.start_broker(1);
  auto foo = world.create("foo").topic_id;
  wire::DeleteTopicsRequest request;
  request.topics.resize(2);
  request.topics[0].name = "foo";
  request.topics[1].topic_id = foo;
  EXPECT_TRUE(delete_topics(world.context(), request, 6).records.empty());
  wire::DeleteTopicsRequest names;
  names.topic_names = {"foo", "foo"};
  EXPECT_TRUE(delete_topics(world.context(), names, 5).records.empty());
  world.settings.delete_topic_enable = false;
  world.controller->set_settings(world.settings);
  names.topic_names = {"foo"};
  EXPECT_EQ(delete_topics(world.context(), names, 5).response.responses.at(0).error_code,
            number(ErrorCode::TOPIC_DELETION_DISABLED));
}

TEST(CreatePartitions, AddsAndRefuses) {
  World world;
  world.start_broker(1);
  world.create("foo", 2);
  wire::CreatePartitionsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = "foo";
  topic.assignments = std::nullopt;
  auto error = [&](int count) {
    topic.count = count;
    return create_partitions(world.context(), request).response.results.at(0).error_code;
  };
  EXPECT_EQ(error(2), number(ErrorCode::INVALID_PARTITIONS));
  EXPECT_EQ(error(1), number(ErrorCode::INVALID_PARTITIONS));
  EXPECT_EQ(error(-5), number(ErrorCode::INVALID_PARTITIONS));
  EXPECT_EQ(error(INT32_MAX), number(ErrorCode::POLICY_VIOLATION));
  EXPECT_EQ(error(4), 0);
  world.append(create_partitions(world.context(), request).records);
  EXPECT_EQ(world.image().topic("foo")->partitions.size(), 4U);
  topic.name = "nope";
  EXPECT_EQ(error(4), number(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
}

}  // namespace
}  // namespace milena::meta
