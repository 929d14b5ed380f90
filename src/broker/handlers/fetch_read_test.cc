// Fetch on a node: limits, long polls, errors, divergence. Sessions: fetch_test.cc.
#include <gtest/gtest.h>

#include "broker/testing/node_world.h"
#include "broker/testing/partition_requests.h"
#include "wire/apis/fetch.h"
#include "wire/apis/produce.h"
#include "wire/error_code.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Data = wire::FetchResponse::PartitionData;

constexpr std::int16_t kLast = 18;

std::int16_t code(ErrorCode error) { return wire::to_int16(error); }

class Fetch : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(world_.start()) << world_.error();
    world_.create_topic("orders", 3);
    orders_ = {"orders", world_.image().topic("orders")->id};
  }
  /// Appends one batch and returns its size.
  std::size_t produce(std::int32_t partition = 0, std::size_t value_size = 100) {
    Bytes batch = batch_of(1, world_.now_ms(), value_size);
    auto response = world_.ask<wire::ProduceApi>(produce_to(orders_, partition, batch), 13, Via{"producer"});
    CHECK(response.has_value() && response->responses.at(0).partition_responses.at(0).error_code == 0);
    return batch.size();
  }
  wire::FetchResponse ask(wire::FetchRequest request, std::int16_t version = kLast) {
    auto response = world_.ask<wire::FetchApi>(std::move(request), version);
    CHECK(response.has_value(), "Fetch was not answered");
    return std::move(*response);
  }
  /// The sizes of what came, by partition in the order of the answer.
  static std::vector<std::size_t> sizes(const wire::FetchResponse& response) {
    std::vector<std::size_t> result;
    for (const auto& topic : response.responses) {
      for (const auto& partition : topic.partitions) result.push_back(partition.records->size());
    }
    return result;
  }
  Data one(FetchFrom from, std::int16_t version = kLast) {
    return ask(fetch_from(orders_, {from}), version).responses.at(0).partitions.at(0);
  }

  NodeWorld world_{{}, 1, 1};  // one loop: partitions come in the order of the request
  TopicRef orders_;
};

TEST_F(Fetch, reads_what_was_written_in_every_version) {
  Bytes batch = batch_of(3, world_.now_ms());
  ASSERT_TRUE(world_.ask<wire::ProduceApi>(produce_to(orders_, 1, batch), 13).has_value());
  for (std::int16_t version = 4; version <= kLast; ++version) {
    Data data = one({.partition = 1}, version);
    EXPECT_EQ(data.error_code, 0);
    EXPECT_EQ(data.high_watermark, 3);
    EXPECT_EQ(data.last_stable_offset, 3);
    EXPECT_EQ(data.log_start_offset, version >= 5 ? 0 : -1);
    EXPECT_FALSE(data.aborted_transactions.has_value());
    ASSERT_EQ(data.records->size(), batch.size());
    // The leader writes its epoch; behind it and the magic the crc covers what the producer sent.
    EXPECT_EQ(data.records->slice(17, batch.size() - 17).text(), batch.slice(17, batch.size() - 17).text());
  }
}

TEST_F(Fetch, read_committed_tells_of_aborted_transactions_even_if_there_are_none) {
  produce();
  auto request = fetch_from(orders_, {{}});
  request.isolation_level = 1;
  Data data = ask(request).responses.at(0).partitions.at(0);
  ASSERT_TRUE(data.aborted_transactions.has_value());
  EXPECT_TRUE(data.aborted_transactions->empty());
}

// ---- limits ------------------------------------------------------------------------------------------------

