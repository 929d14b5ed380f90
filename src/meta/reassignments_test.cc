#include "meta/reassignments.h"

#include <gtest/gtest.h>

#include "meta/testing.h"

namespace milena::meta {
namespace {

struct Reassignments : ::testing::Test {
  void SetUp() override {
    for (int id : {1, 2}) world.start_broker(id);
    for (const char* name : {"foo", "bar"}) world.create(name, 2, 1);
  }
  void reassign(const std::string& topic, int partition, std::vector<std::int32_t> adding,
                std::vector<std::int32_t> removing) {
    wire::PartitionChangeRecord change;
    change.topic_id = world.image().topic(topic)->id;
    change.partition_id = partition;
    change.adding_replicas = std::move(adding);
    change.removing_replicas = std::move(removing);
    world.append({{change, 0}});
  }
  using Asked = std::vector<std::pair<std::string, std::vector<std::int32_t>>>;
  std::vector<wire::ListPartitionReassignmentsResponse::OngoingTopicReassignment> list(
      const std::optional<Asked>& topics) {
    wire::ListPartitionReassignmentsRequest request;
    if (topics.has_value()) {
      request.topics.emplace();
      for (const auto& [name, partitions] : *topics) {
        auto& topic = request.topics->emplace_back();
        topic.name = name;
        topic.partition_indexes = partitions;
      }
    }
    auto decision = list_partition_reassignments(world.context(), request);
    EXPECT_EQ(decision.response.error_code, 0);
    EXPECT_TRUE(decision.records.empty());
    return decision.response.topics;
  }
  World world;
};

TEST_F(Reassignments, are_none_where_no_replica_is_added_or_removed) {
  EXPECT_TRUE(list(std::nullopt).empty());
  EXPECT_TRUE(list(Asked{{"foo", {0, 1}}, {"nothing", {0}}}).empty());
}

TEST_F(Reassignments, are_told_with_their_replicas) {
  reassign("foo", 1, {2}, {1});
  for (const auto& topics : {list(std::nullopt), list(Asked{{"bar", {0}}, {"foo", {0, 1, 7}}})}) {
    ASSERT_EQ(topics.size(), 1U);
    EXPECT_EQ(topics[0].name, "foo");
    ASSERT_EQ(topics[0].partitions.size(), 1U);
    const auto& partition = topics[0].partitions[0];
    EXPECT_EQ(partition.partition_index, 1);
    EXPECT_EQ(partition.replicas.size(), 1U);
    EXPECT_EQ(partition.adding_replicas, std::vector{2});
    EXPECT_EQ(partition.removing_replicas, std::vector{1});
  }
  EXPECT_TRUE(list(Asked{{"foo", {0}}}).empty());
  EXPECT_TRUE(list(Asked{}).empty());
}

}  // namespace
}  // namespace milena::meta
