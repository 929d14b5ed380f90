// A log directory whose disk breaks, while the node runs and at its start (KIP-112, KIP-858): its partitions are out,
// the others go on, and nothing that was acknowledged is lost when it comes back.
#include <gtest/gtest.h>

#include "broker/testing/node_world.h"
#include "broker/testing/partition_requests.h"
#include "wire/apis/create_topics.h"
#include "wire/apis/delete_records.h"
#include "wire/apis/delete_topics.h"
#include "wire/apis/describe_log_dirs.h"
#include "wire/apis/describe_producers.h"
#include "wire/apis/describe_topic_partitions.h"
#include "wire/apis/fetch.h"
#include "wire/apis/list_offsets.h"
#include "wire/apis/metadata.h"
#include "wire/apis/offset_for_leader_epoch.h"
#include "wire/apis/produce.h"
#include "wire/error_code.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;

std::int16_t code(ErrorCode error) { return wire::to_int16(error); }

// A topic with two partitions, one in /a and one in /b; the metadata log is elsewhere. /b is the one that breaks.
class FailedDirectory : public ::testing::Test {
 protected:
  void SetUp() override { start_with(1); }
  void start_with(std::uint64_t seed) {
    world_ = std::make_unique<NodeWorld>(
        NodeWorld::Overrides{{"log.dirs", "/a,/b"}, {"metadata.log.dir", "/meta"}, {"log.flush.interval.messages", "1"}},
        seed);
    ASSERT_TRUE(world_->start()) << world_->error();
    world_->create_topic("orders", 2);
    orders_ = {"orders", world_->image().topic("orders")->id};
    in_b_ = disk().exists("/b/orders-0") ? 0 : 1;
    in_a_ = 1 - in_b_;
  }
  io::SimDisk& disk() { return world_->machine().disk(); }
  std::int16_t produce(std::int32_t partition) {
    auto answer = world_->ask<wire::ProduceApi>(produce_to(orders_, partition, batch_of(1, world_->now_ms())), 13,
                                                Via{"producer"});
    return answer.has_value() ? answer->responses.at(0).partition_responses.at(0).error_code : std::int16_t{-1};
  }
  wire::ListOffsetsResponse::ListOffsetsPartitionResponse end_of(std::int32_t partition) {
    auto answer = world_->ask<wire::ListOffsetsApi>(offsets_at(orders_, partition, -1), 7);
    CHECK(answer.has_value());
    return answer->topics.at(0).partitions.at(0);
  }
  std::int16_t fetch(std::int32_t partition) {
    auto answer = world_->ask<wire::FetchApi>(fetch_from(orders_, {{.partition = partition}}), 17, Via{"consumer"});
    return answer.has_value() ? answer->responses.at(0).partitions.at(0).error_code : std::int16_t{-1};
  }
  std::int16_t delete_records(std::int32_t partition) {
    wire::DeleteRecordsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = "orders";
    topic.partitions.emplace_back().partition_index = partition;
    return world_->ask<wire::DeleteRecordsApi>(request, 2)->topics.at(0).partitions.at(0).error_code;
  }
  std::int16_t epoch_end(std::int32_t partition) {
    wire::OffsetForLeaderEpochRequest request;
    auto& topic = request.topics.emplace_back();
    topic.topic = "orders";
    auto& one = topic.partitions.emplace_back();
    one.partition = partition;
    one.leader_epoch = 0;
    return world_->ask<wire::OffsetForLeaderEpochApi>(request, 4)->topics.at(0).partitions.at(0).error_code;
  }
  std::int16_t producers(std::int32_t partition) {
    wire::DescribeProducersRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = "orders";
    topic.partition_indexes = {partition};
    return world_->ask<wire::DescribeProducersApi>(request, 0)->topics.at(0).partitions.at(0).error_code;
  }
  image::Partition image_of(std::int32_t partition) {
    return *world_->image().partition({orders_.id, PartitionId(partition)});
  }
  std::vector<std::int16_t> directory_errors() {
    wire::DescribeLogDirsRequest request;
    request.topics.reset();
    std::vector<std::int16_t> errors;
    auto answer = world_->ask<wire::DescribeLogDirsApi>(request, 4);
    CHECK(answer.has_value());
    for (const auto& one : answer->results) errors.push_back(one.error_code);
    return errors;
  }
  void break_b() {
    disk().faults().broken = "/b";
    EXPECT_EQ(produce(in_b_), code(ErrorCode::KAFKA_STORAGE_ERROR));
    world_->world().run_for(1s);
  }
  void restart() {
    ASSERT_TRUE(world_->stop());
    ASSERT_TRUE(world_->start()) << world_->error();
  }
  void expect_b_is_out() {
    EXPECT_EQ(produce(in_b_), code(ErrorCode::KAFKA_STORAGE_ERROR));
    EXPECT_EQ(end_of(in_b_).error_code, code(ErrorCode::KAFKA_STORAGE_ERROR));
    EXPECT_EQ(produce(in_a_), 0) << "the other directory works";
    const std::int16_t failed = code(ErrorCode::KAFKA_STORAGE_ERROR);
    for (auto ask : {&FailedDirectory::fetch, &FailedDirectory::delete_records, &FailedDirectory::epoch_end,
                     &FailedDirectory::producers}) {
      EXPECT_EQ((this->*ask)(in_b_), failed);
      EXPECT_EQ((this->*ask)(in_a_), 0);
    }
    EXPECT_EQ(directory_errors(), (std::vector<std::int16_t>{0, failed}));
    EXPECT_EQ(image_of(in_b_).leader, kNoBroker) << "the controller knows";
    EXPECT_EQ(image_of(in_b_).isr, std::vector<BrokerId>{});
    EXPECT_EQ(image_of(in_b_).elr, std::vector<BrokerId>{BrokerId(1)}) << "it may lead again (KIP-966)";
    EXPECT_EQ(image_of(in_a_).leader, BrokerId(1));
    EXPECT_EQ(world_->image().broker(BrokerId(1))->log_dirs.size(), 1u);
    wire::MetadataRequest request;
    request.topics.emplace().emplace_back().name = "orders";
    auto answer = world_->ask<wire::MetadataApi>(request, 9);
    ASSERT_TRUE(answer.has_value());
    for (const auto& partition : answer->topics.at(0).partitions) {
      bool out = partition.partition_index == in_b_;
      EXPECT_EQ(partition.leader_id, out ? -1 : 1);
      EXPECT_EQ(partition.error_code, out ? code(ErrorCode::LEADER_NOT_AVAILABLE) : 0);
      EXPECT_EQ(partition.offline_replicas, out ? std::vector<std::int32_t>{1} : std::vector<std::int32_t>{});
    }
    wire::DescribeTopicPartitionsRequest described;
    described.topics.emplace_back().name = "orders";
    auto more = world_->ask<wire::DescribeTopicPartitionsApi>(described, 0);
    for (const auto& partition : more->topics.at(0).partitions) {
      bool out = partition.partition_index == in_b_;
      EXPECT_EQ(partition.leader_id, out ? -1 : 1);
      EXPECT_EQ(partition.offline_replicas.size(), out ? 1u : 0u);
    }
  }
  void expect_all_is_well(std::int64_t records_in_b) {
    EXPECT_EQ(end_of(in_b_).offset, records_in_b);
    EXPECT_EQ(produce(in_b_), 0);
    EXPECT_EQ(produce(in_a_), 0);
    EXPECT_EQ(directory_errors(), (std::vector<std::int16_t>{0, 0}));
    EXPECT_EQ(image_of(in_b_).leader, BrokerId(1));
    EXPECT_EQ(world_->image().broker(BrokerId(1))->log_dirs.size(), 2u);
  }

