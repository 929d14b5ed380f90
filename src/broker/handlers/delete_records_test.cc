// DeleteRecords on a node: what is gone stays gone, and what must not be deleted is not.
#include <gtest/gtest.h>

#include "broker/testing/node_world.h"
#include "broker/testing/partition_requests.h"
#include "wire/apis/delete_records.h"
#include "wire/apis/delete_topics.h"
#include "wire/apis/fetch.h"
#include "wire/apis/find_coordinator.h"
#include "wire/apis/list_offsets.h"
#include "wire/apis/produce.h"
#include "wire/error_code.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Answer = wire::DeleteRecordsResponse::DeleteRecordsPartitionResult;

constexpr const char* kCheckpoint = "/data/log-start-offset-checkpoint";

class DeleteRecords : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(world_.start()) << world_.error();
    world_.create_topic("orders", 2);
    orders_ = {"orders", world_.image().topic("orders")->id};
    fill(orders_, 10);
  }
  void fill(const TopicRef& topic, int records, int batches = 1, std::size_t value_size = 10) {
    for (int i = 0; i < batches; ++i) {
      auto produced =
          world_.ask<wire::ProduceApi>(produce_to(topic, 0, batch_of(records, world_.now_ms(), value_size)), 13);
      ASSERT_EQ(produced->responses.at(0).partition_responses.at(0).error_code, 0);
    }
  }
  static wire::DeleteRecordsRequest request_for(const std::string& topic, std::int32_t partition, std::int64_t offset) {
    wire::DeleteRecordsRequest request;
    request.timeout_ms = 5000;
    auto& asked = request.topics.emplace_back();
    asked.name = topic;
    auto& one = asked.partitions.emplace_back();
    one.partition_index = partition;
    one.offset = offset;
    return request;
  }
  Answer remove(std::int64_t offset, const std::string& topic = "orders", std::int32_t partition = 0,
                std::int16_t version = 2) {
    auto response = world_.ask<wire::DeleteRecordsApi>(request_for(topic, partition, offset), version);
    CHECK(response.has_value(), "DeleteRecords was not answered");
    return response->topics.at(0).partitions.at(0);
  }
  std::int64_t log_start(const TopicRef& topic) {
    auto response = world_.ask<wire::ListOffsetsApi>(offsets_at(topic, 0, -2), 7);
    return response->topics.at(0).partitions.at(0).offset;
  }
  std::int16_t fetch_error(std::int64_t offset) {
    FetchFrom from;
    from.offset = offset;
    auto response = world_.ask<wire::FetchApi>(fetch_from(orders_, {from}), 13);
    return response->responses.at(0).partitions.at(0).error_code;
  }
  std::string checkpoint() { return world_.machine().disk().read_file(kCheckpoint).value(); }

  NodeWorld world_;
  TopicRef orders_;
};

#define EXPECT_REFUSED(answer, error)                     \
  do {                                                    \
    Answer got = (answer);                                \
    EXPECT_EQ(got.error_code, wire::to_int16(error));     \
    EXPECT_EQ(got.low_watermark, -1);                     \
  } while (false)

TEST_F(DeleteRecords, in_every_version_the_log_begins_where_it_was_asked_to) {
  for (std::int16_t version = 0; version <= 2; ++version) {
    Answer answer = remove(3 + version, "orders", 0, version);
    EXPECT_EQ(answer.error_code, 0);
    EXPECT_EQ(answer.low_watermark, 3 + version);
  }
  EXPECT_EQ(log_start(orders_), 5);
  EXPECT_EQ(fetch_error(4), wire::to_int16(ErrorCode::OFFSET_OUT_OF_RANGE));
  EXPECT_EQ(fetch_error(5), 0);
}

TEST_F(DeleteRecords, what_is_gone_already_changes_nothing) {
  EXPECT_EQ(remove(4).low_watermark, 4);
  EXPECT_EQ(remove(2).low_watermark, 4);
  EXPECT_EQ(log_start(orders_), 4);
}

