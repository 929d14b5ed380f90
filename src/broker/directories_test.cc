// Log directories and what a node makes of them: placement, deletion, logs that are refused, clean stops.
#include <gtest/gtest.h>

#include "broker/testing/node_world.h"
#include "broker/testing/partition_requests.h"
#include "wire/apis/create_topics.h"
#include "wire/apis/delete_topics.h"
#include "wire/apis/describe_log_dirs.h"
#include "wire/apis/incremental_alter_configs.h"
#include "wire/apis/list_offsets.h"
#include "wire/apis/produce.h"
#include "wire/batch_builder.h"
#include "wire/error_code.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;

std::int16_t code(ErrorCode error) {
  return wire::to_int16(error);
}

wire::ProduceRequest one_record(NodeWorld& world, const std::string& topic, std::int16_t acks) {
  wire::BatchBuilder builder{wire::BatchOptions{}};
  Bytes value = Bytes::copy(std::string("a record's value"));
  builder.append(world.machine().runtime().control_loop().wall_now(), std::nullopt, value.view());
  wire::ProduceRequest request;
  request.transactional_id.reset();
  request.acks = acks;
  request.timeout_ms = 10000;
  auto& data = request.topic_data.emplace_back();
  data.topic_id = world.image().topic(topic)->id;
  data.partition_data.emplace_back().records = builder.build();
  return request;
}

// Error code, or -1 when no answer came.
std::int16_t produce(NodeWorld& world, const std::string& topic, std::int16_t acks = -1) {
  auto answer = world.ask<wire::ProduceApi>(one_record(world, topic, acks), 13, Via{"producer"});
  return answer.has_value() ? answer->responses.at(0).partition_responses.at(0).error_code : std::int16_t{-1};
}

wire::ListOffsetsResponse::ListOffsetsPartitionResponse log_end(NodeWorld& world, const std::string& topic) {
  auto answer = world.ask<wire::ListOffsetsApi>(offsets_at(TopicRef{topic, kZeroUuid}, 0, -1), 7);
  CHECK(answer.has_value());
  return answer->topics.at(0).partitions.at(0);
}

void delete_topic(NodeWorld& world, const std::string& name) {
  wire::DeleteTopicsRequest request;
  request.topic_names = {name};
  request.timeout_ms = 30000;
  auto answer = world.ask<wire::DeleteTopicsApi>(request, 5);
  ASSERT_TRUE(answer.has_value());
  ASSERT_EQ(answer->responses.at(0).error_code, 0);
}

// The disk of a node that runs, or that has ended.
io::SimDisk& disk_of(NodeWorld& world) {
  if (!world.machine().running()) world.machine().disk().revive();
  return world.machine().disk();
}

std::size_t partitions_in(NodeWorld& world, const std::string& directory, const std::string& topic) {
  auto entries = disk_of(world).list(directory);
  CHECK(entries.has_value());
  std::size_t count = 0;
  for (const auto& entry : *entries)
    count += entry.is_directory && entry.name.starts_with(topic + "-") ? 1 : 0;
  return count;
}

TEST(Directories, an_acknowledged_record_was_synced_where_the_topic_asks_for_it) {
  for (std::int16_t acks : {1, -1}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      NodeWorld world(NodeWorld::Overrides{{"log.flush.interval.messages", "1"}}, seed);
      ASSERT_TRUE(world.start()) << world.error();
      world.create_topic("orders");
      ASSERT_EQ(produce(world, "orders", acks), 0);
      world.crash(io::SimCrash::kPowerLoss);
      ASSERT_TRUE(world.start()) << world.error();
      EXPECT_EQ(log_end(world, "orders").offset, 1) << "acks " << acks << ", seed " << seed;
    }
  }
}

TEST(Directories, a_topic_may_be_deleted_while_its_log_is_synced) {
  NodeWorld world(NodeWorld::Overrides{{"log.flush.interval.messages", "1"}});
  ASSERT_TRUE(world.start()) << world.error();
  for (int round = 0; round < 20; ++round) {
    world.create_topic("orders");
    world.machine().disk().faults().slow = std::chrono::milliseconds(50);
    auto pending = world.send<wire::ProduceApi>(one_record(world, "orders", -1), 13, Via{"producer"});
    delete_topic(world, "orders");
    (void)world.wait<wire::ProduceApi>(pending);
    ASSERT_EQ(world.error(), "");
    world.machine().disk().faults().slow = Duration::zero();
  }
}

