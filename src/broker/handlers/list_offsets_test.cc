// ListOffsets on a node: offsets by time and by the special timestamps.
#include <gtest/gtest.h>

#include "broker/testing/node_world.h"
#include "broker/testing/partition_requests.h"
#include "wire/apis/list_offsets.h"
#include "wire/apis/produce.h"
#include "wire/error_code.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Answer = wire::ListOffsetsResponse::ListOffsetsPartitionResponse;

constexpr std::int64_t kFirst = 1'600'000'000'000;

class ListOffsets : public ::testing::Test {
 protected:
  // Ten records, five of them later than the five after them.
  void SetUp() override {
    ASSERT_TRUE(world_.start()) << world_.error();
    world_.create_topic("orders");
    orders_ = {"orders", world_.image().topic("orders")->id};
    for (std::int64_t start : {kFirst + 1000, kFirst}) {
      auto produced = world_.ask<wire::ProduceApi>(produce_to(orders_, 0, batch_of(5, start)), 13);
      ASSERT_EQ(produced->responses.at(0).partition_responses.at(0).error_code, 0);
    }
  }
  Answer at(std::int64_t timestamp, std::int16_t version = 11, std::int32_t partition = 0) {
    auto response = world_.ask<wire::ListOffsetsApi>(offsets_at(orders_, partition, timestamp), version);
    CHECK(response.has_value(), "ListOffsets was not answered");
    return response->topics.at(0).partitions.at(0);
  }

  NodeWorld world_;
  TopicRef orders_;
};

#define EXPECT_AT(answer, expected_offset, expected_time)  \
  do {                                                     \
    Answer got = (answer);                                 \
    EXPECT_EQ(got.error_code, 0);                          \
    EXPECT_EQ(got.offset, expected_offset);                \
    EXPECT_EQ(got.timestamp, expected_time);               \
    EXPECT_EQ(got.leader_epoch, got.offset < 0 ? -1 : 0);  \
  } while (false)

TEST_F(ListOffsets, the_ends_of_the_log_in_every_version) {
  for (std::int16_t version = 1; version <= 11; ++version) {
    Answer latest = at(-1, version);
    EXPECT_EQ(latest.error_code, 0);
    EXPECT_EQ(latest.offset, 10);
    EXPECT_EQ(latest.timestamp, -1);
    EXPECT_EQ(latest.leader_epoch, version >= 4 ? 0 : -1);
    EXPECT_EQ(at(-2, version).offset, 0);
  }
}

TEST_F(ListOffsets, the_first_record_not_before_a_time) {
  EXPECT_AT(at(0), 0, kFirst + 1000);
  EXPECT_AT(at(kFirst + 1003), 3, kFirst + 1003);
  EXPECT_AT(at(kFirst + 1005), -1, -1);
}

TEST_F(ListOffsets, the_record_with_the_largest_timestamp) { EXPECT_AT(at(-3), 4, kFirst + 1004); }

TEST_F(ListOffsets, without_remote_storage_all_is_local_and_nothing_tiered) {
  EXPECT_AT(at(-4), 0, -1);
  EXPECT_AT(at(-5), -1, -1);
  EXPECT_AT(at(-6), -1, -1);
}

TEST_F(ListOffsets, special_timestamps_are_unknown_before_their_version_whatever_the_partition) {
  const std::map<std::int64_t, std::int16_t> since = {{-3, 7}, {-4, 8}, {-5, 9}, {-6, 11}};
  for (auto [timestamp, first] : since) {
    for (std::int32_t partition : {0, 9}) {
      EXPECT_EQ(at(timestamp, static_cast<std::int16_t>(first - 1), partition).error_code,
                wire::to_int16(ErrorCode::UNSUPPORTED_VERSION));
    }
    EXPECT_EQ(at(timestamp, first).error_code, 0);
  }
  EXPECT_EQ(at(-7, 11, 9).error_code, wire::to_int16(ErrorCode::UNSUPPORTED_VERSION));
  EXPECT_EQ(at(-1, 11, 9).error_code, wire::to_int16(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
}

TEST_F(ListOffsets, a_partition_asked_for_twice_is_refused) {
  auto request = offsets_at(orders_, 0, -1);
  request.topics[0].partitions.push_back(request.topics[0].partitions[0]);
  auto response = world_.ask<wire::ListOffsetsApi>(request, 11);
  ASSERT_EQ(response->topics.at(0).partitions.size(), 1u);
  EXPECT_EQ(response->topics[0].partitions[0].error_code, wire::to_int16(ErrorCode::INVALID_REQUEST));
}

TEST_F(ListOffsets, the_leader_epoch_must_be_the_present_one) {
  auto request = offsets_at(orders_, 0, -1);
  request.topics[0].partitions[0].current_leader_epoch = 5;
  EXPECT_EQ(world_.ask<wire::ListOffsetsApi>(request, 4)->topics.at(0).partitions.at(0).error_code,
            wire::to_int16(ErrorCode::UNKNOWN_LEADER_EPOCH));
}

}  // namespace
}  // namespace milena::broker
