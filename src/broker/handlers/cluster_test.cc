// DescribeCluster, DescribeQuorum, and which APIs are served on which listener.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/endian.h"
#include "broker/authorized_operations.h"
#include "broker/handlers/handler_list.h"
#include "broker/testing/node_world.h"
#include "wire/apis/api_versions.h"
#include "wire/apis/describe_cluster.h"
#include "wire/apis/describe_quorum.h"
#include "wire/error_code.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;

const Via kController{"admin", true};

std::int16_t code(ErrorCode error) { return wire::to_int16(error); }

class Cluster : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(world_.start()) << world_.error(); }
  NodeWorld world_;
};

TEST_F(Cluster, brokers_and_controllers_are_described_on_their_listeners) {
  for (std::int16_t version = 0; version <= 2; ++version) {
    wire::DescribeClusterRequest request;
    request.include_cluster_authorized_operations = true;
    auto brokers = world_.ask<wire::DescribeClusterApi>(request, version);
    ASSERT_TRUE(brokers.has_value()) << brokers.error().message;
    EXPECT_EQ(brokers->error_code, 0);
    EXPECT_EQ(brokers->cluster_id, world_.node().cluster_id());
    EXPECT_EQ(brokers->controller_id, 1);
    EXPECT_EQ(brokers->cluster_authorized_operations, kAllClusterOperations);
    ASSERT_EQ(brokers->brokers.size(), 1u);
    EXPECT_EQ(brokers->brokers[0].host, "broker");
    EXPECT_EQ(brokers->brokers[0].port, 9092);
    EXPECT_FALSE(brokers->brokers[0].is_fenced);
    if (version == 0) continue;
    request.endpoint_type = 2;
    auto controllers = world_.ask<wire::DescribeClusterApi>(request, version, kController);
    ASSERT_TRUE(controllers.has_value()) << controllers.error().message;
    EXPECT_EQ(controllers->error_code, 0);
    EXPECT_EQ(controllers->endpoint_type, 2);
    EXPECT_EQ(controllers->controller_id, 1);
    ASSERT_EQ(controllers->brokers.size(), 1u);
    EXPECT_EQ(controllers->brokers[0].port, 9093);
  }
}

TEST_F(Cluster, the_wrong_kind_of_endpoint_is_refused) {
  wire::DescribeClusterRequest request;
  request.endpoint_type = 2;
  EXPECT_EQ(world_.ask<wire::DescribeClusterApi>(request, 1)->error_code, code(ErrorCode::MISMATCHED_ENDPOINT_TYPE));
  request.endpoint_type = 1;
  auto mismatch = world_.ask<wire::DescribeClusterApi>(request, 2, kController);
  EXPECT_EQ(mismatch->error_code, code(ErrorCode::MISMATCHED_ENDPOINT_TYPE));
  EXPECT_EQ(mismatch->error_message,
            "The request was sent to an endpoint of type CONTROLLER, but we wanted an endpoint of type BROKER");
  EXPECT_EQ(world_.ask<wire::DescribeClusterApi>(request, 0, kController)->error_code,
            code(ErrorCode::INVALID_REQUEST));
  request.endpoint_type = 5;
  EXPECT_EQ(world_.ask<wire::DescribeClusterApi>(request, 1)->error_code, code(ErrorCode::UNSUPPORTED_ENDPOINT_TYPE));
}

