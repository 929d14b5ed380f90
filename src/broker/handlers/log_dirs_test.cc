// DescribeLogDirs on a node.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "broker/testing/node_world.h"
#include "broker/testing/partition_requests.h"
#include "wire/apis/describe_log_dirs.h"
#include "wire/apis/produce.h"
#include "wire/error_code.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;
using Directory = wire::DescribeLogDirsResponse::DescribeLogDirsResult;

class LogDirs : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(world_.start()) << world_.error();
    world_.create_topic("orders", 3);
    orders_ = {"orders", world_.image().topic("orders")->id};
  }
  // Null: all.
  std::vector<Directory> describe(std::optional<std::vector<std::int32_t>> partitions = std::nullopt,
                                  std::int16_t version = 5) {
    wire::DescribeLogDirsRequest request;
    request.topics.reset();
    if (partitions.has_value()) {
      auto& asked = request.topics.emplace().emplace_back();
      asked.topic = "orders";
      asked.partitions = *partitions;
    }
    auto response = world_.ask<wire::DescribeLogDirsApi>(request, version);
    CHECK(response.has_value(), "DescribeLogDirs was not answered");
    EXPECT_EQ(response->error_code, 0);
    return response->results;
  }
  static std::vector<std::int32_t> partitions_in(const std::vector<Directory>& directories) {
    std::vector<std::int32_t> found;
    for (const auto& directory : directories) {
      for (const auto& topic : directory.topics) {
        EXPECT_EQ(topic.name, "orders");
        for (const auto& partition : topic.partitions) found.push_back(partition.partition_index);
      }
    }
    return found;
  }

  NodeWorld world_{{{"log.dirs", "/a,/b"}, {"metadata.log.dir", "/meta"}, {"log.flush.interval.messages", "1"}}};
  TopicRef orders_;
};

TEST_F(LogDirs, all_directories_and_the_logs_in_them_in_every_version) {
  for (std::int16_t version = 1; version <= 5; ++version) {
    auto directories = describe(std::nullopt, version);
    ASSERT_EQ(directories.size(), 2u) << "not that of the metadata log";
    EXPECT_EQ(directories[0].log_dir, "/a");
    EXPECT_EQ(directories[1].log_dir, "/b");
    EXPECT_THAT(partitions_in(directories), UnorderedElementsAre(0, 1, 2));
    EXPECT_EQ(directories[0].error_code, 0);
  }
}

TEST_F(LogDirs, sizes_are_those_of_the_records) {
  Bytes batch = batch_of(5, world_.now_ms());
  auto size = static_cast<std::int64_t>(batch.size());
  for (int i = 0; i < 3; ++i) {
    Bytes copy = Bytes::copy(std::string(reinterpret_cast<const char*>(batch.data()), batch.size()));
    ASSERT_TRUE(world_.ask<wire::ProduceApi>(produce_to(orders_, 1, copy), 13).has_value());
  }
  std::int64_t found = -1;
  for (const auto& directory : describe(std::vector<std::int32_t>{1})) {
    for (const auto& topic : directory.topics) {
      ASSERT_EQ(topic.partitions.size(), 1u);
      found = topic.partitions[0].partition_size;
      EXPECT_EQ(topic.partitions[0].offset_lag, 0);
      EXPECT_FALSE(topic.partitions[0].is_future_key);
    }
  }
  EXPECT_EQ(found, 3 * size);
}

TEST_F(LogDirs, only_what_was_asked_for) {
  EXPECT_THAT(partitions_in(describe(std::vector<std::int32_t>{2, 7, -1})), ElementsAre(2));
  EXPECT_TRUE(partitions_in(describe(std::vector<std::int32_t>{})).empty());
}

TEST_F(LogDirs, space_is_the_disks) {
  io::SimDisk& disk = world_.machine().disk();
  disk.faults().capacity = 1 << 30;
  auto directories = describe();
  EXPECT_EQ(directories[0].total_bytes, 1 << 30);
  EXPECT_LT(directories[0].usable_bytes, 1 << 30);
  EXPECT_GT(directories[0].usable_bytes, 1 << 29);
  disk.faults().capacity = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(describe()[0].total_bytes, std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(describe(std::nullopt, 3)[0].total_bytes, -1) << "not in this version";
}

TEST_F(LogDirs, a_failed_one_says_so_and_nothing_else) {
  io::SimDisk& disk = world_.machine().disk();
  bool first = disk.exists("/a/orders-0");
  disk.fail_next_sync(first ? "/a/orders-0" : "/b/orders-0");
  (void)world_.ask<wire::ProduceApi>(produce_to(orders_, 0, batch_of(1, world_.now_ms())), 13);
  world_.world().run_for(std::chrono::seconds(1));
  auto directories = describe();
  ASSERT_EQ(directories.size(), 2u);
  Directory failed = directories[first ? 0 : 1];
  EXPECT_EQ(failed.error_code, wire::to_int16(ErrorCode::KAFKA_STORAGE_ERROR));
  EXPECT_EQ(failed.log_dir, first ? "/a" : "/b");
  EXPECT_TRUE(failed.topics.empty());
  EXPECT_EQ(failed.total_bytes, -1);
  EXPECT_EQ(failed.usable_bytes, -1);
  EXPECT_EQ(directories[first ? 1 : 0].error_code, 0);
}

}  // namespace
}  // namespace milena::broker
