// Configurations that are changed while a node runs: what each one does, at once and after a restart.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "broker/testing/node_world.h"
#include "broker/testing/partition_requests.h"
#include "wire/apis/describe_producers.h"
#include "wire/apis/incremental_alter_configs.h"
#include "wire/apis/produce.h"
#include "wire/batch_builder.h"
#include "wire/error_code.h"
#include "wire/record_batch.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Produced = decltype(wire::ProduceResponse::TopicProduceResponse::partition_responses)::value_type;

constexpr std::int8_t kTopic = 2;
constexpr std::int8_t kBroker = 4;

std::int16_t code(ErrorCode error) { return wire::to_int16(error); }

/// Text that compresses, and more so the harder one tries.
std::string words(std::size_t bytes) {
  Random random(7);
  std::string text;
  while (text.size() < bytes) text += "word" + std::to_string(random.below(3000)) + " ";
  return text;
}

class Effects : public ::testing::Test {
 protected:
  explicit Effects(const NodeWorld::Overrides& more = {}) : world_(overrides(more), 3) {}
  void SetUp() override {
    ASSERT_TRUE(world_.start()) << world_.error();
    world_.create_topic("t");
  }
  static NodeWorld::Overrides overrides(NodeWorld::Overrides more) {
    more.emplace_back("log.retention.check.interval.ms", "10000");
    more.emplace_back("log.flush.scheduler.interval.ms", "1000");
    return more;
  }

  Timestamp now() { return world_.machine().runtime().control_loop().wall_now(); }
  Produced produce(const std::string& value, bool keyed = false, Duration older = {}, std::int32_t partition = 0,
                   const std::string& topic = "t") {
    wire::BatchBuilder builder{wire::BatchOptions{}};
    Bytes copy = Bytes::copy(value);
    wire::BatchBuilder::Field key;
    if (keyed) key = copy.slice(0, 1).view();
    builder.append(now() - to_ms(older), key, copy.view());
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
    CHECK(answer.has_value(), "Produce was not answered");
    return answer->responses.at(0).partition_responses.at(0);
  }
  void set(std::int8_t type, const std::string& name, const std::string& key, std::optional<std::string> value) {
    wire::IncrementalAlterConfigsRequest request;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = type;
    resource.resource_name = name;
    auto& config = resource.configs.emplace_back();
    config.name = key;
    config.config_operation = value.has_value() ? 0 : 1;
    config.value = std::move(value);
    auto response = world_.ask<wire::IncrementalAlterConfigsApi>(request, 1);
    CHECK(response.has_value(), "IncrementalAlterConfigs was not answered");
    EXPECT_EQ(response->responses.at(0).error_code, 0) << key << response->responses.at(0).error_message.value_or("");
  }
  void topic(const std::string& key, std::optional<std::string> value) { set(kTopic, "t", key, std::move(value)); }
  void restart() {
    ASSERT_TRUE(world_.stop());
    ASSERT_TRUE(world_.start()) << world_.error();
  }

  /// How many files of that kind a partition has.
  std::size_t files(std::string_view suffix, std::int32_t partition = 0) {
    auto entries = disk().list("/data/t-" + std::to_string(partition));
    CHECK(entries.has_value(), "the partition has no directory");
    return static_cast<std::size_t>(
        std::ranges::count_if(*entries, [&](const auto& entry) { return entry.name.ends_with(suffix); }));
  }
  /// The last batch on disk.
  struct Stored {
    wire::Codec codec;
    std::size_t size;
  };
  Stored last_batch() {
    auto content = disk().read_file("/data/t-0/00000000000000000000.log");
    CHECK(content.has_value(), "the partition has no log");
    Bytes rest = Bytes::copy(*content);
    Stored stored{};
    while (!rest.empty()) {
      auto batch = wire::BatchView::parse(rest);
      CHECK(batch.has_value(), "not a batch");
      stored = {*batch->codec(), batch->size()};
      rest = rest.slice(batch->size(), rest.size() - batch->size());
    }
    return stored;
  }
  io::Disk& disk() { return world_.machine().runtime().control_loop().disk(); }

  NodeWorld world_;
};

