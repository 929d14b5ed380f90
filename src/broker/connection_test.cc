// Connections of a node: what a slow reader may cost, and what is still answered at a stop.
#include "broker/connection.h"

#include <gtest/gtest.h>

#include <map>

#include "base/endian.h"
#include "broker/testing/node_world.h"
#include "wire/apis/fetch.h"
#include "wire/apis/list_offsets.h"
#include "wire/apis/produce.h"
#include "wire/batch_builder.h"
#include "wire/error_code.h"
#include "wire/messages/request_header.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;

constexpr std::int16_t kFetchVersion = 17;
constexpr std::int16_t kProduceVersion = 13;

template <class Api>
Bytes frame_of(const typename Api::Request& request, std::int16_t version) {
  wire::RequestHeader header;
  header.request_api_key = Api::key;
  header.request_api_version = version;
  header.client_id = "raw";
  wire::Writer writer;
  header.encode(writer, 2);
  request.encode(writer, version);
  Bytes body = writer.to_bytes();
  Buffer frame(4 + body.size());
  frame.resize(4);
  store_be(frame.data(), static_cast<std::int32_t>(body.size()));
  frame.append(body);
  return frame.freeze();
}

class Connections : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(world_.start()) << world_.error();
    world_.create_topic("orders", 2);
  }
  Uuid topic() { return world_.image().topic("orders")->id; }

  wire::ProduceRequest produce(int partition, std::size_t bytes) {
    wire::BatchBuilder builder{wire::BatchOptions{}};
    Bytes value = Bytes::copy(std::string(bytes, 'v'));
    builder.append(world_.machine().runtime().control_loop().wall_now(), std::nullopt, value.view());
    wire::ProduceRequest request;
    request.transactional_id.reset();
    request.acks = 1;
    auto& data = request.topic_data.emplace_back();
    data.topic_id = topic();
    auto& one = data.partition_data.emplace_back();
    one.index = partition;
    one.records = builder.build();
    return request;
  }
  wire::FetchRequest fetch(int partition, int max_wait_ms) {
    wire::FetchRequest request;
    request.max_wait_ms = max_wait_ms;
    request.min_bytes = 1;
    request.max_bytes = 1 << 20;
    request.session_epoch = -1;
    auto& to = request.topics.emplace_back();
    to.topic_id = topic();
    auto& one = to.partitions.emplace_back();
    one.partition = partition;
    one.partition_max_bytes = 1 << 20;
    return request;
  }
  std::int64_t end_offset(int partition) {
    wire::ListOffsetsRequest request;
    auto& to = request.topics.emplace_back();
    to.name = "orders";
    auto& one = to.partitions.emplace_back();
    one.partition_index = partition;
    one.timestamp = -1;
    auto response = world_.ask<wire::ListOffsetsApi>(request, 8);
    CHECK(response.has_value(), "ListOffsets was not answered");
    return response->topics.at(0).partitions.at(0).offset;
  }
  static io::Task<std::unique_ptr<io::Stream>> send_all(std::vector<Bytes> frames) {
    io::Endpoint to{"broker", NodeWorld::kBrokerPort};
    auto connected = co_await io::Loop::current()->net().connect(to);
    CHECK(connected.has_value(), "cannot connect");
    std::vector<ByteView> pieces;
    for (const Bytes& frame : frames) pieces.push_back(frame.view());
    auto written = co_await (*connected)->write(pieces);
    CHECK(written.has_value(), "cannot write");
    co_return std::move(*connected);
  }
  // Sends all and then reads when it is told to.
  static io::Task<void> talk(std::vector<Bytes> frames, io::Signal* go_on, std::size_t* received) {
    std::unique_ptr<io::Stream> stream = co_await send_all(std::move(frames));
    co_await go_on->wait();
    Buffer block(64 << 10);
    block.resize(block.capacity());
    while (true) {
      auto got = co_await stream->read_some(MutableByteView(block.data(), block.size()));
      if (got.failed() || *got == 0) break;
      *received += *got;
    }
  }

  // Sends all and keeps what comes back.
  static io::Task<void> collect(std::vector<Bytes> frames, Buffer* received) {
    std::unique_ptr<io::Stream> stream = co_await send_all(std::move(frames));
    Buffer block(4 << 10);
    block.resize(block.capacity());
    while (true) {
      auto got = co_await stream->read_some(MutableByteView(block.data(), block.size()));
      if (got.failed() || *got == 0) break;
      received->append(block.view().subspan(0, *got));
    }
  }

  NodeWorld world_;
};