TEST(Directories, a_topic_made_again_begins_anew) {
  NodeWorld world;
  ASSERT_TRUE(world.start()) << world.error();
  world.create_topic("orders");
  for (int i = 0; i < 10; ++i) ASSERT_EQ(produce(world, "orders"), 0);
  ASSERT_TRUE(world.stop());
  auto checkpoint = disk_of(world).read_file("/data/recovery-point-offset-checkpoint");
  ASSERT_TRUE(checkpoint.has_value());
  ASSERT_NE(checkpoint->find("orders 0 10"), std::string::npos) << *checkpoint;
  ASSERT_TRUE(world.start()) << world.error();
  delete_topic(world, "orders");
  world.create_topic("orders");
  checkpoint = disk_of(world).read_file("/data/recovery-point-offset-checkpoint");
  EXPECT_EQ(checkpoint->find("orders 0 10"), std::string::npos) << *checkpoint;
  for (int i = 0; i < 3; ++i) ASSERT_EQ(produce(world, "orders"), 0);
  world.crash(io::SimCrash::kKill);
  ASSERT_TRUE(world.start()) << world.error();
  EXPECT_EQ(log_end(world, "orders").offset, 3);
  EXPECT_EQ(produce(world, "orders"), 0);
}

// A topic that is made again has its old checkpoints rewritten first; a sync in the same directory fails
// meanwhile.
TEST(Directories, one_that_fails_while_its_checkpoints_are_rewritten_gets_no_more_partitions) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    NodeWorld world(
        {{"log.dirs", "/a,/b"}, {"metadata.log.dir", "/meta"}, {"log.flush.interval.messages", "1"}}, seed);
    ASSERT_TRUE(world.start()) << world.error();
    world.create_topic("orders", 2);
    world.create_topic("others", 2);
    ASSERT_EQ(partitions_in(world, "/a", "orders"), 1u);
    ASSERT_TRUE(world.stop());
    ASSERT_TRUE(world.start()) << world.error();
    delete_topic(world, "orders");
    io::SimDisk& disk = disk_of(world);
    std::string failing = disk.exists("/a/others-0") ? "/a" : "/b";
    disk.faults().slow = std::chrono::milliseconds(200);
    disk.fail_next_sync(failing + "/others-0");
    auto pending = world.send<wire::CreateTopicsApi>(creation_of("orders", 2), 7);
    EXPECT_EQ(produce(world, "others", 1), code(ErrorCode::KAFKA_STORAGE_ERROR)) << "seed " << seed;
    (void)world.wait<wire::CreateTopicsApi>(pending);
    disk.faults().slow = Duration::zero();
    world.create_topic("later", 4);
    EXPECT_EQ(partitions_in(world, failing, "later"), 0u) << "seed " << seed;
  }
}

TEST(Directories, a_refused_log_stays_refused_and_its_bytes_stay) {
  NodeWorld world;
  ASSERT_TRUE(world.start()) << world.error();
  world.create_topic("orders");
  for (int i = 0; i < 5; ++i) ASSERT_EQ(produce(world, "orders"), 0);
  world.crash(io::SimCrash::kKill);
  std::string path = "/data/orders-0/00000000000000000000.log";
  auto before = disk_of(world).stat(path);
  {
    auto file = disk_of(world).open(path, io::OpenMode::kWrite);
    ASSERT_TRUE(file.has_value());
    std::string damage = "XXXX";
    ASSERT_TRUE(
        (*file)->write_at(before->size / 5 + 65, as_bytes(damage)).has_value());  // in the second batch
  }
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(world.start()) << world.error();
    EXPECT_EQ(log_end(world, "orders").error_code, code(ErrorCode::KAFKA_STORAGE_ERROR)) << round;
    EXPECT_EQ(produce(world, "orders"), code(ErrorCode::KAFKA_STORAGE_ERROR));
    ASSERT_TRUE(world.stop());
    EXPECT_FALSE(disk_of(world).exists("/data/.kafka_cleanshutdown"));
    EXPECT_EQ(disk_of(world).stat(path)->size, before->size);
  }
}

TEST(Directories, partitions_of_one_request_are_spread) {
  NodeWorld world(NodeWorld::Overrides{{"log.dirs", "/a,/b"}});
  ASSERT_TRUE(world.start()) << world.error();
  world.create_topic("orders", 6);
  EXPECT_EQ(partitions_in(world, "/a", "orders"), 3u);
  EXPECT_EQ(partitions_in(world, "/b", "orders"), 3u);
}

TEST(Directories, a_cordoned_one_gets_no_more_partitions) {
  NodeWorld world(NodeWorld::Overrides{{"log.dirs", "/a,/b"}});
  ASSERT_TRUE(world.start()) << world.error();
  auto cordon = [&](const std::string& directories) {
    wire::IncrementalAlterConfigsRequest request;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = 4;
    resource.resource_name = "1";
    auto& config = resource.configs.emplace_back();
    config.name = "cordoned.log.dirs";
    config.value = directories;
    ASSERT_EQ(world.ask<wire::IncrementalAlterConfigsApi>(request, 1)->responses.at(0).error_code, 0);
    world.world().run_for(std::chrono::seconds(1));
  };
  auto cordoned = [&] {
    wire::DescribeLogDirsRequest request;
    request.topics.reset();
    std::vector<bool> result;
    for (const auto& one : world.ask<wire::DescribeLogDirsApi>(request, 5)->results) result.push_back(one.is_cordoned);
    return result;
  };
  cordon("/a");
  EXPECT_EQ(cordoned(), (std::vector<bool>{true, false}));
  EXPECT_EQ(world.image().broker(BrokerId(1))->cordoned_log_dirs->size(), 1u);
  world.create_topic("orders", 4);
  EXPECT_EQ(partitions_in(world, "/b", "orders"), 4u);
  cordon("*");
  auto refused = world.ask<wire::CreateTopicsApi>(creation_of("more"), 7);
  EXPECT_NE(refused->topics.at(0).error_code, 0) << "there is no place for it";
  ASSERT_TRUE(world.stop());
  ASSERT_TRUE(world.start()) << world.error();
  EXPECT_EQ(cordoned(), (std::vector<bool>{true, true}));
  cordon("");
  world.create_topic("more", 4);
  EXPECT_EQ(partitions_in(world, "/a", "more"), 4u) << "it has fewer";
}

