// DescribeProducers on a node.
#include <gtest/gtest.h>

#include "broker/testing/node_world.h"
#include "broker/testing/partition_requests.h"
#include "wire/apis/describe_producers.h"
#include "wire/apis/produce.h"
#include "wire/error_code.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Answer = wire::DescribeProducersResponse::PartitionResponse;

class DescribeProducers : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(world_.start()) << world_.error();
    world_.create_topic("orders", 2);
    orders_ = {"orders", world_.image().topic("orders")->id};
  }
  struct Batch {
    std::int64_t producer;
    std::int16_t epoch;
    std::int32_t sequence;
    int records;
  };
  void produce(const Batch& batch, std::int64_t time) {
    wire::BatchOptions options;
    options.producer_id = ProducerId(batch.producer);
    options.producer_epoch = batch.epoch;
    options.base_sequence = batch.sequence;
    auto answer = world_.ask<wire::ProduceApi>(produce_to(orders_, 0, batch_of(batch.records, time, 10, options)), 13);
    ASSERT_EQ(answer->responses.at(0).partition_responses.at(0).error_code, 0);
  }
  Answer describe(const std::string& topic = "orders", std::int32_t partition = 0) {
    wire::DescribeProducersRequest request;
    auto& asked = request.topics.emplace_back();
    asked.name = topic;
    asked.partition_indexes = {partition};
    auto response = world_.ask<wire::DescribeProducersApi>(request, 0);
    CHECK(response.has_value(), "DescribeProducers was not answered");
    EXPECT_EQ(response->topics.at(0).name, topic);
    EXPECT_EQ(response->topics.at(0).partitions.at(0).partition_index, partition);
    return response->topics[0].partitions[0];
  }

  NodeWorld world_;
  TopicRef orders_;
};

TEST_F(DescribeProducers, tells_each_producers_last_batch_also_after_a_restart) {
  std::int64_t now = world_.now_ms();
  produce({900, 0, 0, 3}, now);
  produce({900, 0, 3, 2}, now + 10);
  produce({901, 4, 0, 1}, now + 20);
  wire::DescribeProducersResponse::ProducerState first;
  first.producer_id = 900;
  first.producer_epoch = 0;
  first.last_sequence = 4;
  first.last_timestamp = now + 11;
  first.coordinator_epoch = -1;
  first.current_txn_start_offset = -1;
  auto second = first;
  second.producer_id = 901;
  second.producer_epoch = 4;
  second.last_sequence = 0;
  second.last_timestamp = now + 20;
  Answer answer = describe();
  EXPECT_EQ(answer.error_code, 0);
  EXPECT_EQ(answer.active_producers, (std::vector{first, second}));
  EXPECT_TRUE(describe("orders", 1).active_producers.empty());
  ASSERT_TRUE(world_.stop());
  ASSERT_TRUE(world_.start()) << world_.error();
  EXPECT_EQ(describe().active_producers, (std::vector{first, second}));
}

TEST_F(DescribeProducers, a_new_epoch_takes_the_old_ones_place) {
  std::int64_t now = world_.now_ms();
  produce({900, 0, 0, 3}, now);
  produce({900, 1, 0, 1}, now);
  ASSERT_EQ(describe().active_producers.size(), 1u);
  EXPECT_EQ(describe().active_producers[0].producer_epoch, 1);
  EXPECT_EQ(describe().active_producers[0].last_sequence, 0);
}

TEST_F(DescribeProducers, refusals) {
  EXPECT_EQ(describe("nothing").error_code, wire::to_int16(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
  EXPECT_EQ(describe("orders", 2).error_code, wire::to_int16(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
  EXPECT_EQ(describe("orders", -1).error_code, wire::to_int16(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
  Answer bad = describe("a b");
  EXPECT_EQ(bad.error_code, wire::to_int16(ErrorCode::INVALID_TOPIC_EXCEPTION));
  EXPECT_TRUE(bad.error_message.has_value());
}

}  // namespace
}  // namespace milena::broker
