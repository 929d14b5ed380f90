// What a node's sockets allow: request sizes, idle connections.
#include <gtest/gtest.h>

#include "base/endian.h"
#include "broker/testing/node_world.h"
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

}  // namespace
}  // namespace milena::broker
