// What a node's sockets allow: request sizes, idle connections, how many there may be.
#include <gtest/gtest.h>

#include "base/endian.h"
#include "broker/testing/node_world.h"
#include "wire/apis/describe_cluster.h"
#include "wire/apis/incremental_alter_configs.h"
#include "wire/apis/metadata.h"

namespace milena::broker {
namespace {

// Metadata v0 of all topics, with a client id of `padding` bytes.
Bytes metadata_frame(std::size_t padding) {
  std::vector<std::uint8_t> frame(14 + padding, 'x');
  store_be<std::int16_t>(frame.data(), 3);
  store_be<std::int16_t>(frame.data() + 2, 0);
  store_be<std::int32_t>(frame.data() + 4, 7);
  store_be<std::int16_t>(frame.data() + 8, static_cast<std::int16_t>(padding));
  store_be<std::int32_t>(frame.data() + 10 + padding, 0);
  return Bytes::copy(ByteView(frame));
}

TEST(SocketLimits, a_request_over_socket_request_max_bytes_ends_the_connection) {
  NodeWorld world(NodeWorld::Overrides{{"socket.request.max.bytes", "1000"}});
  ASSERT_TRUE(world.start()) << world.error();
  for (bool controller : {false, true}) {
    EXPECT_TRUE(world.ask_raw(metadata_frame(1000 - 14)).has_value()) << "the limit itself is allowed";
    EXPECT_FALSE(world.ask_raw(metadata_frame(1001 - 14), controller).has_value());
  }
}

TEST(SocketLimits, connections_max_idle_ms_closes_a_quiet_connection_and_no_other) {
  NodeWorld world(NodeWorld::Overrides{{"connections.max.idle.ms", "5000"}});
  ASSERT_TRUE(world.start()) << world.error();
  Via quiet{"quiet"};
  Via busy{"busy"};
  ASSERT_TRUE(world.ask<wire::MetadataApi>({}, 0, quiet).has_value());
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(world.ask<wire::MetadataApi>({}, 0, busy).has_value());
    EXPECT_EQ(world.connected(quiet), i < 2) << i;
    world.world().run_for(3s);
  }
  EXPECT_FALSE(world.connected(quiet));
  EXPECT_TRUE(world.connected(busy));
}

class ConnectionQuota : public ::testing::Test {
 protected:
  void start(const NodeWorld::Overrides& overrides = {}) {
    NodeWorld::Overrides all = overrides;
    all.emplace_back("connections.max.idle.ms", "5000");
    world_ = std::make_unique<NodeWorld>(all);
    ASSERT_TRUE(world_->start()) << world_->error();
  }
  Pending<wire::MetadataApi> begin(const std::string& client, bool controller = false) {
    return world_->send<wire::MetadataApi>({}, controller ? 12 : 0, Via{client, controller});
  }
  bool ask(const std::string& client) { return world_->wait<wire::MetadataApi>(begin(client)).has_value(); }
  bool open(const std::string& client) { return world_->connected(Via{client}); }
  void set(const std::string& broker, const std::string& key, std::optional<std::string> value) {
    wire::IncrementalAlterConfigsRequest request;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = 4;
    resource.resource_name = broker;
    auto& config = resource.configs.emplace_back();
    config.name = key;
    config.config_operation = value.has_value() ? 0 : 1;
    config.value = std::move(value);
    auto answer = world_->ask<wire::IncrementalAlterConfigsApi>(request, 1, Via{"admin"});
    ASSERT_TRUE(answer.has_value());
    ASSERT_EQ(answer->responses.at(0).error_code, 0) << answer->responses[0].error_message.value_or("");
    world_->world().run_for(100ms);
  }
  std::unique_ptr<NodeWorld> world_;
};

TEST_F(ConnectionQuota, max_connections_lets_new_ones_wait_until_others_end) {
  start({{"max.connections", "2"}});
  ASSERT_TRUE(ask("a"));
  ASSERT_TRUE(ask("b"));
  auto late = begin("c");
  world_->world().run_for(3s);
  EXPECT_FALSE(late->has_value());
  world_->world().run_for(3s);  // the others were idle for too long
  ASSERT_TRUE(late->has_value());
  EXPECT_TRUE((*late)->has_value());
}

TEST_F(ConnectionQuota, max_connections_raised_and_lowered_while_the_node_runs) {
  start();
  for (const char* client : {"a", "b", "c"}) {
    ASSERT_TRUE(ask(client));
    world_->world().run_for(100ms);
  }
  ASSERT_TRUE(ask("a"));
  set("1", "max.connections", "2");  // the administrator's own is the third
  EXPECT_TRUE(open("a"));
  EXPECT_FALSE(open("b")) << "the longest idle";
  EXPECT_FALSE(open("c"));
  EXPECT_TRUE(open("admin"));
  auto late = begin("c");
  world_->world().run_for(1s);
  EXPECT_FALSE(late->has_value());
  set("1", "max.connections", std::nullopt);
  EXPECT_TRUE(late->has_value());
}

TEST_F(ConnectionQuota, of_controllers_are_counted_apart) {
  start({{"max.connections", "1"}});
  ASSERT_TRUE(ask("a"));
  wire::DescribeClusterRequest request;
  request.endpoint_type = 2;
  EXPECT_TRUE(world_->ask<wire::DescribeClusterApi>(request, 1, Via{"b", true}).has_value());
}

TEST_F(ConnectionQuota, max_connections_of_one_listener) {
  start();
  ASSERT_TRUE(ask("a"));
  set("1", "listener.name.plaintext.max.connections", "2");
  auto late = begin("b");
  world_->world().run_for(1s);
  EXPECT_FALSE(late->has_value());
  set("1", "listener.name.plaintext.max.connections", "3");
  EXPECT_TRUE(late->has_value());
}

TEST_F(ConnectionQuota, max_connections_per_ip_closes_the_newest) {
  start();
  ASSERT_TRUE(ask("a"));
  set("", "max.connections.per.ip", "2");
  EXPECT_FALSE(ask("b"));
  EXPECT_TRUE(open("a"));
  set("1", "max.connections.per.ip", "3");  // a broker's own wins
  EXPECT_TRUE(ask("b"));
  EXPECT_FALSE(ask("c"));
}

TEST_F(ConnectionQuota, max_connections_per_ip_overrides) {
  start();
  ASSERT_TRUE(ask("admin"));
  std::string address = world_->address_of_clients();
  set("", "max.connections.per.ip", "1");
  EXPECT_FALSE(ask("a"));
  set("", "max.connections.per.ip.overrides", "10.9.8.7:1," + address + ":2");
  EXPECT_TRUE(ask("a"));
  EXPECT_FALSE(ask("b"));
  set("", "max.connections.per.ip.overrides", std::nullopt);
  EXPECT_TRUE(ask("a")) << "who is there stays";
  EXPECT_FALSE(ask("b"));
}

TEST_F(ConnectionQuota, max_connection_creation_rate_spreads_them_over_time) {
  start();
  ASSERT_TRUE(ask("admin"));
  world_->world().run_for(1s);
  set("", "max.connection.creation.rate", "1");
  std::int64_t began = world_->now_ms();
  for (int i = 0; i < 9; ++i) ASSERT_TRUE(ask("early " + std::to_string(i)));
  EXPECT_LT(world_->now_ms() - began, 900) << "as many as ten seconds would bring";
  began = world_->now_ms();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(ask("late " + std::to_string(i)));
  EXPECT_GE(world_->now_ms() - began, 3900);
}

}  // namespace
}  // namespace milena::broker
