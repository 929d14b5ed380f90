// BrokerRegistration, BrokerHeartbeat, UnregisterBroker, ControllerRegistration, AllocateProducerIds and
// AssignReplicasToDirs on a controller's listener.
#include <gtest/gtest.h>

#include "broker/testing/node_world.h"
#include "image/metadata_version.h"
#include "wire/apis/allocate_producer_ids.h"
#include "wire/apis/assign_replicas_to_dirs.h"
#include "wire/apis/broker_heartbeat.h"
#include "wire/apis/broker_registration.h"
#include "wire/apis/controller_registration.h"
#include "wire/apis/unregister_broker.h"
#include "wire/error_code.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;

const Via kController{"broker-2", true};

std::int16_t code(ErrorCode error) { return wire::to_int16(error); }

class ControllerListener : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(world_.start()) << world_.error(); }

  wire::BrokerRegistrationRequest registration(std::int32_t id) {
    wire::BrokerRegistrationRequest request;
    request.broker_id = id;
    request.cluster_id = world_.node().cluster_id();
    request.incarnation_id = Uuid{42, 42};
    auto& listener = request.listeners.emplace_back();
    listener.name = "PLAINTEXT";
    listener.host = "elsewhere";
    listener.port = 9092;
    for (const image::SupportedFeature& feature : image::kSupportedFeatures) {
      auto& one = request.features.emplace_back();
      one.name = feature.name;
      one.min_supported_version = feature.min_level;
      one.max_supported_version = feature.max_level;
    }
    request.log_dirs = {Uuid{9, 9}};
    return request;
  }
  std::int64_t register_broker(std::int32_t id, std::int16_t version = 4) {
    auto response = world_.ask<wire::BrokerRegistrationApi>(registration(id), version, kController);
    CHECK(response.has_value(), "BrokerRegistration was not answered");
    EXPECT_EQ(response->error_code, 0);
    return response->broker_epoch;
  }

  NodeWorld world_;
};

TEST_F(ControllerListener, a_second_broker_registers_fenced_and_is_unfenced_when_it_caught_up) {
  std::int64_t epoch = register_broker(2);
  ASSERT_NE(world_.image().broker(BrokerId(2)), nullptr);
  EXPECT_TRUE(world_.image().broker(BrokerId(2))->fenced);
  EXPECT_EQ(world_.image().broker(BrokerId(2))->broker_epoch, epoch);

  wire::BrokerHeartbeatRequest heartbeat;
  heartbeat.broker_id = 2;
  heartbeat.broker_epoch = epoch;
  heartbeat.current_metadata_offset = 0;
  auto behind = world_.ask<wire::BrokerHeartbeatApi>(heartbeat, 0, kController);
  ASSERT_TRUE(behind.has_value()) << behind.error().message;
  EXPECT_EQ(behind->error_code, 0);
  EXPECT_FALSE(behind->is_caught_up);
  EXPECT_TRUE(behind->is_fenced);
  heartbeat.current_metadata_offset = world_.image().offset.value();
  auto caught_up = world_.ask<wire::BrokerHeartbeatApi>(heartbeat, 2, kController);
  EXPECT_TRUE(caught_up->is_caught_up);
  EXPECT_FALSE(caught_up->is_fenced);
  EXPECT_FALSE(world_.image().broker(BrokerId(2))->fenced);
  // Silent for its session: fenced again.
  world_.world().run_for(15s);
  EXPECT_TRUE(world_.image().broker(BrokerId(2))->fenced);
}

TEST_F(ControllerListener, registrations_are_refused_by_cluster_and_by_incarnation) {
  auto foreign = registration(2);
  foreign.cluster_id = "elsewhere";
  EXPECT_EQ(world_.ask<wire::BrokerRegistrationApi>(foreign, 4, kController)->error_code,
            code(ErrorCode::INCONSISTENT_CLUSTER_ID));
  // This node's own id, alive under another incarnation.
  EXPECT_EQ(world_.ask<wire::BrokerRegistrationApi>(registration(1), 4, kController)->error_code,
            code(ErrorCode::DUPLICATE_BROKER_REGISTRATION));
}