// Every second request is a small Produce: the end of partition 1 tells how many were served.
TEST_F(Connections, a_client_that_does_not_read_is_not_served_without_limit) {
  constexpr std::size_t kValue = 900000;
  constexpr int kPairs = 40;
  ASSERT_TRUE(world_.ask<wire::ProduceApi>(produce(0, kValue), kProduceVersion).has_value());
  std::vector<Bytes> frames;
  for (int i = 0; i < kPairs; ++i) {
    frames.push_back(frame_of<wire::FetchApi>(fetch(0, 0), kFetchVersion));
    frames.push_back(frame_of<wire::ProduceApi>(produce(1, 10), kProduceVersion));
  }
  io::SimNode& clients = world_.world().node(0);
  io::Signal go_on(clients.runtime().control_loop());
  std::size_t received = 0;
  clients.spawn(talk(std::move(frames), &go_on, &received));
  world_.world().run_for(10s);
  EXPECT_GE(end_offset(1), 3);
  EXPECT_LE(end_offset(1), static_cast<std::int64_t>(Connection::kMaxQueuedBytes / kValue));
  clients.runtime().control_loop().post([&] { go_on.notify_all(); });
  world_.world().run_for(60s);
  EXPECT_EQ(end_offset(1), kPairs);
  EXPECT_GT(received, kPairs * kValue);
}

// Many at once, on partitions of both loops, and a question between them that must see what was sent before it and
// nothing of what comes after.
TEST_F(Connections, produce_requests_overlap_and_are_answered_in_order) {
  wire::ListOffsetsRequest question;
  auto& to = question.topics.emplace_back();
  to.name = "orders";
  auto& asked = to.partitions.emplace_back();
  asked.partition_index = 0;
  asked.timestamp = -1;
  std::vector<Bytes> frames;
  for (int i = 0; i < 20; ++i) {
    if (i == 12) frames.push_back(frame_of<wire::ListOffsetsApi>(question, 8));
    frames.push_back(frame_of<wire::ProduceApi>(produce(i % 2, 10), kProduceVersion));
  }
  io::SimNode& clients = world_.world().node(0);
  Buffer received(64 << 10);
  clients.spawn(collect(std::move(frames), &received));
  world_.world().run_for(10s);

  ByteView rest = received.view();
  for (int i = 0; i < 21; ++i) {
    ASSERT_GE(rest.size(), 4u) << "answer " << i;
    auto size = static_cast<std::size_t>(load_be<std::int32_t>(rest.data()));
    wire::Reader reader(Bytes::copy(as_text(rest.subspan(4, size))));
    rest = rest.subspan(4 + size);
    reader.read_int32();  // correlation id
    reader.skip_tags();
    if (i == 12) {
      wire::ListOffsetsResponse answer;
      ASSERT_TRUE(answer.decode(reader, 8));
      EXPECT_EQ(answer.topics.at(0).partitions.at(0).offset, 6);
      continue;
    }
    int number = i < 12 ? i : i - 1;
    wire::ProduceResponse answer;
    ASSERT_TRUE(answer.decode(reader, kProduceVersion));
    const auto& partition = answer.responses.at(0).partition_responses.at(0);
    EXPECT_EQ(partition.index, number % 2);
    EXPECT_EQ(partition.base_offset, number / 2);
  }
  EXPECT_TRUE(rest.empty());
}

