// CreateTopics on a node.
#include <gtest/gtest.h>

#include "broker/testing/node_world.h"
#include "wire/apis/create_topics.h"
#include "wire/error_code.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Topic = wire::CreateTopicsRequest::CreatableTopic;
using Result = wire::CreateTopicsResponse::CreatableTopicResult;

std::int16_t code(ErrorCode error) { return wire::to_int16(error); }

Topic topic(std::string name, std::int32_t partitions = 1, std::int16_t replicas = 1) {
  Topic result;
  result.name = std::move(name);
  result.num_partitions = partitions;
  result.replication_factor = replicas;
  return result;
}

class CreateTopics : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(world_.start()) << world_.error(); }
  std::vector<Result> create(std::vector<Topic> topics, std::int16_t version = 7, bool only_check = false) {
    wire::CreateTopicsRequest request;
    request.timeout_ms = 30000;
    request.topics = std::move(topics);
    request.validate_only = only_check;
    auto response = world_.ask<wire::CreateTopicsApi>(std::move(request), version);
    CHECK(response.has_value(), "CreateTopics was not answered");
    return response->topics;
  }
  std::int16_t error(Topic one) { return create({std::move(one)}).at(0).error_code; }
  const image::Topic* found(const std::string& name) { return world_.image().topic(name); }

  NodeWorld world_;
};

TEST_F(CreateTopics, tells_in_every_version_what_was_made) {
  for (std::int16_t version = 2; version <= 7; ++version) {
    std::string name = "v" + std::to_string(version);
    Result result = create({topic(name, 3)}, version).at(0);
    EXPECT_EQ(result.error_code, 0);
    ASSERT_NE(found(name), nullptr);
    EXPECT_EQ(found(name)->partitions.size(), 3u);
    if (version >= 5) {
      EXPECT_EQ(result.num_partitions, 3);
      EXPECT_EQ(result.replication_factor, 1);
      EXPECT_FALSE(result.configs->empty());
    }
    EXPECT_EQ(result.topic_id, version >= 7 ? found(name)->id : kZeroUuid);
  }
}

TEST_F(CreateTopics, only_checks_where_asked_to) {
  EXPECT_EQ(create({topic("orders")}, 7, true).at(0).error_code, 0);
  EXPECT_EQ(found("orders"), nullptr);
  EXPECT_EQ(create({topic("a/b")}, 7, true).at(0).error_code, code(ErrorCode::INVALID_TOPIC_EXCEPTION));
}

TEST_F(CreateTopics, one_bad_topic_does_not_keep_the_others_back) {
  auto results = create({topic("good"), topic("bad name"), topic("fine")});
  ASSERT_EQ(results.size(), 3u);
  for (const Result& result : results) {
    EXPECT_EQ(result.error_code, result.name == "bad name" ? code(ErrorCode::INVALID_TOPIC_EXCEPTION) : 0);
  }
  EXPECT_NE(found("good"), nullptr);
  EXPECT_NE(found("fine"), nullptr);
}

TEST_F(CreateTopics, refuses_what_one_node_cannot_hold) {
  ASSERT_EQ(error(topic("orders.new")), 0);
  EXPECT_EQ(error(topic("orders.new")), code(ErrorCode::TOPIC_ALREADY_EXISTS));
  EXPECT_EQ(error(topic("orders_new")), code(ErrorCode::INVALID_TOPIC_EXCEPTION)) << "its metrics would collide";
  EXPECT_EQ(error(topic("none", 0)), code(ErrorCode::INVALID_PARTITIONS));
  EXPECT_EQ(error(topic("none", 1, 0)), code(ErrorCode::INVALID_REPLICATION_FACTOR));
  EXPECT_EQ(error(topic("none", 1, 2)), code(ErrorCode::INVALID_REPLICATION_FACTOR));
  Topic configured = topic("none");
  configured.configs.emplace_back().name = "retention.ms";
  configured.configs[0].value = "soon";
  EXPECT_EQ(error(configured), code(ErrorCode::INVALID_CONFIG));
  Topic assigned = topic("none", -1, -1);
  assigned.assignments.emplace_back().broker_ids = {7};
  EXPECT_EQ(error(assigned), code(ErrorCode::INVALID_REPLICA_ASSIGNMENT));
  EXPECT_EQ(found("none"), nullptr);
}

TEST_F(CreateTopics, survives_a_restart) {
  ASSERT_EQ(error(topic("orders", 2)), 0);
  Uuid id = found("orders")->id;
  world_.crash(io::SimCrash::kPowerLoss);
  ASSERT_TRUE(world_.start()) << world_.error();
  ASSERT_NE(found("orders"), nullptr);
  EXPECT_EQ(found("orders")->id, id);
}

}  // namespace
}  // namespace milena::broker