TEST_F(DeleteRecords, minus_one_is_all_that_is_committed) {
  EXPECT_EQ(remove(-1).low_watermark, 10);
  EXPECT_EQ(log_start(orders_), 10);
  fill(orders_, 2);
  EXPECT_EQ(fetch_error(10), 0);
}

TEST_F(DeleteRecords, of_a_partition_named_twice_the_last_offset_counts) {
  auto request = request_for("orders", 0, 99);
  request.topics.push_back(request_for("orders", 0, 6).topics[0]);
  auto response = world_.ask<wire::DeleteRecordsApi>(request, 2);
  ASSERT_EQ(response->topics.size(), 1u);
  ASSERT_EQ(response->topics[0].partitions.size(), 1u);
  EXPECT_EQ(response->topics[0].partitions[0].low_watermark, 6);
}

TEST_F(DeleteRecords, refusals) {
  EXPECT_REFUSED(remove(11), ErrorCode::OFFSET_OUT_OF_RANGE);
  EXPECT_REFUSED(remove(-2), ErrorCode::OFFSET_OUT_OF_RANGE);
  EXPECT_REFUSED(remove(0, "nothing"), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
  EXPECT_REFUSED(remove(0, "orders", 2), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
  EXPECT_REFUSED(remove(0, "orders", -1), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
  EXPECT_REFUSED(remove(-1, "__consumer_offsets"), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
  world_.create_topic("compacted", 1, {{"cleanup.policy", "compact"}});
  EXPECT_REFUSED(remove(0, "compacted"), ErrorCode::POLICY_VIOLATION);
  world_.create_topic("both", 1, {{"cleanup.policy", "compact,delete"}});
  EXPECT_EQ(remove(0, "both").error_code, 0);
  EXPECT_EQ(log_start(orders_), 0);
}

TEST_F(DeleteRecords, coordinators_topics_are_not_for_clients) {
  wire::FindCoordinatorRequest find;
  find.key = "group";
  ASSERT_TRUE(world_.ask<wire::FindCoordinatorApi>(find, 1).has_value());
  ASSERT_NE(world_.image().topic("__consumer_offsets"), nullptr);
  EXPECT_REFUSED(remove(-1, "__consumer_offsets"), ErrorCode::INVALID_TOPIC_EXCEPTION);
}

TEST_F(DeleteRecords, an_answer_outlives_every_end_of_the_process) {
  std::int64_t start = 0;
  for (auto how : {io::SimCrash::kKill, io::SimCrash::kPowerLoss}) {
    start += 3;
    ASSERT_EQ(remove(start).low_watermark, start);
    EXPECT_EQ(checkpoint(), "0\n1\norders 0 " + std::to_string(start) + "\n") << "when the answer was given";
    world_.crash(how);
    ASSERT_TRUE(world_.start()) << world_.error();
    EXPECT_EQ(log_start(orders_), start);
    EXPECT_EQ(fetch_error(start - 1), wire::to_int16(ErrorCode::OFFSET_OUT_OF_RANGE));
  }
  ASSERT_EQ(remove(8).low_watermark, 8);
  ASSERT_TRUE(world_.stop());
  ASSERT_TRUE(world_.start()) << world_.error();
  EXPECT_EQ(log_start(orders_), 8);
}

TEST_F(DeleteRecords, a_topic_made_again_has_its_records_back) {
  ASSERT_EQ(remove(7).low_watermark, 7);
  wire::DeleteTopicsRequest drop;
  drop.topic_names = {"orders"};
  drop.timeout_ms = 30000;
  ASSERT_EQ(world_.ask<wire::DeleteTopicsApi>(drop, 5)->responses.at(0).error_code, 0);
  world_.create_topic("orders");
  orders_.id = world_.image().topic("orders")->id;
  fill(orders_, 3);
  world_.crash(io::SimCrash::kKill);
  ASSERT_TRUE(world_.start()) << world_.error();
  EXPECT_EQ(log_start(orders_), 0);
  EXPECT_EQ(fetch_error(0), 0);
}

TEST_F(DeleteRecords, many_at_once_are_all_durable) {
  world_.create_topic("more");
  TopicRef more{"more", world_.image().topic("more")->id};
  fill(more, 10);
  std::vector<Pending<wire::DeleteRecordsApi>> pending;
  for (int i = 1; i <= 5; ++i) {
    Via via{"client " + std::to_string(i)};
    pending.push_back(world_.send<wire::DeleteRecordsApi>(request_for("orders", 0, i), 2, via));
    via.client += " of more";
    pending.push_back(world_.send<wire::DeleteRecordsApi>(request_for("more", 0, i), 2, via));
  }
  for (const auto& one : pending) {
    EXPECT_EQ(world_.wait<wire::DeleteRecordsApi>(one)->topics.at(0).partitions.at(0).error_code, 0);
  }
  world_.crash(io::SimCrash::kKill);
  ASSERT_TRUE(world_.start()) << world_.error();
  EXPECT_EQ(log_start(orders_), 5);
  EXPECT_EQ(log_start(more), 5);
}

TEST_F(DeleteRecords, segments_below_go_with_retention) {
  world_.create_topic("rolled", 1, {{"internal.segment.bytes", "4096"}, {"file.delete.delay.ms", "1000"}});
  TopicRef rolled{"rolled", world_.image().topic("rolled")->id};
  fill(rolled, 10, 20, 100);
  std::string first = "/data/rolled-0/00000000000000000000.log";
  ASSERT_TRUE(world_.machine().disk().exists(first));
  ASSERT_EQ(remove(-1, "rolled").low_watermark, 200);
  world_.world().run_for(std::chrono::minutes(6));
  EXPECT_FALSE(world_.machine().disk().exists(first));
  std::size_t segments = 0;
  auto entries = world_.machine().disk().list("/data/rolled-0");
  ASSERT_TRUE(entries.has_value());
  for (const auto& entry : *entries) {
    segments += entry.name.ends_with(".log") ? 1 : 0;
  }
  EXPECT_EQ(segments, 1u) << "the active one stays";
  EXPECT_EQ(log_start(rolled), 200);
}

TEST_F(DeleteRecords, a_full_disk_does_not_keep_records_from_being_deleted) {
  io::SimDisk& disk = world_.machine().disk();
  disk.faults().capacity = disk.used();
  disk.faults().full_name_one_in = 1;
  EXPECT_EQ(remove(6).low_watermark, 6);
  disk.faults().capacity = std::numeric_limits<std::uint64_t>::max();
  world_.world().run_for(std::chrono::minutes(2));
  EXPECT_EQ(checkpoint(), "0\n1\norders 0 6\n") << "told when there was room";
}

TEST(DeleteRecordsOnFailedDirectory, is_refused) {
  NodeWorld world({{"log.dirs", "/a,/b"}, {"metadata.log.dir", "/meta"}});
  ASSERT_TRUE(world.start()) << world.error();
  world.create_topic("orders", 2);
  io::SimDisk& disk = world.machine().disk();
  std::string there = disk.exists("/a/orders-0") ? "/a" : "/b";
  TopicRef orders{"orders", world.image().topic("orders")->id};
  (void)world.ask<wire::ProduceApi>(produce_to(orders, 0, batch_of(3, world.now_ms())), 13);
  disk.fail_next_sync(there + "/log-start-offset-checkpoint");
  wire::DeleteRecordsRequest request;
  request.timeout_ms = 5000;
  auto& asked = request.topics.emplace_back();
  asked.name = "orders";
  auto& one = asked.partitions.emplace_back();
  one.offset = 2;
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto answer = world.ask<wire::DeleteRecordsApi>(request, 2)->topics.at(0).partitions.at(0);
    EXPECT_EQ(answer.error_code, wire::to_int16(ErrorCode::KAFKA_STORAGE_ERROR)) << attempt;
    EXPECT_EQ(answer.low_watermark, -1);
  }
}

}  // namespace
}  // namespace milena::broker
