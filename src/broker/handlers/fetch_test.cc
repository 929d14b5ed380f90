// Fetch on a node: sessions that two connections share, waiting, and fairness between loops.
#include <gtest/gtest.h>

#include "broker/testing/node_world.h"
#include "wire/apis/delete_topics.h"
#include "wire/apis/fetch.h"
#include "wire/apis/produce.h"
#include "wire/batch_builder.h"
#include "wire/error_code.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;

constexpr std::int16_t kFetchVersion = 17;

std::int16_t code(ErrorCode error) { return wire::to_int16(error); }

class Fetches : public ::testing::Test {
 protected:
  explicit Fetches(std::size_t data_loops = 1) : world_({}, 1, data_loops) {}
  void SetUp() override { ASSERT_TRUE(world_.start()) << world_.error(); }

  void produce(const std::string& topic, int partition, std::size_t bytes = 100) {
    std::string value(bytes, 'v');
    wire::BatchBuilder builder{wire::BatchOptions{}};
    Bytes copy = Bytes::copy(value);
    builder.append(world_.machine().runtime().control_loop().wall_now(), std::nullopt, copy.view());
    wire::ProduceRequest request;
    request.transactional_id.reset();
    request.acks = -1;
    request.timeout_ms = 10000;
    auto& data = request.topic_data.emplace_back();
    data.topic_id = world_.image().topic(topic)->id;
    auto& one = data.partition_data.emplace_back();
    one.index = partition;
    one.records = builder.build();
    auto answer = world_.ask<wire::ProduceApi>(request, 13, Via{"producer"});
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
    ASSERT_EQ(answer->responses.at(0).partition_responses.at(0).error_code, 0);
  }

  wire::FetchRequest request(const std::string& topic, const std::vector<int>& partitions, int max_wait_ms) {
    wire::FetchRequest result;
    result.max_wait_ms = max_wait_ms;
    result.min_bytes = 1;
    result.max_bytes = 1 << 20;
    result.session_epoch = -1;
    if (partitions.empty()) return result;
    auto& to = result.topics.emplace_back();
    to.topic_id = world_.image().topic(topic)->id;
    for (int index : partitions) {
      auto& one = to.partitions.emplace_back();
      one.partition = index;
      one.partition_max_bytes = 1 << 20;
    }
    return result;
  }

  NodeWorld world_;
};

TEST_F(Fetches, a_session_may_change_while_one_of_its_requests_waits) {
  world_.create_topic("orders", 2);
  wire::FetchRequest first = request("orders", {0, 1}, 0);
  first.session_epoch = 0;
  auto opened = world_.ask<wire::FetchApi>(first, kFetchVersion);
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  ASSERT_NE(opened->session_id, 0);

  wire::FetchRequest parked = request("orders", {}, 30000);
  parked.session_id = opened->session_id;
  parked.session_epoch = 1;
  auto waiting = world_.send<wire::FetchApi>(parked, kFetchVersion, Via{"one"});
  world_.world().run_for(1s);
  ASSERT_FALSE(waiting->has_value());

  wire::FetchRequest other = request("orders", {}, 0);
  other.session_id = opened->session_id;
  other.session_epoch = 2;
  auto& forgotten = other.forgotten_topics_data.emplace_back();
  forgotten.topic_id = world_.image().topic("orders")->id;
  forgotten.partitions = {0, 1};
  auto ended = world_.ask<wire::FetchApi>(other, kFetchVersion, Via{"two"});
  ASSERT_TRUE(ended.has_value()) << ended.error().message;
  EXPECT_EQ(ended->error_code, 0);
  EXPECT_EQ(ended->session_id, 0);

  produce("orders", 0);
  auto answer = world_.wait<wire::FetchApi>(waiting);
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->error_code, code(ErrorCode::INVALID_FETCH_SESSION_EPOCH));
  EXPECT_TRUE(answer->responses.empty());
}

