// ElectLeaders and ListPartitionReassignments on a node.
#include <gtest/gtest.h>

#include "broker/testing/node_world.h"
#include "wire/apis/elect_leaders.h"
#include "wire/apis/list_partition_reassignments.h"
#include "wire/error_code.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;

const Via kController{"admin", true};

std::int16_t code(ErrorCode error) { return wire::to_int16(error); }

class Elections : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(world_.start()) << world_.error();
    world_.create_topic("orders", 2);
  }
  wire::ElectLeadersResponse elect(const wire::ElectLeadersRequest& request, std::int16_t version, Via via = {}) {
    auto response = world_.ask<wire::ElectLeadersApi>(request, version, std::move(via));
    CHECK(response.has_value(), "ElectLeaders was not answered");
    return *response;
  }
  NodeWorld world_;
};

TEST_F(Elections, are_not_needed_while_the_only_replica_leads) {
  wire::ElectLeadersRequest request;
  auto& orders = request.topic_partitions->emplace_back();
  orders.topic = "orders";
  orders.partitions = {1, 9};
  auto& nothing = request.topic_partitions->emplace_back();
  nothing.topic = "nothing";
  nothing.partitions = {0};
  for (std::int16_t version = 0; version <= 2; ++version) {
    for (const Via& via : {Via{}, kController}) {
      request.election_type = version == 0 ? 0 : 1;
      auto response = elect(request, version, via);
      EXPECT_EQ(response.error_code, 0);
      ASSERT_EQ(response.replica_election_results.size(), 2U);
      const auto& results = response.replica_election_results[0].partition_result;
      EXPECT_EQ(results.at(0).error_code, code(ErrorCode::ELECTION_NOT_NEEDED));
      EXPECT_EQ(results.at(1).error_code, code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
      EXPECT_EQ(response.replica_election_results[1].partition_result.at(0).error_code,
                code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
    }
  }
}

TEST_F(Elections, of_all_partitions_say_nothing_of_those_that_have_their_leader) {
  wire::ElectLeadersRequest request;
  request.topic_partitions.reset();
  for (std::int16_t version = 0; version <= 2; ++version) {
    auto response = elect(request, version);
    EXPECT_EQ(response.error_code, 0);
    ASSERT_EQ(response.replica_election_results.size(), 1U);
    EXPECT_EQ(response.replica_election_results[0].topic, "orders");
    EXPECT_TRUE(response.replica_election_results[0].partition_result.empty());
  }
}

TEST_F(Elections, of_an_unknown_type_are_refused) {
  wire::ElectLeadersRequest request;
  request.election_type = 2;
  EXPECT_EQ(elect(request, 2).error_code, 0) << "nothing was asked";
  request.topic_partitions.reset();
  EXPECT_EQ(elect(request, 2).error_code, code(ErrorCode::INVALID_REQUEST));
}

TEST_F(Elections, reassignments_are_none) {
  for (const Via& via : {Via{}, kController}) {
    wire::ListPartitionReassignmentsRequest request;
    for (bool named : {false, true}) {
      request.topics.reset();
      if (named) {
        auto& topic = request.topics.emplace().emplace_back();
        topic.name = "orders";
        topic.partition_indexes = {0, 1};
      }
      auto response = world_.ask<wire::ListPartitionReassignmentsApi>(request, 0, via);
      ASSERT_TRUE(response.has_value()) << response.error().message;
      EXPECT_EQ(response->error_code, 0);
      EXPECT_TRUE(response->topics.empty());
    }
  }
}

}  // namespace
}  // namespace milena::broker