TEST_F(Cluster, the_quorum_is_described_on_both_listeners) {
  for (const Via& via : {Via{}, kController}) {
    for (std::int16_t version = 0; version <= 2; ++version) {
      wire::DescribeQuorumRequest request;
      auto& topic = request.topics.emplace_back();
      topic.topic_name = "__cluster_metadata";
      topic.partitions.emplace_back();
      auto quorum = world_.ask<wire::DescribeQuorumApi>(request, version, via);
      ASSERT_TRUE(quorum.has_value()) << quorum.error().message;
      EXPECT_EQ(quorum->error_code, 0);
      const auto& partition = quorum->topics.at(0).partitions.at(0);
      EXPECT_EQ(partition.error_code, 0);
      EXPECT_EQ(partition.leader_id, 1);
      EXPECT_GT(partition.high_watermark, 0);
      ASSERT_EQ(partition.current_voters.size(), 1u);
      EXPECT_EQ(partition.current_voters[0].replica_id, 1);
      if (version < 2) continue;
      ASSERT_EQ(quorum->nodes.size(), 1u);
      ASSERT_EQ(quorum->nodes[0].listeners.size(), 1u);
      EXPECT_EQ(quorum->nodes[0].listeners[0].port, 9093);
      request.topics[0].topic_name = "orders";
      auto unknown = world_.ask<wire::DescribeQuorumApi>(request, version, via);
      EXPECT_EQ(unknown->topics.at(0).partitions.at(0).error_code, code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
    }
  }
}

TEST_F(Cluster, each_listener_advertises_what_it_serves) {
  wire::ApiVersionsRequest request;
  request.client_software_name = "test";
  request.client_software_version = "1";
  for (bool controller : {false, true}) {
    Via via{"c", controller};
    auto response = world_.ask<wire::ApiVersionsApi>(request, 4, via);
    ASSERT_TRUE(response.has_value()) << response.error().message;
    std::set<std::int16_t> advertised;
    for (const auto& api : response->api_keys) advertised.insert(api.api_key);
    std::set<std::int16_t> served;
    for (const HandlerEntry* handler : all_handlers()) {
      if (serves(handler->listeners, controller ? Serves::kController : Serves::kBroker)) served.insert(handler->key);
    }
    EXPECT_EQ(advertised, served);
    EXPECT_EQ(advertised.contains(63), controller);
    EXPECT_EQ(advertised.contains(0), !controller);
    auto of_quorum = [](const auto& feature) { return feature.name == "kraft.version"; };
    auto kraft = std::ranges::find_if(response->finalized_features, of_quorum);
    ASSERT_NE(kraft, response->finalized_features.end()) << "the voters are dynamic";
    EXPECT_EQ(kraft->max_version_level, 1);
  }
}

Bytes frame_of(std::int16_t key, std::int16_t version) {
  Buffer frame(32);
  frame.resize(11);
  store_be(frame.data(), key);
  store_be(frame.data() + 2, version);
  store_be(frame.data() + 4, std::int32_t{1});
  store_be(frame.data() + 8, std::int16_t{0});
  frame.data()[10] = 0;
  return frame.freeze();
}

TEST_F(Cluster, what_is_not_served_closes_the_connection) {
  EXPECT_FALSE(world_.ask_raw(frame_of(63, 0)).has_value());        // a controller's API on a broker's listener
  EXPECT_FALSE(world_.ask_raw(frame_of(0, 13), true).has_value());  // and the other way round
  EXPECT_FALSE(world_.ask_raw(frame_of(4, 0)).has_value());         // removed
  EXPECT_FALSE(world_.ask_raw(frame_of(60, 3)).has_value());        // a version of the future
  EXPECT_FALSE(world_.ask_raw(frame_of(22, 6)).has_value());        // unstable
  EXPECT_FALSE(world_.ask_raw(Bytes::copy("x")).has_value());
  EXPECT_TRUE(world_.ask_raw(frame_of(18, 99)).has_value());        // ApiVersions says what it speaks
}

TEST(HandlerList, is_in_order_and_within_the_schemas) {
  std::int16_t before = -1;
  for (const HandlerEntry* handler : all_handlers()) {
    EXPECT_LT(before, handler->key);
    before = handler->key;
    EXPECT_EQ(find_handler(handler->key), handler);
    EXPECT_LE(handler->versions.low, handler->versions.high);
  }
  EXPECT_EQ(find_handler(4), nullptr);
}

}  // namespace
}  // namespace milena::broker