TEST_F(Fetches, an_incremental_session_is_told_what_is_new) {
  world_.create_topic("orders", 2);
  wire::FetchRequest first = request("orders", {0, 1}, 0);
  first.session_epoch = 0;
  auto opened = world_.ask<wire::FetchApi>(first, kFetchVersion);
  ASSERT_EQ(opened->responses.at(0).partitions.size(), 2u);
  wire::FetchRequest next = request("orders", {}, 500);
  next.session_id = opened->session_id;
  next.session_epoch = 1;
  auto nothing = world_.ask<wire::FetchApi>(next, kFetchVersion);
  EXPECT_EQ(nothing->session_id, opened->session_id);
  EXPECT_TRUE(nothing->responses.empty());
  produce("orders", 1);
  next.session_epoch = 2;
  auto something = world_.ask<wire::FetchApi>(next, kFetchVersion);
  ASSERT_EQ(something->responses.size(), 1u);
  ASSERT_EQ(something->responses[0].partitions.size(), 1u);
  EXPECT_EQ(something->responses[0].partitions[0].partition_index, 1);
  EXPECT_EQ(something->responses[0].partitions[0].high_watermark, 1);
}

TEST_F(Fetches, a_newer_request_on_the_session_ends_the_wait_of_the_older_one_and_hears_its_news) {
  world_.create_topic("orders", 2);
  wire::FetchRequest first = request("orders", {0, 1}, 0);
  first.session_epoch = 0;
  auto opened = world_.ask<wire::FetchApi>(first, kFetchVersion);
  wire::FetchRequest parked = request("orders", {}, 60000);
  parked.min_bytes = 1 << 20;
  parked.session_id = opened->session_id;
  parked.session_epoch = 1;
  auto waiting = world_.send<wire::FetchApi>(parked, kFetchVersion, Via{"one"});
  world_.world().run_for(1s);
  produce("orders", 1);
  world_.world().run_for(1s);
  ASSERT_FALSE(waiting->has_value()) << "it has read the batch, and wants more";
  wire::FetchRequest newer = request("orders", {}, 0);
  newer.session_id = opened->session_id;
  newer.session_epoch = 2;
  auto answer = world_.ask<wire::FetchApi>(newer, kFetchVersion, Via{"two"});
  ASSERT_EQ(answer->error_code, 0);
  ASSERT_EQ(answer->responses.size(), 1u) << "what the other one has read was told to nobody";
  EXPECT_EQ(answer->responses[0].partitions.at(0).partition_index, 1);
  EXPECT_FALSE(answer->responses[0].partitions.at(0).records->empty());
  Instant begun = world_.world().now();
  EXPECT_EQ(world_.wait<wire::FetchApi>(waiting)->error_code, code(ErrorCode::INVALID_FETCH_SESSION_EPOCH));
  EXPECT_LT(world_.world().now() - begun, 1s);
}

TEST_F(Fetches, a_session_closed_during_a_wait_lasts_until_its_answer) {
  world_.create_topic("orders", 1);
  wire::FetchRequest first = request("orders", {0}, 0);
  first.session_epoch = 0;
  auto opened = world_.ask<wire::FetchApi>(first, kFetchVersion);
  wire::FetchRequest parked = request("orders", {}, 60000);
  parked.session_id = opened->session_id;
  parked.session_epoch = 1;
  auto waiting = world_.send<wire::FetchApi>(parked, kFetchVersion, Via{"one"});
  world_.world().run_for(1s);
  wire::FetchRequest closing = request("orders", {}, 0);
  closing.session_id = opened->session_id;
  ASSERT_TRUE(world_.ask<wire::FetchApi>(closing, kFetchVersion, Via{"two"}).has_value());
  produce("orders", 0);
  auto answer = world_.wait<wire::FetchApi>(waiting);
  EXPECT_EQ(answer->error_code, 0);
  EXPECT_FALSE(answer->responses.at(0).partitions.at(0).records->empty());
  parked.session_epoch = 2;
  EXPECT_EQ(world_.ask<wire::FetchApi>(parked, kFetchVersion)->error_code, code(ErrorCode::FETCH_SESSION_ID_NOT_FOUND));
}