const std::string kHalfSegment(600'000, 'v');  // of the smallest segment.bytes, 1 MiB

TEST_F(Effects, max_message_bytes) {
  topic("max.message.bytes", "1000");
  EXPECT_EQ(produce(std::string(2000, 'v')).error_code, code(ErrorCode::MESSAGE_TOO_LARGE));
  restart();
  EXPECT_EQ(produce(std::string(2000, 'v')).error_code, code(ErrorCode::MESSAGE_TOO_LARGE));
  topic("max.message.bytes", std::nullopt);
  EXPECT_EQ(produce(std::string(2000, 'v')).error_code, 0);
}

TEST_F(Effects, a_broker_s_own_values_win_over_those_of_all_brokers) {
  set(kBroker, "", "message.max.bytes", "1000");
  EXPECT_EQ(produce(std::string(2000, 'v')).error_code, code(ErrorCode::MESSAGE_TOO_LARGE));
  world_.create_topic("later");
  EXPECT_EQ(produce(std::string(2000, 'v'), false, {}, 0, "later").error_code, code(ErrorCode::MESSAGE_TOO_LARGE));
  set(kBroker, "1", "message.max.bytes", "3000");
  EXPECT_EQ(produce(std::string(2000, 'v')).error_code, 0);
  restart();
  EXPECT_EQ(produce(std::string(2000, 'v')).error_code, 0);
  EXPECT_EQ(produce(std::string(4000, 'v')).error_code, code(ErrorCode::MESSAGE_TOO_LARGE));
  topic("max.message.bytes", "5000");  // and a topic's over both
  EXPECT_EQ(produce(std::string(4000, 'v')).error_code, 0);
  topic("max.message.bytes", std::nullopt);
  set(kBroker, "1", "message.max.bytes", std::nullopt);
  EXPECT_EQ(produce(std::string(2000, 'v')).error_code, code(ErrorCode::MESSAGE_TOO_LARGE));
  set(kBroker, "", "message.max.bytes", std::nullopt);
  EXPECT_EQ(produce(std::string(4000, 'v')).error_code, 0);
}

TEST_F(Effects, message_timestamps) {
  EXPECT_EQ(produce("v").log_append_time_ms, -1);
  EXPECT_EQ(produce("v", false, 120min).error_code, 0);
  topic("message.timestamp.before.max.ms", "3600000");
  EXPECT_EQ(produce("v", false, 120min).error_code, code(ErrorCode::INVALID_TIMESTAMP));
  EXPECT_EQ(produce("v", false, -30min).error_code, 0);
  topic("message.timestamp.after.max.ms", "60000");
  EXPECT_EQ(produce("v", false, -30min).error_code, code(ErrorCode::INVALID_TIMESTAMP));
  topic("message.timestamp.type", "LogAppendTime");
  EXPECT_GT(produce("v", false, 120min).log_append_time_ms, 0);
}

TEST_F(Effects, compression_type_and_levels) {
  std::string text = words(100'000);
  struct Way {
    std::string type;
    wire::Codec codec;
    std::string low, high;
  };
  const Way ways[] = {{"gzip", wire::Codec::kGzip, "1", "9"},
                      {"lz4", wire::Codec::kLz4, "1", "12"},
                      {"zstd", wire::Codec::kZstd, "1", "19"},
                      {"snappy", wire::Codec::kSnappy, "", ""},
                      {"uncompressed", wire::Codec::kNone, "", ""}};
  for (const Way& way : ways) {
    topic("compression.type", way.type);
    std::size_t before = SIZE_MAX;
    for (const std::string& level : {way.low, way.high}) {
      if (!level.empty()) topic("compression." + way.type + ".level", level);
      EXPECT_EQ(produce(text).error_code, 0);
      Stored stored = last_batch();
      EXPECT_EQ(stored.codec, way.codec) << way.type;
      if (!level.empty()) {
        EXPECT_LT(stored.size, before) << way.type << " at level " << level;
      }
      before = stored.size;
    }
  }
}

TEST_F(Effects, cleanup_policy) {
  topic("cleanup.policy", "compact");
  EXPECT_EQ(produce("v").error_code, code(ErrorCode::INVALID_RECORD));
  EXPECT_EQ(produce("v", true).error_code, 0);
  topic("retention.ms", "1000");
  topic("segment.ms", "1000");
  world_.world().run_for(1min);
  EXPECT_EQ(produce("v", true).log_start_offset, 0) << "nothing is deleted by age";
  topic("cleanup.policy", "delete");
  world_.world().run_for(1min);
  EXPECT_GT(produce("v").log_start_offset, 0);
}

TEST_F(Effects, segment_bytes) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(produce(kHalfSegment).error_code, 0);
  EXPECT_EQ(files(".log"), 1u);
  topic("segment.bytes", "1048576");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(produce(kHalfSegment).error_code, 0);
  EXPECT_EQ(files(".log"), 4u);
}

TEST_F(Effects, preallocate) {
  auto size = [&](const std::string& base) { return disk().stat("/data/t-0/" + base + ".log")->size; };
  produce("v");
  const std::uint64_t small = size("00000000000000000000");
  topic("segment.bytes", "1048576");
  topic("preallocate", "true");
  EXPECT_EQ(size("00000000000000000000"), small) << "a segment that is there stays as it is";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(produce(kHalfSegment).error_code, 0);
  ASSERT_EQ(files(".log"), 3u);
  EXPECT_EQ(size("00000000000000000003"), 1048576u);
  EXPECT_LT(size("00000000000000000002"), 1048576u) << "rolled";
  restart();
  EXPECT_LT(size("00000000000000000003"), 1048576u) << "a clean stop gives the room back";
  EXPECT_EQ(produce("v").base_offset, 4);
}

TEST_F(Effects, segment_ms) {
  topic("segment.ms", "60000");
  for (int i = 0; i < 3; ++i) {
    produce("v");
    world_.world().run_for(40s);
  }
  EXPECT_EQ(files(".log"), 2u);
}

TEST_F(Effects, segment_jitter_ms) {
  set(kTopic, "t", "segment.ms", "60000");
  set(kTopic, "t", "segment.jitter.ms", "59000");
  produce("v");
  world_.world().run_for(61s);
  constexpr std::size_t kRounds = 12;
  for (std::size_t i = 0; i < kRounds; ++i) {  // each segment draws its own part of a minute
    produce("v");                              // rolls in any case
    world_.world().run_for(30s);
    produce("v");  // rolls where more than half a minute was drawn
    world_.world().run_for(61s);
  }
  EXPECT_GT(files(".log"), 1 + kRounds + 2);
  EXPECT_LT(files(".log"), 1 + 2 * kRounds);
}

TEST_F(Effects, index_interval_and_size) {
  topic("segment.index.bytes", "128");  // sixteen entries, ten in the time index
  for (int i = 0; i < 20; ++i) produce(std::string(1000, 'v'));
  EXPECT_EQ(files(".log"), 1u) << "one entry for every 4 KiB";
  topic("index.interval.bytes", "0");
  for (int i = 0; i < 20; ++i) produce(std::string(1000, 'v'));
  EXPECT_GT(files(".log"), 2u) << "one entry for each batch";
}

TEST_F(Effects, retention_bytes_and_file_delete_delay) {
  topic("segment.bytes", "1048576");
  for (int i = 0; i < 4; ++i) produce(kHalfSegment);
  topic("retention.bytes", "1100000");
  world_.world().run_for(30s);
  EXPECT_EQ(produce("v").log_start_offset, 2);
  EXPECT_EQ(files(".log.deleted"), 2u) << "for a minute";
  topic("file.delete.delay.ms", "1000");
  topic("retention.bytes", "500000");
  world_.world().run_for(15s);
  EXPECT_EQ(produce("v").log_start_offset, 3);
  EXPECT_EQ(files(".log.deleted"), 2u) << "only the earlier two still wait";
}

TEST_F(Effects, retention_ms) {
  produce("v");
  topic("retention.ms", "60000");
  world_.world().run_for(30s);
  EXPECT_EQ(produce("v").log_start_offset, 0);
  world_.world().run_for(2min);
  EXPECT_EQ(produce("v").log_start_offset, 2);
}

TEST_F(Effects, retention_of_the_broker) {
  produce("v");
  set(kBroker, "", "log.retention.ms", "60000");
  world_.world().run_for(2min);
  EXPECT_EQ(produce("v").log_start_offset, 1);
}

TEST_F(Effects, producer_id_expiration) {
  auto known = [&] {
    wire::DescribeProducersRequest request;
    auto& asked = request.topics.emplace_back();
    asked.name = "t";
    asked.partition_indexes = {0};
    auto answer = world_.ask<wire::DescribeProducersApi>(request, 0);
    CHECK(answer.has_value(), "DescribeProducers was not answered");
    return answer->topics.at(0).partitions.at(0).active_producers.size();
  };
  wire::BatchOptions options;
  options.producer_id = ProducerId(900);
  options.producer_epoch = 0;
  options.base_sequence = 0;
  TopicRef t{"t", world_.image().topic("t")->id};
  Bytes batch = batch_of(1, now().value(), 10, options);
  ASSERT_TRUE(world_.ask<wire::ProduceApi>(produce_to(t, 0, batch), 13).has_value());
  world_.world().run_for(2min);
  EXPECT_EQ(known(), 1u);
  set(kBroker, "", "producer.id.expiration.ms", "60000");
  world_.world().run_for(30s);
  EXPECT_EQ(known(), 0u);
}

// How many of a hundred records a loss of power leaves, a while after they were produced.
class Flushes : public Effects {
 protected:
  void SetUp() override {
    Effects::SetUp();
    topic("flush.ms", "9223372036854775807");  // its default is how often it is looked at
  }
  std::int64_t survivors() {
    std::int64_t kept = 0;
    for (int round = 0; round < 5; ++round) {
      std::int64_t first = produce("v").base_offset;
      for (int i = 0; i < 19; ++i) produce(std::string(5000, 'v'));
      world_.world().run_for(5s);
      world_.crash(io::SimCrash::kPowerLoss);
      EXPECT_TRUE(world_.start()) << world_.error();
      kept += produce("v").base_offset - first;
    }
    return kept;
  }
};

TEST_F(Flushes, nothing_without_a_limit) { EXPECT_LT(survivors(), 100); }
TEST_F(Flushes, flush_messages) {
  topic("flush.messages", "1");
  EXPECT_EQ(survivors(), 100);
}
TEST_F(Flushes, flush_ms) {
  topic("flush.ms", "2000");
  EXPECT_EQ(survivors(), 100);
}
TEST_F(Flushes, of_the_broker) {
  set(kBroker, "1", "log.flush.interval.messages", "1");
  EXPECT_EQ(survivors(), 100);
}

}  // namespace
}  // namespace milena::broker
