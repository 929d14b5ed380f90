// Produce on a node: what is acknowledged, when, and what a refusal tells.
#include <gtest/gtest.h>

#include "broker/testing/node_world.h"
#include "broker/testing/partition_requests.h"
#include "wire/apis/list_offsets.h"
#include "wire/apis/produce.h"
#include "wire/error_code.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Answer = wire::ProduceResponse::PartitionProduceResponse;

std::int16_t code(ErrorCode error) { return wire::to_int16(error); }

class Produce : public ::testing::Test {
 protected:
  explicit Produce(NodeWorld::Overrides overrides = {}) : world_(std::move(overrides)) {}
  void SetUp() override {
    ASSERT_TRUE(world_.start()) << world_.error();
    world_.create_topic("orders", 2);
    orders_ = {"orders", world_.image().topic("orders")->id};
  }
  std::int64_t now() { return world_.now_ms(); }
  Answer produce(Bytes records, std::int16_t version = 13, std::int16_t acks = -1, std::int32_t partition = 0) {
    auto response = world_.ask<wire::ProduceApi>(produce_to(orders_, partition, std::move(records), acks), version);
    CHECK(response.has_value(), "Produce was not answered");
    return response->responses.at(0).partition_responses.at(0);
  }
  std::int64_t end_offset(std::int32_t partition = 0) {
    return world_.ask<wire::ListOffsetsApi>(offsets_at(orders_, partition, -1), 11)->topics.at(0).partitions.at(0).offset;
  }

  NodeWorld world_;
  TopicRef orders_;
};

TEST_F(Produce, appends_in_every_version_and_codec) {
  std::int64_t end = 0;
  for (std::int16_t version = 3; version <= 13; ++version) {
    for (wire::Codec codec : {wire::Codec::kNone, wire::Codec::kGzip, wire::Codec::kSnappy, wire::Codec::kLz4}) {
      Answer answer = produce(batch_of(3, now(), 10, {.codec = codec}), version);
      EXPECT_EQ(answer.error_code, 0) << version;
      EXPECT_EQ(answer.base_offset, end);
      EXPECT_EQ(answer.log_append_time_ms, -1);
      EXPECT_EQ(answer.log_start_offset, version >= 5 ? 0 : -1);
      end += 3;
    }
    Answer zstd = produce(batch_of(3, now(), 10, {.codec = wire::Codec::kZstd}), version);
    EXPECT_EQ(zstd.error_code, version >= 7 ? 0 : code(ErrorCode::UNSUPPORTED_COMPRESSION_TYPE));
    end += version >= 7 ? 3 : 0;
  }
  EXPECT_EQ(end_offset(), end);
}

TEST_F(Produce, a_topic_stamps_records_if_it_is_told_to) {
  world_.create_topic("stamped", 1, {{"message.timestamp.type", "LogAppendTime"}});
  orders_ = {"stamped", world_.image().topic("stamped")->id};
  Answer answer = produce(batch_of(3, 5));
  EXPECT_EQ(answer.error_code, 0);
  EXPECT_NEAR(static_cast<double>(answer.log_append_time_ms), static_cast<double>(now()), 1000);
}