TEST_F(Fetches, a_session_by_name_goes_on_with_a_topic_made_anew) {
  world_.create_topic("orders", 1);
  produce("orders", 0);
  wire::FetchRequest first = request("orders", {0}, 0);
  first.topics[0].topic = "orders";
  first.topics[0].partitions[0].fetch_offset = 1;
  first.session_epoch = 0;
  auto opened = world_.ask<wire::FetchApi>(first, 12);
  wire::FetchRequest next = request("orders", {}, 0);
  next.session_id = opened->session_id;
  auto one_of = [&](std::int32_t epoch) {
    next.session_epoch = epoch;
    auto answer = world_.ask<wire::FetchApi>(next, 12);
    return answer->responses.empty() ? wire::FetchResponse::PartitionData() : answer->responses.at(0).partitions.at(0);
  };
  wire::DeleteTopicsRequest remove;
  remove.topics.emplace_back().topic_id = world_.image().topic("orders")->id;
  remove.timeout_ms = 10000;
  ASSERT_TRUE(world_.ask<wire::DeleteTopicsApi>(remove, 6, Via{"admin"}).has_value());
  world_.world().run_for(5s);
  EXPECT_EQ(one_of(1).error_code, code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
  EXPECT_EQ(one_of(2).error_code, code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)) << "told until it ends";
  world_.create_topic("orders", 1);
  world_.world().run_for(5s);
  EXPECT_EQ(one_of(3).error_code, code(ErrorCode::OFFSET_OUT_OF_RANGE)) << "there is nothing at 1 any more";
  produce("orders", 0);
  EXPECT_EQ(one_of(4).high_watermark, 1);
  EXPECT_TRUE(world_.ask<wire::FetchApi>([&] { next.session_epoch = 5; return next; }(), 12)->responses.empty());
}

TEST_F(Fetches, a_session_may_be_evicted_during_a_wait) {
  NodeWorld small({{"max.incremental.fetch.session.cache.slots", "1"}}, 1, 1);
  ASSERT_TRUE(small.start()) << small.error();
  small.create_topic("orders", 1);
  auto ask_for = [&](std::int32_t id, std::int32_t epoch, int max_wait_ms) {
    wire::FetchRequest result;
    result.max_wait_ms = max_wait_ms;
    result.min_bytes = 1;
    result.max_bytes = 1 << 20;
    result.session_id = id;
    result.session_epoch = epoch;
    if (epoch > 0) return result;
    auto& topic = result.topics.emplace_back();
    topic.topic_id = small.image().topic("orders")->id;
    topic.partitions.emplace_back().partition_max_bytes = 1 << 20;
    return result;
  };
  auto opened = small.ask<wire::FetchApi>(ask_for(0, 0, 0), kFetchVersion);
  ASSERT_NE(opened->session_id, 0);
  auto waiting = small.send<wire::FetchApi>(ask_for(opened->session_id, 1, 300000), kFetchVersion, Via{"one"});
  small.world().run_for(3min);
  auto other = small.ask<wire::FetchApi>(ask_for(0, 0, 0), kFetchVersion, Via{"two"});
  EXPECT_NE(other->session_id, 0) << "the idle one gave way";
  auto answer = small.wait<wire::FetchApi>(waiting);
  EXPECT_EQ(answer->error_code, 0);
  auto gone = small.ask<wire::FetchApi>(ask_for(opened->session_id, 2, 0), kFetchVersion);
  EXPECT_EQ(gone->error_code, code(ErrorCode::FETCH_SESSION_ID_NOT_FOUND));
}

class FetchesAcrossLoops : public Fetches {
 protected:
  FetchesAcrossLoops() : Fetches(2) {}
  static std::size_t bytes_of(const wire::FetchResponse& response, int partition) {
    for (const auto& topic : response.responses) {
      for (const auto& one : topic.partitions) {
        if (one.partition_index == partition && one.records.has_value()) return one.records->size();
      }
    }
    return 0;
  }
};