TEST(Directories, the_metadata_log_may_have_one_of_its_own) {
  NodeWorld world(NodeWorld::Overrides{{"log.dirs", "/a,/b"}, {"metadata.log.dir", "/meta"}});
  ASSERT_TRUE(world.start()) << world.error();
  world.create_topic("orders", 6);
  ASSERT_EQ(produce(world, "orders"), 0);
  EXPECT_EQ(partitions_in(world, "/meta", "orders"), 0u);
  EXPECT_EQ(partitions_in(world, "/a", "orders") + partitions_in(world, "/b", "orders"), 6u);
  ASSERT_TRUE(world.stop());
  EXPECT_FALSE(disk_of(world).exists("/meta/.kafka_cleanshutdown"));
  EXPECT_FALSE(disk_of(world).exists("/meta/recovery-point-offset-checkpoint"));
  ASSERT_TRUE(world.start()) << world.error();
  for (const auto& [index, partition] : world.image().topic("orders")->partitions) {
    EXPECT_EQ(static_cast<int>(partition->leader_recovery_state), 0) << "the clean stop was not seen";
  }
  EXPECT_EQ(log_end(world, "orders").offset, 1);
}

TEST(Directories, a_partition_in_two_of_them_stops_the_start) {
  NodeWorld world(NodeWorld::Overrides{{"log.dirs", "/a,/b"}});
  ASSERT_TRUE(world.start()) << world.error();
  world.create_topic("orders");
  ASSERT_TRUE(world.stop());
  io::SimDisk& disk = disk_of(world);
  std::string from = disk.exists("/a/orders-0") ? "/a" : "/b";
  std::string to = from == "/a" ? "/b" : "/a";
  auto identity = disk.read_file(from + "/orders-0/partition.metadata");
  ASSERT_TRUE(identity.has_value());
  ASSERT_TRUE(disk.create_directories(to + "/orders-0").has_value());
  ASSERT_TRUE(disk.write_file(to + "/orders-0/partition.metadata", *identity).has_value());
  EXPECT_FALSE(world.start());
  world.leaves_directories_unusable();
  EXPECT_NE(world.error().find("/a/orders-0 and /b/orders-0"), std::string::npos) << world.error();
}

TEST(Directories, one_without_an_identity_gets_one) {
  NodeWorld world(NodeWorld::Overrides{{"log.dirs", "/a,/b"}});
  ASSERT_TRUE(world.start()) << world.error();
  world.create_topic("orders", 2);
  ASSERT_EQ(produce(world, "orders"), 0);
  ASSERT_TRUE(world.stop());
  auto meta = disk_of(world).read_file("/b/meta.properties");
  ASSERT_TRUE(meta.has_value());
  std::size_t at = meta->find("directory.id=");
  ASSERT_NE(at, std::string::npos);
  meta->erase(at, meta->find('\n', at) + 1 - at);
  ASSERT_TRUE(disk_of(world).write_file("/b/meta.properties", *meta).has_value());
  ASSERT_TRUE(world.start()) << world.error();
  EXPECT_NE(disk_of(world).read_file("/b/meta.properties")->find("directory.id="), std::string::npos);
  EXPECT_EQ(log_end(world, "orders").offset, 1);
}

TEST(Directories, records_without_an_identity_are_not_replaced_by_an_empty_log) {
  NodeWorld world(NodeWorld::Overrides{{"log.dirs", "/a,/b"}});
  ASSERT_TRUE(world.start()) << world.error();
  world.create_topic("orders");
  ASSERT_EQ(produce(world, "orders"), 0);
  ASSERT_TRUE(world.stop());
  io::SimDisk& disk = disk_of(world);
  std::string home = disk.exists("/a/orders-0") ? "/a" : "/b";
  ASSERT_TRUE(disk.remove_file(home + "/orders-0/partition.metadata").has_value());
  ASSERT_TRUE(world.start()) << world.error();
  EXPECT_EQ(log_end(world, "orders").error_code, code(ErrorCode::KAFKA_STORAGE_ERROR));
  EXPECT_EQ(partitions_in(world, "/a", "orders") + partitions_in(world, "/b", "orders"), 1u);
}

}  // namespace
}  // namespace milena::broker
