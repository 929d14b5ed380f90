// C5, C6 and C8 of the traps: what somebody announces costs no memory before it arrives.
#include <limits>

#include "base/endian.h"
#include "trap_node.h"
#include "wire/compression.h"
#include "wire/messages/api_versions_request.h"
#include "wire/reader.h"

namespace milena::traps {
namespace {

constexpr std::size_t kMiB = 1 << 20;

io::Task<void> announce(std::uint32_t length, int* connected) {
  io::Endpoint to{"broker", broker::NodeWorld::kBrokerPort};
  auto stream = co_await io::Loop::current()->net().connect(to);
  if (!stream.has_value()) co_return;
  std::vector<std::uint8_t> bytes(5);
  store_be(bytes.data(), length);
  std::vector<ByteView> pieces{ByteView(bytes)};
  (void)co_await (*stream)->write(pieces);
  ++*connected;
  co_await io::sleep_for(*io::Loop::current(), 60s);
  (*stream)->close();
}

// Connections that announce 100 MiB and send one byte.
TEST(Trap_C5, an_announced_frame_costs_no_memory) {
  TrapNode node;
  io::SimNodeOptions options;
  options.name = "stranger";
  io::SimNode& stranger = node.world.world().add_node(options);
  int connected = 0;
  LargestAllocation watch;
  for (int i = 0; i < 50; ++i) stranger.spawn(announce(100 * kMiB, &connected));
  node.world.world().run_for(5s);
  EXPECT_EQ(connected, 50);
  EXPECT_LT(LargestAllocation::bytes(), kMiB);
  EXPECT_LT(LargestAllocation::total(), 64 * kMiB);
  EXPECT_EQ(node.produce(1).error, ErrorCode::NONE);
}

void append_uvarint(std::vector<std::uint8_t>& out, std::uint32_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value));
}

// ApiVersions v3 behind a header v2 with so many tagged fields announced, and `fields` of them there.
Bytes with_tags(std::uint32_t announced, std::uint32_t fields, bool in_header) {
  std::vector<std::uint8_t> frame{0, 18, 0, 3, 0, 0, 0, 1, 0xff, 0xff};
  auto tags = [&](bool here) {
    append_uvarint(frame, here ? announced : 0);
    for (std::uint32_t i = 0; here && i < fields; ++i) {
      append_uvarint(frame, 100 + i);
      append_uvarint(frame, 0);
    }
  };
  tags(in_header);
  for (int i = 0; i < 2; ++i) {  // client software name and version
    append_uvarint(frame, 2);
    frame.push_back('x');
  }
  tags(!in_header);
  return Bytes::copy(std::string_view(reinterpret_cast<const char*>(frame.data()), frame.size()));
}

// A count of tagged fields is compared with the bytes that are there, and unknown ones are skipped, not kept.
TEST(Trap_C6, unknown_tagged_fields_cost_no_memory) {
  TrapNode node;
  for (bool in_header : {true, false}) {
    for (std::uint32_t announced : {1'000'000U, 0x7fffffffU, 0xffffffffU}) {
      LargestAllocation watch;
      auto answer = node.world.ask_raw(with_tags(announced, 1, in_header));
      EXPECT_LT(LargestAllocation::bytes(), 2 * kMiB) << announced;
      EXPECT_EQ(node.produce(1).error, ErrorCode::NONE) << "the node goes on";
    }
    auto few = node.world.ask_raw(with_tags(1000, 1000, in_header));
    ASSERT_TRUE(few.has_value()) << "unknown fields are allowed";
    constexpr std::uint32_t kMany = 300'000;
    Bytes frame = with_tags(kMany, kMany, in_header);
    LargestAllocation watch;
    EXPECT_TRUE(node.world.ask_raw(frame).has_value());
    EXPECT_LT(LargestAllocation::total(), 16 * frame.size()) << "the simulated network's copies included";
  }
}

// xerial's frame with one chunk of that length, in which snappy announces so many bytes.
std::string chunk_of(std::int32_t length, std::uint32_t announced, std::string_view rest) {
  std::string frame("\x82SNAPPY\0\0\0\0\1\0\0\0\1", 16);
  std::uint8_t size[4];
  store_be(size, length);
  frame.append(reinterpret_cast<const char*>(size), 4);
  std::vector<std::uint8_t> block;
  append_uvarint(block, announced);
  frame.append(reinterpret_cast<const char*>(block.data()), block.size());
  return frame + std::string(rest);
}

// Neither the length of a chunk nor what snappy says it holds is believed.
TEST(Trap_C8, lengths_in_snappy_are_not_believed) {
  wire::CompressionScratch scratch;
  for (std::int32_t length : {-1, 3, 100, 0x7ffffff0, std::numeric_limits<std::int32_t>::max()}) {
    for (std::uint32_t announced : {10U, 60'000'000U, 0x7fffffffU, 0xffffffffU}) {
      std::string frame = chunk_of(length, announced, "ab");
      wire::DecompressOptions limits;
      limits.bytes_max = 100 * kMiB;
      Buffer out;
      LargestAllocation watch;
      EXPECT_TRUE(wire::decompress(wire::Codec::kSnappy, as_bytes(frame), limits, out, scratch).failed())
          << length << " " << announced;
      EXPECT_LT(LargestAllocation::bytes(), kMiB) << length << " " << announced;
    }
  }
  // Without xerial's frame, as librdkafka sends it.
  for (std::uint32_t announced : {60'000'000U, 0xffffffffU}) {
    std::vector<std::uint8_t> block;
    append_uvarint(block, announced);
    block.push_back(0);
    wire::DecompressOptions limits;
    limits.bytes_max = 100 * kMiB;
    Buffer out;
    LargestAllocation watch;
    EXPECT_TRUE(wire::decompress(wire::Codec::kSnappy, ByteView(block), limits, out, scratch).failed());
    EXPECT_LT(LargestAllocation::bytes(), kMiB) << announced;
  }
}

}  // namespace
}  // namespace milena::traps