TEST_F(FetchesAcrossLoops, a_backlog_on_one_loop_does_not_starve_the_others) {
  world_.create_topic("orders", 2);  // neighbours: one partition per loop
  produce("orders", 0, 3000);
  produce("orders", 1, 3000);
  int first = 0;
  int second = 0;
  for (int i = 0; i < 40; ++i) {
    wire::FetchRequest small = request("orders", {0, 1}, 0);
    small.max_bytes = 1000;
    auto response = world_.ask<wire::FetchApi>(small, kFetchVersion);
    ASSERT_TRUE(response.has_value()) << response.error().message;
    std::size_t zero = bytes_of(*response, 0);
    std::size_t one = bytes_of(*response, 1);
    EXPECT_TRUE((zero == 0) != (one == 0)) << "the limit leaves room for one batch, and one there is";
    first += zero > 0 ? 1 : 0;
    second += one > 0 ? 1 : 0;
  }
  EXPECT_GT(first, 5);
  EXPECT_GT(second, 5);
}

TEST_F(FetchesAcrossLoops, bytes_of_all_partitions_count_towards_the_minimum) {
  world_.create_topic("orders", 4);
  produce("orders", 3, 500);
  wire::FetchRequest three = request("orders", {0, 1, 2, 3}, 60000);
  three.min_bytes = 2000;
  auto waiting = world_.send<wire::FetchApi>(three, kFetchVersion);
  world_.world().run_for(1s);
  produce("orders", 0, 500);
  produce("orders", 1, 500);
  world_.world().run_for(1s);
  ASSERT_FALSE(waiting->has_value());
  produce("orders", 0, 500);
  auto response = world_.wait<wire::FetchApi>(waiting);
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_GT(bytes_of(*response, 0), 1000u) << "both batches";
  EXPECT_GT(bytes_of(*response, 1), 500u);
  EXPECT_EQ(bytes_of(*response, 2), 0u);
  EXPECT_GT(bytes_of(*response, 3), 500u) << "read before the wait, and kept";
}

TEST_F(FetchesAcrossLoops, the_end_of_the_wait_brings_what_there_is) {
  world_.create_topic("orders", 2);
  wire::FetchRequest patient = request("orders", {0, 1}, 5000);
  patient.min_bytes = 1 << 20;
  Instant begun = world_.world().now();
  auto waiting = world_.send<wire::FetchApi>(patient, kFetchVersion);
  world_.world().run_for(1s);
  produce("orders", 1, 500);
  auto response = world_.wait<wire::FetchApi>(waiting);
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_GE(world_.world().now() - begun, 4900ms);
  EXPECT_LT(world_.world().now() - begun, 6s);
  EXPECT_EQ(bytes_of(*response, 0), 0u);
  EXPECT_GT(bytes_of(*response, 1), 500u);
  EXPECT_EQ(response->responses.at(0).partitions.size(), 2u);
}

TEST_F(FetchesAcrossLoops, a_partition_that_is_deleted_ends_the_wait) {
  world_.create_topic("orders", 2);
  world_.create_topic("others", 1);
  wire::FetchRequest patient = request("orders", {0, 1}, 60000);
  auto waiting = world_.send<wire::FetchApi>(patient, kFetchVersion);
  world_.world().run_for(1s);
  ASSERT_FALSE(waiting->has_value());
  Instant begun = world_.world().now();
  wire::DeleteTopicsRequest remove;
  remove.topics.emplace_back().topic_id = world_.image().topic("orders")->id;
  remove.timeout_ms = 10000;
  ASSERT_TRUE(world_.ask<wire::DeleteTopicsApi>(remove, 6, Via{"admin"}).has_value());
  auto response = world_.wait<wire::FetchApi>(waiting);
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_LT(world_.world().now() - begun, 1s);
  int failed = 0;
  for (const auto& one : response->responses.at(0).partitions) {
    if (one.error_code == code(ErrorCode::NOT_LEADER_OR_FOLLOWER)) ++failed;
  }
  EXPECT_GT(failed, 0);
}

}  // namespace
}  // namespace milena::broker