TEST_F(Produce, a_refusal_of_the_log_tells_its_start_and_others_do_not) {
  Answer future = produce(batch_of(2, now() + 3 * 86'400'000));
  EXPECT_EQ(future.error_code, code(ErrorCode::INVALID_TIMESTAMP));
  EXPECT_EQ(future.log_start_offset, 0);
  EXPECT_EQ(future.base_offset, -1);
  ASSERT_EQ(future.record_errors.size(), 2u);
  EXPECT_EQ(future.record_errors[1].batch_index, 1);

  auto idempotent = [&](std::int32_t sequence) {
    wire::BatchOptions options{.producer_id = ProducerId(900), .producer_epoch = 0, .base_sequence = sequence};
    return batch_of(2, now(), 10, options);
  };
  EXPECT_EQ(produce(idempotent(5)).error_code, 0);
  Answer gap = produce(idempotent(50));
  EXPECT_EQ(gap.error_code, code(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER));
  EXPECT_EQ(gap.log_start_offset, 0);
  Answer again = produce(idempotent(5));
  EXPECT_EQ(again.error_code, 0);
  EXPECT_EQ(again.base_offset, 0) << "a duplicate is answered with where it stands";

  Answer missing = produce(batch_of(1, now()), 13, -1, 9);
  EXPECT_EQ(missing.error_code, code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
  EXPECT_EQ(missing.log_start_offset, -1);
  Bytes damaged = batch_of(1, now());
  damaged.unshared_data()[damaged.size() - 1] ^= 1;
  Answer corrupt = produce(damaged);
  EXPECT_EQ(corrupt.error_code, code(ErrorCode::CORRUPT_MESSAGE));
  EXPECT_EQ(corrupt.log_start_offset, -1);
  Answer large = produce(batch_of(1, now(), 2 << 20));
  EXPECT_EQ(large.error_code, code(ErrorCode::MESSAGE_TOO_LARGE));
  EXPECT_EQ(large.log_start_offset, -1);
  Buffer twice;
  twice.append(batch_of(1, now()));
  twice.append(batch_of(1, now()));
  Answer two = produce(Bytes::copy(twice.view()));
  EXPECT_EQ(two.error_code, code(ErrorCode::INVALID_RECORD));
  EXPECT_EQ(two.log_start_offset, -1);
  EXPECT_EQ(end_offset(), 2);
}

TEST_F(Produce, one_partition_fails_without_the_others) {
  auto request = produce_to(orders_, 0, batch_of(1, now()));
  auto& other = request.topic_data[0].partition_data.emplace_back();
  other.index = 9;
  other.records = batch_of(1, now());
  auto response = world_.ask<wire::ProduceApi>(request, 13);
  const auto& answers = response->responses.at(0).partition_responses;
  EXPECT_EQ(answers.at(0).error_code, 0);
  EXPECT_EQ(answers.at(1).error_code, code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
}

// As Kafka, which looks through the first batches for transactions before it looks at any partition.
TEST_F(Produce, one_first_batch_that_is_none_fails_the_request) {
  Bytes strange = batch_of(1, now());
  strange.unshared_data()[16] = 3;  // the magic
  auto request = produce_to(orders_, 0, batch_of(1, now()));
  auto& other = request.topic_data[0].partition_data.emplace_back();
  other.index = 9;
  other.records = strange;
  auto response = world_.ask<wire::ProduceApi>(request, 13);
  for (const auto& answer : response->responses.at(0).partition_responses) {
    EXPECT_EQ(answer.error_code, code(ErrorCode::CORRUPT_MESSAGE));
  }
  EXPECT_EQ(end_offset(), 0);
}

TEST_F(Produce, what_is_no_batch_is_told_before_the_acks) {
  EXPECT_EQ(produce({}, 13, 7).error_code, code(ErrorCode::INVALID_RECORD));
  EXPECT_EQ(produce(batch_of(1, now()), 13, 7).error_code, code(ErrorCode::INVALID_REQUIRED_ACKS));
}

TEST_F(Produce, transactions_are_refused_whole) {
  wire::BatchOptions options{
      .producer_id = ProducerId(900), .producer_epoch = 0, .base_sequence = 0, .transactional = true};
  auto request = produce_to(orders_, 0, batch_of(1, now(), 10, options));
  auto& beside = request.topic_data[0].partition_data.emplace_back();
  beside.index = 1;
  beside.records = batch_of(1, now());
  for (bool named : {true, false}) {
    if (named) request.transactional_id = "t";
    else request.transactional_id.reset();
    auto response = world_.ask<wire::ProduceApi>(request, 13);
    for (const auto& answer : response->responses.at(0).partition_responses) {
      EXPECT_EQ(answer.error_code, code(named ? ErrorCode::UNSUPPORTED_VERSION
                                              : ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED));
    }
  }
  EXPECT_EQ(end_offset(0), 0);
  EXPECT_EQ(end_offset(1), 0);
  request = produce_to(orders_, 0, batch_of(1, now()));
  request.transactional_id = "t";
  EXPECT_EQ(world_.ask<wire::ProduceApi>(request, 13)->responses.at(0).partition_responses.at(0).error_code, 0)
      << "a name alone is no transaction";
}

TEST_F(Produce, acks_are_none_one_or_all) {
  EXPECT_EQ(produce(batch_of(1, now()), 13, 1).error_code, 0);
  EXPECT_EQ(produce(batch_of(1, now()), 13, -1).error_code, 0);
  Answer seven = produce(batch_of(1, now()), 13, 7);
  EXPECT_EQ(seven.error_code, code(ErrorCode::INVALID_REQUIRED_ACKS));
  EXPECT_EQ(seven.log_start_offset, -1);
  auto missing = world_.ask<wire::ProduceApi>(produce_to(orders_, 9, batch_of(1, now()), 7), 13);
  EXPECT_EQ(missing->responses.at(0).partition_responses.at(0).error_code,
            code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
  EXPECT_EQ(end_offset(), 2);
}

TEST_F(Produce, acks_0_is_not_answered_and_a_failure_closes_the_connection) {
  Via silent{"silent"};
  auto nothing = world_.send<wire::ProduceApi>(produce_to(orders_, 0, batch_of(1, now()), 0), 13, silent);
  world_.world().run_for(5s);
  EXPECT_FALSE(nothing->has_value());
  EXPECT_TRUE(world_.connected(silent));
  EXPECT_EQ(end_offset(), 1);
  auto failed = world_.ask<wire::ProduceApi>(produce_to(orders_, 9, batch_of(1, now()), 0), 13, silent);
  EXPECT_TRUE(failed.failed());
  EXPECT_FALSE(world_.connected(silent));
}

class SyncedProduce : public Produce, public ::testing::WithParamInterface<std::int16_t> {
 protected:
  SyncedProduce() : Produce({{"log.flush.interval.messages", "1"}}) {}
};

// Whoever was told that a record is there finds it after a power loss.
TEST_P(SyncedProduce, what_was_acknowledged_survives_a_power_loss) {
  for (std::int64_t i = 0; i < 5; ++i) {
    ASSERT_EQ(produce(batch_of(1, now(), 5000), 13, GetParam()).error_code, 0);
    world_.crash(io::SimCrash::kPowerLoss);
    ASSERT_TRUE(world_.start()) << world_.error();
    EXPECT_EQ(end_offset(), i + 1);
  }
}
INSTANTIATE_TEST_SUITE_P(acks, SyncedProduce, ::testing::Values<std::int16_t>(1, -1));

}  // namespace
}  // namespace milena::broker