TEST_F(ControllerListener, heartbeats_and_id_blocks_need_the_present_epoch) {
  std::int64_t epoch = register_broker(2);
  wire::BrokerHeartbeatRequest heartbeat;
  heartbeat.broker_id = 2;
  heartbeat.broker_epoch = epoch - 1;
  EXPECT_EQ(world_.ask<wire::BrokerHeartbeatApi>(heartbeat, 2, kController)->error_code,
            code(ErrorCode::STALE_BROKER_EPOCH));
  wire::AllocateProducerIdsRequest ids;
  ids.broker_id = 2;
  ids.broker_epoch = epoch;
  auto first = world_.ask<wire::AllocateProducerIdsApi>(ids, 0, kController);
  ASSERT_TRUE(first.has_value()) << first.error().message;
  EXPECT_EQ(first->error_code, 0);
  EXPECT_EQ(first->producer_id_len, 1000);
  auto second = world_.ask<wire::AllocateProducerIdsApi>(ids, 0, kController);
  EXPECT_EQ(second->producer_id_start, first->producer_id_start + 1000);
  ids.broker_epoch = epoch - 1;
  EXPECT_EQ(world_.ask<wire::AllocateProducerIdsApi>(ids, 0, kController)->error_code,
            code(ErrorCode::STALE_BROKER_EPOCH));
  ids.broker_id = 7;
  EXPECT_EQ(world_.ask<wire::AllocateProducerIdsApi>(ids, 0, kController)->error_code,
            code(ErrorCode::STALE_BROKER_EPOCH));
}

TEST_F(ControllerListener, a_broker_that_left_for_good_is_unregistered) {
  register_broker(2);
  wire::UnregisterBrokerRequest request;
  request.broker_id = 2;
  auto response = world_.ask<wire::UnregisterBrokerApi>(request, 0);  // brokers take it too
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->error_code, 0);
  EXPECT_EQ(world_.image().broker(BrokerId(2)), nullptr);
  EXPECT_EQ(world_.ask<wire::UnregisterBrokerApi>(request, 0, kController)->error_code,
            code(ErrorCode::BROKER_ID_NOT_REGISTERED));
}

TEST_F(ControllerListener, replicas_are_assigned_to_directories) {
  world_.create_topic("orders");
  const image::Broker& self = *world_.image().broker(BrokerId(1));
  wire::AssignReplicasToDirsRequest request;
  request.broker_id = 1;
  request.broker_epoch = self.broker_epoch;
  auto& directory = request.directories.emplace_back();
  directory.id = self.log_dirs.at(0);
  auto& topic = directory.topics.emplace_back();
  topic.topic_id = world_.image().topic("orders")->id;
  topic.partitions.emplace_back().partition_index = 0;
  topic.partitions.emplace_back().partition_index = 5;
  auto response = world_.ask<wire::AssignReplicasToDirsApi>(request, 0, kController);
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->error_code, 0);
  const auto& partitions = response->directories.at(0).topics.at(0).partitions;
  EXPECT_EQ(partitions.at(0).error_code, 0);
  EXPECT_EQ(partitions.at(1).error_code, code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
  request.broker_epoch = 0;
  EXPECT_EQ(world_.ask<wire::AssignReplicasToDirsApi>(request, 0, kController)->error_code,
            code(ErrorCode::STALE_BROKER_EPOCH));
}

TEST_F(ControllerListener, another_controller_registers) {
  wire::ControllerRegistrationRequest request;
  request.controller_id = 3;
  request.incarnation_id = Uuid{3, 3};
  auto& listener = request.listeners.emplace_back();
  listener.name = "CONTROLLER";
  listener.host = "third";
  listener.port = 9093;
  for (const image::SupportedFeature& feature : image::kSupportedFeatures) {
    auto& one = request.features.emplace_back();
    one.name = feature.name;
    one.min_supported_version = feature.min_level;
    one.max_supported_version = feature.max_level;
  }
  auto response = world_.ask<wire::ControllerRegistrationApi>(request, 0, kController);
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->error_code, 0);
  EXPECT_TRUE(world_.image().controllers.contains(BrokerId(3)));
}

}  // namespace
}  // namespace milena::broker