TEST_F(Fetch, the_first_batch_comes_however_large) {
  std::size_t large = produce(0, 50'000);
  produce(0, 10);
  produce(1, 10);
  auto by_partition = fetch_from(orders_, {{.partition = 0, .max_bytes = 100}, {.partition = 1, .max_bytes = 20}});
  EXPECT_EQ(sizes(ask(by_partition)), (std::vector<std::size_t>{large, 0}));
  auto by_request = fetch_from(orders_, {{.partition = 0}, {.partition = 1}});
  by_request.max_bytes = 100;
  EXPECT_EQ(sizes(ask(by_request)), (std::vector<std::size_t>{large, 0}));
}

TEST_F(Fetch, max_bytes_is_shared_by_the_partitions) {
  std::size_t size = 0;
  for (std::int32_t partition = 0; partition < 3; ++partition) {
    for (int i = 0; i < 4; ++i) size = produce(partition);
  }
  auto request = fetch_from(orders_, {{.partition = 0}, {.partition = 1}, {.partition = 2}});
  auto limited_to = [&](std::size_t bytes) {
    request.max_bytes = static_cast<std::int32_t>(bytes);
    return sizes(ask(request));
  };
  std::size_t all = 4 * size;
  EXPECT_EQ(limited_to(2 * size), (std::vector<std::size_t>{2 * size, 0, 0}));
  EXPECT_EQ(limited_to(all + 2 * size), (std::vector<std::size_t>{all, 2 * size, 0}));
  EXPECT_EQ(limited_to(3 * all), (std::vector<std::size_t>{all, all, all}));
  EXPECT_EQ(limited_to(all + size - 1), (std::vector<std::size_t>{all, 0, 0})) << "not the head of a batch alone";
  request.topics[0].partitions[0].fetch_offset = 4;
  EXPECT_EQ(limited_to(all + 2 * size), (std::vector<std::size_t>{0, all, 2 * size}));
}

TEST_F(Fetch, the_partitions_limit_is_its_own) {
  std::size_t size = 0;
  for (int i = 0; i < 4; ++i) size = produce();
  produce(1);
  auto limit = static_cast<std::int32_t>(size * 2);
  EXPECT_EQ(sizes(ask(fetch_from(orders_, {{.max_bytes = limit}, {.partition = 1}}))),
            (std::vector<std::size_t>{size * 2, size}));
  EXPECT_EQ(one({.offset = 3}).records->size(), size);
  EXPECT_EQ(one({.offset = 4}).records->size(), 0u);
}

// ---- waiting -----------------------------------------------------------------------------------------------

TEST_F(Fetch, a_long_poll_ends_with_the_append) {
  auto waiting = world_.send<wire::FetchApi>(fetch_from(orders_, {{.partition = 0}, {.partition = 1}}, 60'000), kLast);
  world_.world().run_for(5s);
  EXPECT_FALSE(waiting->has_value());
  Instant before = world_.world().now();
  std::size_t size = produce(1);
  auto response = world_.wait<wire::FetchApi>(waiting);
  EXPECT_LT(world_.world().now() - before, 1s);
  EXPECT_EQ(sizes(*response), (std::vector<std::size_t>{0, size}));
  EXPECT_EQ(response->responses[0].partitions[1].high_watermark, 1);
}

TEST_F(Fetch, waits_for_min_bytes_over_all_partitions) {
  std::size_t size = produce(0);
  auto request = fetch_from(orders_, {{.partition = 0}, {.partition = 1}}, 60'000);
  request.min_bytes = static_cast<std::int32_t>(size * 3);
  auto waiting = world_.send<wire::FetchApi>(request, kLast);
  produce(1);
  world_.world().run_for(5s);
  EXPECT_FALSE(waiting->has_value());
  produce(0);
  EXPECT_EQ(sizes(*world_.wait<wire::FetchApi>(waiting)), (std::vector<std::size_t>{size * 2, size}));
}

TEST_F(Fetch, answers_with_less_when_the_wait_is_over) {
  std::size_t size = produce();
  auto request = fetch_from(orders_, {{}}, 700);
  request.min_bytes = 1 << 20;
  Instant before = world_.world().now();
  EXPECT_EQ(sizes(ask(request)), std::vector<std::size_t>{size});
  Duration took = world_.world().now() - before;
  EXPECT_GE(took, 690ms);
  EXPECT_LT(took, 2s);
}

TEST_F(Fetch, an_error_in_one_partition_ends_the_wait) {
  auto request = fetch_from(orders_, {{.partition = 0}, {.partition = 1, .offset = 7}}, 60'000);
  Instant before = world_.world().now();
  EXPECT_EQ(ask(request).responses.at(0).partitions.at(1).error_code, code(ErrorCode::OFFSET_OUT_OF_RANGE));
  EXPECT_LT(world_.world().now() - before, 1s);
}

// ---- errors ------------------------------------------------------------------------------------------------

TEST_F(Fetch, an_error_comes_without_offsets) {
  produce();
  for (std::int16_t version = 4; version <= kLast; ++version) {
    for (std::int64_t offset : {-1, 2}) {
      Data data = one({.offset = offset}, version);
      EXPECT_EQ(data.error_code, code(ErrorCode::OFFSET_OUT_OF_RANGE));
      EXPECT_EQ(data.high_watermark, -1);
      EXPECT_EQ(data.last_stable_offset, -1);
      EXPECT_EQ(data.log_start_offset, -1);
      EXPECT_FALSE(data.aborted_transactions.has_value());
    }
    Data missing = one({.partition = 9}, version);
    EXPECT_EQ(missing.error_code, code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
    EXPECT_EQ(missing.high_watermark, -1);
    EXPECT_TRUE(missing.aborted_transactions.has_value()) << "an empty list, as Kafka has it here";
  }
  EXPECT_EQ(one({.leader_epoch = 5}, 9).error_code, code(ErrorCode::UNKNOWN_LEADER_EPOCH));
  orders_ = {"nothing", Uuid{7, 7}};
  EXPECT_EQ(one({}, 12).error_code, code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
  EXPECT_EQ(one({}, 13).error_code, code(ErrorCode::UNKNOWN_TOPIC_ID));
}

TEST_F(Fetch, a_log_that_parted_from_the_readers_is_told_where) {
  produce();
  produce();
  std::int32_t old_epoch = world_.image().topic("orders")->partition(PartitionId(0))->leader_epoch.value();
  world_.crash(io::SimCrash::kKill);
  ASSERT_TRUE(world_.start()) << world_.error();
  produce();
  std::int32_t epoch = world_.image().topic("orders")->partition(PartitionId(0))->leader_epoch.value();
  ASSERT_GT(epoch, old_epoch);
  for (std::int16_t version = 12; version <= kLast; ++version) {
    // The reader has an offset 2 of the old epoch, which ended there in our log.
    Data parted = one({.offset = 3, .last_fetched_epoch = old_epoch}, version);
    EXPECT_EQ(parted.error_code, 0);
    EXPECT_EQ(parted.diverging_epoch.epoch, old_epoch);
    EXPECT_EQ(parted.diverging_epoch.end_offset, 2);
    EXPECT_TRUE(parted.records->empty());
    Data together = one({.offset = 2, .last_fetched_epoch = old_epoch}, version);
    EXPECT_EQ(together.diverging_epoch.epoch, -1);
    EXPECT_FALSE(together.records->empty());
    EXPECT_EQ(one({.offset = 2, .last_fetched_epoch = epoch + 1}, version).error_code,
              code(ErrorCode::OFFSET_OUT_OF_RANGE));
  }
}

TEST_F(Fetch, sessions_that_nobody_knows_are_refused) {
  auto request = fetch_from(orders_, {{}});
  request.session_id = 77;
  request.session_epoch = 3;
  for (std::int16_t version = 7; version <= kLast; ++version) {
    auto response = ask(request, version);
    EXPECT_EQ(response.error_code, code(ErrorCode::FETCH_SESSION_ID_NOT_FOUND));
    EXPECT_TRUE(response.responses.empty());
  }
}

}  // namespace
}  // namespace milena::broker