TEST_F(Connections, answers_that_are_ready_together_leave_in_one_write) {
  constexpr int kRequests = 60;
  std::vector<Bytes> frames;
  for (int i = 0; i < kRequests; ++i) frames.push_back(frame_of<wire::ProduceApi>(produce(0, 10), kProduceVersion));
  io::SimNode& clients = world_.world().node(0);
  Buffer received(64 << 10);
  constexpr io::SimNet::Node kBroker = 1;
  std::uint64_t before = world_.world().net().writes(kBroker);
  clients.spawn(collect(std::move(frames), &received));
  world_.world().run_for(10s);
  EXPECT_EQ(end_offset(0), kRequests);
  // The question for the end is one. The frames arrive in pieces, and a turn's answers go together.
  EXPECT_LE(world_.world().net().writes(kBroker) - before, 1u + kRequests / 4);
}

// A request for many partitions takes as long a way to each as one for a single partition behind it.
TEST_F(Connections, requests_of_all_shapes_keep_their_order) {
  std::vector<Bytes> frames;
  for (int i = 0; i < 20; ++i) {
    wire::ProduceRequest request = produce(i % 2, 10);
    if (i % 3 == 0) request.topic_data.push_back(produce(1 - i % 2, 10).topic_data.at(0));
    frames.push_back(frame_of<wire::ProduceApi>(request, kProduceVersion));
  }
  io::SimNode& clients = world_.world().node(0);
  Buffer received(64 << 10);
  clients.spawn(collect(std::move(frames), &received));
  world_.world().run_for(10s);
  std::map<std::int32_t, std::int64_t> next;
  ByteView rest = received.view();
  for (int i = 0; i < 20; ++i) {
    ASSERT_GE(rest.size(), 4u) << "answer " << i;
    auto size = static_cast<std::size_t>(load_be<std::int32_t>(rest.data()));
    wire::Reader reader(Bytes::copy(as_text(rest.subspan(4, size))));
    rest = rest.subspan(4 + size);
    reader.read_int32();  // correlation id
    reader.skip_tags();
    wire::ProduceResponse answer;
    ASSERT_TRUE(answer.decode(reader, kProduceVersion));
    for (const auto& topic : answer.responses)
      for (const auto& partition : topic.partition_responses)
        EXPECT_EQ(partition.base_offset, next[partition.index]++) << "request " << i;
  }
}

TEST_F(Connections, a_stop_answers_a_fetch_that_waits) {
  auto waiting = world_.send<wire::FetchApi>(fetch(0, 60000), kFetchVersion);
  world_.world().run_for(1s);
  ASSERT_FALSE(waiting->has_value());
  Instant before = world_.world().now();
  ASSERT_TRUE(world_.stop());
  EXPECT_LT(world_.world().now() - before, 1s);
  auto answer = world_.wait<wire::FetchApi>(waiting);
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->responses.at(0).partitions.at(0).error_code, wire::to_int16(ErrorCode::NOT_LEADER_OR_FOLLOWER));
}

TEST_F(Connections, a_stop_does_not_wait_for_a_client_that_does_not_read) {
  ASSERT_TRUE(world_.ask<wire::ProduceApi>(produce(0, 900000), kProduceVersion).has_value());
  std::vector<Bytes> frames(3, frame_of<wire::FetchApi>(fetch(0, 0), kFetchVersion));
  io::SimNode& clients = world_.world().node(0);
  io::Signal go_on(clients.runtime().control_loop());
  std::size_t received = 0;
  clients.spawn(talk(std::move(frames), &go_on, &received));
  world_.world().run_for(1s);
  Instant before = world_.world().now();
  ASSERT_TRUE(world_.stop());
  EXPECT_LT(world_.world().now() - before, 3s);
  clients.runtime().control_loop().post([&] { go_on.notify_all(); });
  world_.world().run_for(1s);
}

}  // namespace
}  // namespace milena::broker