  std::unique_ptr<NodeWorld> world_;
  TopicRef orders_;
  std::int32_t in_a_ = 0;
  std::int32_t in_b_ = 0;
};

TEST_F(FailedDirectory, takes_its_partitions_along_until_it_works_again) {
  ASSERT_EQ(produce(in_b_), 0);
  break_b();
  expect_b_is_out();
  disk().faults().broken = "";
  world_->world().run_for(10s);
  expect_b_is_out();  // it stays out for this run of the node
  restart();
  expect_all_is_well(1);
}

TEST_F(FailedDirectory, at_the_start_is_left_out_and_its_logs_are_not_made_anew) {
  ASSERT_EQ(produce(in_b_), 0);
  ASSERT_TRUE(world_->stop());
  disk().faults().broken = "/b";
  ASSERT_TRUE(world_->start()) << world_->error();
  world_->world().run_for(1s);
  expect_b_is_out();
  EXPECT_FALSE(disk().exists("/a/orders-" + std::to_string(in_b_)));
  world_->create_topic("later", 3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(disk().exists("/a/later-" + std::to_string(i)));
  restart();  // it is still broken
  world_->world().run_for(1s);
  expect_b_is_out();
  ASSERT_TRUE(world_->stop());
  disk().faults().broken = "";
  ASSERT_TRUE(world_->start()) << world_->error();
  expect_all_is_well(1);
}

TEST_F(FailedDirectory, a_topic_in_it_may_be_deleted) {
  break_b();
  wire::DeleteTopicsRequest request;
  request.topic_names = {"orders"};
  request.timeout_ms = 30000;
  ASSERT_EQ(world_->ask<wire::DeleteTopicsApi>(request, 5)->responses.at(0).error_code, 0);
  world_->create_topic("orders", 2);
  orders_.id = world_->image().topic("orders")->id;
  EXPECT_EQ(produce(0), 0);
  EXPECT_EQ(produce(1), 0);
  ASSERT_TRUE(world_->stop());
  disk().faults().broken = "";
  ASSERT_TRUE(world_->start()) << world_->error();
  EXPECT_EQ(end_of(0).offset, 1) << "what the directory holds is of the deleted topic";
  EXPECT_EQ(end_of(1).offset, 1);
}

TEST_F(FailedDirectory, of_the_metadata_ends_the_node_and_keeps_it_from_starting) {
  disk().faults().broken = "/meta";
  wire::CreateTopicsRequest request = creation_of("later");
  request.timeout_ms = 1000;
  auto pending = world_->send<wire::CreateTopicsApi>(request, 7);
  world_->world().run_until([&] { return !world_->error().empty(); }, 10s);
  EXPECT_NE(world_->error(), "");
  world_->crash(io::SimCrash::kKill);
  EXPECT_FALSE(world_->start());
  EXPECT_NE(world_->error(), "");
  disk().faults().broken = "";
}

TEST_F(FailedDirectory, the_last_one_ends_the_node) {
  break_b();
  EXPECT_EQ(world_->error(), "");
  disk().faults().broken = "/a";
  (void)produce(in_a_);
  world_->world().run_for(1s);
  EXPECT_NE(world_->error().find("all log directories have failed"), std::string::npos) << world_->error();
  world_->crash(io::SimCrash::kKill);
  disk().faults().broken = "";
}

TEST_F(FailedDirectory, that_also_holds_the_metadata_ends_the_node) {
  NodeWorld world(NodeWorld::Overrides{{"log.dirs", "/a,/b"}, {"log.flush.interval.messages", "1"}});
  ASSERT_TRUE(world.start()) << world.error();
  world.create_topic("orders", 2);
  std::int32_t in_a = world.machine().disk().exists("/a/orders-0") ? 0 : 1;
  TopicRef orders{"orders", world.image().topic("orders")->id};
  world.machine().disk().fail_next_sync("/a/orders-");
  (void)world.ask<wire::ProduceApi>(produce_to(orders, in_a, batch_of(1, world.now_ms())), 13);
  world.world().run_for(1s);
  EXPECT_NE(world.error().find("directory of the metadata"), std::string::npos) << world.error();
  world.crash(io::SimCrash::kKill);
}

TEST_F(FailedDirectory, that_lost_its_meta_properties_stops_the_start_as_with_kafka) {
  ASSERT_TRUE(world_->stop());
  disk().revive();
  auto meta = disk().read_file("/b/meta.properties");
  ASSERT_TRUE(meta.has_value());
  ASSERT_TRUE(disk().remove_file("/b/meta.properties").has_value());
  EXPECT_FALSE(world_->start());
  EXPECT_NE(world_->error().find("/b"), std::string::npos) << world_->error();
  world_->crash(io::SimCrash::kKill);
  disk().revive();
  ASSERT_TRUE(disk().write_file("/b/meta.properties", *meta).has_value());
  ASSERT_TRUE(world_->start()) << world_->error();
  expect_all_is_well(0);
}

// Whatever fails and whenever the power goes: what was acknowledged is there when all disks work again.
TEST_F(FailedDirectory, loses_nothing_over_crashes) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    start_with(seed);
    std::int64_t acked[2] = {0, 0};
    std::int64_t tried[2] = {0, 0};
    auto write = [&](int count) {
      for (int i = 0; i < count; ++i) {
        for (std::int32_t partition : {0, 1}) {
          ++tried[partition];
          if (produce(partition) == 0) ++acked[partition];
        }
      }
    };
    write(5);
    if (seed % 3 == 0) disk().fail_next_sync("/b/orders-");
    else disk().faults().broken = "/b";
    write(3);
    auto how = seed % 2 == 0 ? io::SimCrash::kPowerLoss : io::SimCrash::kKill;
    world_->crash(how);
    ASSERT_TRUE(world_->start()) << world_->error();
    write(3);
    world_->crash(how);
    disk().faults().broken = "";
    ASSERT_TRUE(world_->start()) << world_->error();
    for (std::int32_t partition : {0, 1}) {
      std::int64_t end = end_of(partition).offset;
      EXPECT_GE(end, acked[partition]) << "seed " << seed;
      EXPECT_LE(end, tried[partition]) << "seed " << seed;
      EXPECT_EQ(produce(partition), 0) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace milena::broker
