// Metadata on a node.
#include <gtest/gtest.h>

#include "broker/testing/node_world.h"
#include "wire/apis/metadata.h"
#include "wire/error_code.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;

constexpr Uuid kNoSuchId{7, 7};

std::int16_t code(ErrorCode error) { return wire::to_int16(error); }

class Metadata : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(world_.start()) << world_.error();
    world_.create_topic("orders", 2);
    orders_ = world_.image().topic("orders")->id;
  }

  static wire::MetadataRequest named(std::vector<std::string> names) {
    wire::MetadataRequest request;
    request.allow_auto_topic_creation = false;
    request.topics.emplace();
    for (std::string& name : names) request.topics->emplace_back().name = std::move(name);
    return request;
  }
  static wire::MetadataRequest with_ids(const std::vector<Uuid>& ids) {
    wire::MetadataRequest request = named({});
    for (const Uuid& id : ids) {
      auto& topic = request.topics->emplace_back();
      topic.topic_id = id;
      topic.name.reset();
    }
    return request;
  }

  NodeWorld world_;
  Uuid orders_;
};

TEST_F(Metadata, names_brokers_and_topics_in_every_version) {
  for (std::int16_t version = 0; version <= 13; ++version) {
    auto request = named({"orders"});
    request.allow_auto_topic_creation = true;  // cannot be turned off before v4
    auto response = world_.ask<wire::MetadataApi>(request, version);
    ASSERT_TRUE(response.has_value()) << response.error().message;
    ASSERT_EQ(response->brokers.size(), 1u);
    EXPECT_EQ(response->brokers[0].host, "broker");
    EXPECT_EQ(response->brokers[0].port, 9092);
    ASSERT_EQ(response->topics.size(), 1u);
    EXPECT_EQ(response->topics[0].error_code, 0);
    EXPECT_EQ(response->topics[0].name, "orders");
    EXPECT_EQ(response->topics[0].topic_id, version >= 10 ? orders_ : kZeroUuid);
    ASSERT_EQ(response->topics[0].partitions.size(), 2u);
    EXPECT_EQ(response->topics[0].partitions[1].leader_id, 1);
    EXPECT_EQ(response->topics[0].partitions[1].isr_nodes, std::vector<std::int32_t>{1});
  }
}

TEST_F(Metadata, ids_are_refused_before_v12_with_the_whole_request) {
  for (std::int16_t version : {10, 11}) {
    auto response = world_.ask<wire::MetadataApi>(with_ids({orders_, kNoSuchId}), version);
    ASSERT_TRUE(response.has_value()) << response.error().message;
    EXPECT_TRUE(response->brokers.empty());
    ASSERT_EQ(response->topics.size(), 2u);
    for (const auto& topic : response->topics) {
      EXPECT_EQ(topic.error_code, code(ErrorCode::INVALID_REQUEST));
      EXPECT_EQ(topic.name, "");
    }
    EXPECT_EQ(response->topics[0].topic_id, orders_);
  }
}

TEST_F(Metadata, finds_topics_by_id_from_v12_on) {
  for (std::int16_t version : {12, 13}) {
    auto request = with_ids({orders_, kNoSuchId, orders_});
    request.topics->emplace_back().name = "beside";
    auto response = world_.ask<wire::MetadataApi>(request, version);
    ASSERT_TRUE(response.has_value()) << response.error().message;
    ASSERT_EQ(response->topics.size(), 2u) << "each once, and names beside ids are not looked at";
    for (const auto& topic : response->topics) {
      bool known = topic.topic_id == orders_;
      EXPECT_EQ(topic.error_code, known ? 0 : code(ErrorCode::UNKNOWN_TOPIC_ID));
      EXPECT_EQ(topic.name, known ? std::optional<std::string>("orders") : std::nullopt);
    }
  }
}

TEST_F(Metadata, all_topics_and_none_are_two_requests_from_v1_on) {
  auto all = named({});
  EXPECT_EQ(world_.ask<wire::MetadataApi>(all, 0)->topics.size(), 1u);
  EXPECT_EQ(world_.ask<wire::MetadataApi>(all, 1)->topics.size(), 0u);
  all.topics.reset();
  EXPECT_EQ(world_.ask<wire::MetadataApi>(all, 13)->topics.size(), 1u);
}

TEST_F(Metadata, creates_topics_only_where_asked_to) {
  EXPECT_EQ(world_.ask<wire::MetadataApi>(named({"new"}), 13)->topics.at(0).error_code,
            code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
  EXPECT_EQ(world_.image().topic("new"), nullptr);
  auto request = named({"new", "bad name"});
  request.allow_auto_topic_creation = true;
  auto response = world_.ask<wire::MetadataApi>(request, 13);
  for (const auto& topic : response->topics) {
    EXPECT_EQ(topic.error_code, topic.name == "new" ? 0 : code(ErrorCode::INVALID_TOPIC_EXCEPTION));
    EXPECT_EQ(topic.partitions.size(), topic.name == "new" ? 1u : 0u);
  }
  EXPECT_NE(world_.image().topic("new"), nullptr);
}

}  // namespace
}  // namespace milena::broker
