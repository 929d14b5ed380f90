// A partition whose log is damaged: what clients are told, and the operator; and its way back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/testing/node_world.h"
#include "group/partition.h"
#include "wire/apis/create_partitions.h"
#include "wire/apis/describe_topic_partitions.h"
#include "wire/apis/fetch.h"
#include "wire/apis/find_coordinator.h"
#include "wire/apis/heartbeat.h"
#include "wire/apis/join_group.h"
#include "wire/apis/list_offsets.h"
#include "wire/apis/metadata.h"
#include "wire/apis/offset_commit.h"
#include "wire/apis/offset_fetch.h"
#include "wire/apis/offset_for_leader_epoch.h"
#include "wire/apis/produce.h"
#include "wire/batch_builder.h"
#include "wire/error_code.h"

namespace milena::broker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using wire::ErrorCode;

std::int16_t code(ErrorCode error) { return wire::to_int16(error); }

class DamagedLog : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(world_.start()) << world_.error();
    world_.create_topic("orders", 2);
    topic_id_ = world_.image().topic("orders")->id;
  }

  io::SimDisk& disk() { return world_.machine().disk(); }

  std::int16_t produce(std::int32_t partition) {
    wire::BatchBuilder builder{wire::BatchOptions{}};
    builder.append(Timestamp(1000), std::nullopt, as_bytes("a value"));
    wire::ProduceRequest request;
    request.acks = -1;
    request.timeout_ms = 1000;
    auto& topic = request.topic_data.emplace_back();
    topic.name = "orders";
    auto& data = topic.partition_data.emplace_back();
    data.index = partition;
    data.records = builder.build();
    auto answer = world_.ask<wire::ProduceApi>(std::move(request), 9);
    CHECK(answer.has_value(), "Produce was not answered");
    return answer->responses.at(0).partition_responses.at(0).error_code;
  }

  // Kills the node; flips a bit in the second of at least three batches of a log, all above its recovery point.
  void damage(const std::string& partition) {
    world_.crash(io::SimCrash::kKill);
    disk().revive();
    file_ = "/data/" + partition + "/00000000000000000000.log";
    std::string content = disk().read_file(file_).value_or("");
    wire::BatchCursor cursor(as_bytes(content));
    wire::BatchView batch;
    std::vector<std::size_t> ends;
    while (cursor.next(batch)) ends.push_back(cursor.position());
    ASSERT_GE(ends.size(), 3u);
    position_ = ends[0];
    std::string flipped(1, static_cast<char>(content[position_ + 65] ^ 1));
    auto file = disk().open(file_, io::OpenMode::kWrite);
    ASSERT_TRUE(file.has_value());
    ASSERT_TRUE((*file)->write_at(position_ + 65, as_bytes(flipped)).has_value());
    file->reset();
    disk().kill();
  }

  // What the error advises.
  void cut() {
    disk().revive();
    auto file = disk().open(file_, io::OpenMode::kWrite);
    ASSERT_TRUE(file.has_value());
    ASSERT_TRUE((*file)->truncate(position_).has_value());
    file->reset();
    disk().kill();
  }

  std::vector<std::string> errors_of(const std::string& partition) {
    std::vector<std::string> lines;
    for (const std::string& line : world_.world().log_lines()) {
      if (line.find(partition + " is not served") != std::string::npos) lines.push_back(line);
    }
    return lines;
  }

  void expect_metadata_without_leader() {
    for (std::int16_t version : {1, 5, 6, 8, 12, 13}) {
      wire::MetadataRequest request;
      request.topics.emplace().emplace_back().name = "orders";
      auto answer = world_.ask<wire::MetadataApi>(request, version);
      ASSERT_TRUE(answer.has_value()) << answer.error().message;
      const auto& topic = answer->topics.at(0);
      EXPECT_EQ(topic.error_code, 0);
      ASSERT_EQ(topic.partitions.size(), 2u);
      EXPECT_EQ(topic.partitions[0].error_code, code(ErrorCode::LEADER_NOT_AVAILABLE)) << version;
      EXPECT_EQ(topic.partitions[0].leader_id, -1);
      EXPECT_THAT(topic.partitions[0].replica_nodes, ElementsAre(1));
      if (version >= 5) {
        EXPECT_THAT(topic.partitions[0].offline_replicas, ElementsAre(1));
      }
      EXPECT_EQ(topic.partitions[1].error_code, 0);
      EXPECT_EQ(topic.partitions[1].leader_id, 1);
      EXPECT_THAT(topic.partitions[1].offline_replicas, ElementsAre());
    }
    wire::DescribeTopicPartitionsRequest request;
    request.topics.emplace_back().name = "orders";
    request.response_partition_limit = 100;
    auto described = world_.ask<wire::DescribeTopicPartitionsApi>(request, 0);
    ASSERT_TRUE(described.has_value()) << described.error().message;
    EXPECT_EQ(described->topics.at(0).partitions.at(0).leader_id, -1);
    EXPECT_THAT(described->topics.at(0).partitions.at(0).offline_replicas, ElementsAre(1));
    EXPECT_EQ(described->topics.at(0).partitions.at(1).leader_id, 1);
  }

  void expect_storage_errors() {
    EXPECT_EQ(produce(0), code(ErrorCode::KAFKA_STORAGE_ERROR));
    EXPECT_EQ(produce(1), 0);
    wire::FetchRequest fetch;
    fetch.max_wait_ms = 100;
    fetch.min_bytes = 1;
    fetch.max_bytes = 1 << 20;
    auto& topic = fetch.topics.emplace_back();
    topic.topic = "orders";
    topic.topic_id = topic_id_;
    for (std::int32_t index : {0, 1}) {
      auto& partition = topic.partitions.emplace_back();
      partition.partition = index;
      partition.partition_max_bytes = 1 << 20;
    }
    for (std::int16_t version : {4, 12, 17}) {
      auto fetched = world_.ask<wire::FetchApi>(fetch, version);
      ASSERT_TRUE(fetched.has_value()) << fetched.error().message;
      const auto& answers = fetched->responses.at(0).partitions;
      EXPECT_EQ(answers.at(0).error_code, code(ErrorCode::KAFKA_STORAGE_ERROR));
      EXPECT_EQ(answers.at(1).error_code, 0);
    }
    wire::ListOffsetsRequest list;
    list.replica_id = -1;
    list.topics.emplace_back().name = "orders";
    list.topics[0].partitions.emplace_back().timestamp = -1;
    auto listed = world_.ask<wire::ListOffsetsApi>(list, 7);
    ASSERT_TRUE(listed.has_value());
    EXPECT_EQ(listed->topics.at(0).partitions.at(0).error_code, code(ErrorCode::KAFKA_STORAGE_ERROR));
    wire::OffsetForLeaderEpochRequest epochs;
    epochs.topics.emplace_back().topic = "orders";
    epochs.topics[0].partitions.emplace_back();
    auto ended = world_.ask<wire::OffsetForLeaderEpochApi>(epochs, 4);
    ASSERT_TRUE(ended.has_value());
    EXPECT_EQ(ended->topics.at(0).partitions.at(0).error_code, code(ErrorCode::KAFKA_STORAGE_ERROR));
  }

  wire::FindCoordinatorResponse find(const std::string& group) {
    wire::FindCoordinatorRequest request;
    request.coordinator_keys = {group};
    auto found = world_.ask<wire::FindCoordinatorApi>(request, 6);
    CHECK(found.has_value(), "FindCoordinator was not answered");
    return *found;
  }
  std::int16_t commit(const std::string& group) {
    wire::OffsetCommitRequest request;
    request.group_id = group;
    auto& topic = request.topics.emplace_back();
    topic.name = "orders";
    topic.partitions.emplace_back().committed_offset = 7;
    auto answer = world_.ask<wire::OffsetCommitApi>(request, 8);
    CHECK(answer.has_value(), "OffsetCommit was not answered");
    return answer->topics.at(0).partitions.at(0).error_code;
  }
  std::int16_t join(const std::string& group) {
    wire::JoinGroupRequest request;
    request.group_id = group;
    request.session_timeout_ms = 10000;
    request.protocol_type = "consumer";
    request.protocols.emplace_back().name = "range";
    auto answer = world_.ask<wire::JoinGroupApi>(request, 9);
    CHECK(answer.has_value(), "JoinGroup was not answered");
    return answer->error_code;
  }
  std::int16_t beat(const std::string& group) {
    wire::HeartbeatRequest request;
    request.group_id = group;
    request.member_id = "m";
    auto answer = world_.ask<wire::HeartbeatApi>(request, 4);
    CHECK(answer.has_value(), "Heartbeat was not answered");
    return answer->error_code;
  }

  NodeWorld world_;
  TopicId topic_id_;
  std::string file_;
  std::size_t position_ = 0;
};

TEST_F(DamagedLog, is_no_leader_to_clients_and_the_others_are_served) {
  for (int i = 0; i < 3; ++i) ASSERT_EQ(produce(0), 0);
  damage("orders-0");
  ASSERT_FALSE(HasFatalFailure());
  ASSERT_TRUE(world_.start()) << world_.error();
  auto lines = errors_of("orders-0");
  ASSERT_EQ(lines.size(), 1u) << "once, clearly";
  EXPECT_THAT(lines[0], HasSubstr(file_ + ": no valid batch at position " + std::to_string(position_)));
  EXPECT_THAT(lines[0], HasSubstr("truncate -s " + std::to_string(position_) + " " + file_));
  expect_metadata_without_leader();
  expect_storage_errors();
}

TEST_F(DamagedLog, stays_refused_after_a_clean_stop_and_is_served_once_it_was_cut) {
  for (int i = 0; i < 3; ++i) ASSERT_EQ(produce(0), 0);
  damage("orders-0");
  ASSERT_FALSE(HasFatalFailure());
  ASSERT_TRUE(world_.start()) << world_.error();
  world_.world().run_for(90s);  // checkpoints are written
  ASSERT_TRUE(world_.stop());
  disk().revive();
  EXPECT_FALSE(disk().exists("/data/.kafka_cleanshutdown")) << "the damaged log must be looked at again";
  disk().kill();
  ASSERT_TRUE(world_.start()) << world_.error();
  EXPECT_EQ(errors_of("orders-0").size(), 2u);
  expect_metadata_without_leader();
  ASSERT_TRUE(world_.stop());
  cut();
  ASSERT_FALSE(HasFatalFailure());
  ASSERT_TRUE(world_.start()) << world_.error();
  EXPECT_EQ(errors_of("orders-0").size(), 2u);
  EXPECT_EQ(produce(0), 0);
  wire::ListOffsetsRequest list;
  list.replica_id = -1;
  list.topics.emplace_back().name = "orders";
  list.topics[0].partitions.emplace_back().timestamp = -1;
  EXPECT_EQ(world_.ask<wire::ListOffsetsApi>(list, 7)->topics.at(0).partitions.at(0).offset, 2);
}

TEST_F(DamagedLog, of_the_offsets_topic_leaves_its_groups_without_a_coordinator) {
  ASSERT_EQ(find("g").coordinators.at(0).error_code, 0);
  world_.world().run_for(1s);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(commit("g"), 0);
  PartitionId index = group::partition_for("g", 4);
  std::string other = "h";
  while (group::partition_for(other, 4) == index) other += "h";
  ASSERT_EQ(commit(other), 0);
  damage("__consumer_offsets-" + std::to_string(index.value()));
  ASSERT_FALSE(HasFatalFailure());
  ASSERT_TRUE(world_.start()) << world_.error();
  auto lines = errors_of("__consumer_offsets-" + std::to_string(index.value()));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0], HasSubstr("its groups have no coordinator"));
  world_.world().run_for(30s);
  auto found = find("g").coordinators.at(0);
  EXPECT_EQ(found.error_code, code(ErrorCode::COORDINATOR_NOT_AVAILABLE));
  EXPECT_EQ(found.node_id, -1);
  EXPECT_EQ(commit("g"), code(ErrorCode::NOT_COORDINATOR));
  EXPECT_EQ(join("g"), code(ErrorCode::NOT_COORDINATOR));
  EXPECT_EQ(beat("g"), code(ErrorCode::NOT_COORDINATOR));
  wire::OffsetFetchRequest fetch;
  fetch.groups.emplace_back().group_id = "g";
  auto fetched = world_.ask<wire::OffsetFetchApi>(fetch, 8);
  ASSERT_TRUE(fetched.has_value()) << fetched.error().message;
  EXPECT_EQ(fetched->groups.at(0).error_code, code(ErrorCode::NOT_COORDINATOR));
  EXPECT_EQ(find(other).coordinators.at(0).error_code, 0);
  EXPECT_EQ(commit(other), 0);
}

// Kafka lets a consumer believe that all is well until the coordinator can tell.
TEST_F(DamagedLog, a_heartbeat_while_the_coordinator_loads_is_answered_with_none) {
  ASSERT_EQ(find("g").coordinators.at(0).error_code, 0);
  world_.world().run_for(1s);
  std::string group = "g";
  while (group::partition_for(group, 8).value() < 4) group += "g";
  disk().faults().slow = 60s;  // the new partitions' logs take long to be made
  wire::CreatePartitionsRequest request;
  request.timeout_ms = 1000;
  auto& topic = request.topics.emplace_back();
  topic.name = "__consumer_offsets";
  topic.count = 8;
  topic.assignments.reset();
  auto pending = world_.send<wire::CreatePartitionsApi>(request, 3, {"admin"});
  ASSERT_TRUE(world_.world().run_until(
      [&] { return world_.image().topic("__consumer_offsets")->partitions.size() == 8; }, 10min));
  world_.world().run_for(10ms);
  ASSERT_EQ(join(group), code(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS));
  EXPECT_EQ(beat(group), 0);
  disk().faults().slow = Duration::zero();
  world_.world().run_for(5min);
  EXPECT_EQ(beat(group), code(ErrorCode::UNKNOWN_MEMBER_ID));
  ASSERT_TRUE(world_.wait<wire::CreatePartitionsApi>(pending).has_value());
}

TEST(FullDisk, a_new_topic_waits_for_room_and_an_old_one_is_served_meanwhile) {
  NodeWorld world;
  ASSERT_TRUE(world.start()) << world.error();
  io::SimDisk& disk = world.machine().disk();
  // The metadata log gets its write; what is made for the topic does not.
  disk.faults().full_name_one_in = 1;
  world.create_topic("before");
  bool full = false;
  for (std::uint64_t at = 0; at < 12 && !full; ++at) {
    disk.no_room_at(disk.room_calls() + at, 1);
    std::string name = "topic" + std::to_string(at);
    world.create_topic(name);
    world.world().run_for(3s);
    wire::MetadataRequest request;
    request.topics.emplace().emplace_back().name = name;
    auto answer = world.ask<wire::MetadataApi>(request, 12);
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->topics.at(0).partitions.at(0).error_code, 0);
    wire::ListOffsetsRequest list;
    list.replica_id = -1;
    list.topics.emplace_back().name = name;
    list.topics[0].partitions.emplace_back().timestamp = -1;
    EXPECT_EQ(world.ask<wire::ListOffsetsApi>(list, 7)->topics.at(0).partitions.at(0).error_code, 0) << name;
    for (const std::string& line : world.world().log_lines()) {
      full = full || line.find(name + "-0 is served: the disk has room again") != std::string::npos;
    }
  }
  EXPECT_TRUE(full) << "none of the calls was one that makes the partition";
}

TEST(FullDisk, a_stop_does_not_wait_for_room) {
  NodeWorld world;
  ASSERT_TRUE(world.start()) << world.error();
  world.create_topic("orders");
  io::SimDisk& disk = world.machine().disk();
  disk.no_room_at(disk.room_calls(), std::numeric_limits<std::uint64_t>::max());
  world.world().run_for(20s);
  ASSERT_TRUE(world.stop());
  disk.revive();
  EXPECT_FALSE(disk.exists("/data/.kafka_cleanshutdown"));
  disk.kill();
  disk.no_room_at(0, 0);
  ASSERT_TRUE(world.start()) << world.error();
  EXPECT_NE(world.image().topic("orders"), nullptr);
}

// The checkpoints of a deleted topic are not those of the next one of its name.
TEST(Topic, that_is_made_again_begins_at_zero) {
  NodeWorld world(NodeWorld::Overrides{{"log.flush.offset.checkpoint.interval.ms", "1000"}});
  ASSERT_TRUE(world.start()) << world.error();
  world.create_topic("orders");
  world.world().run_for(1s);
  io::SimDisk& disk = world.machine().disk();
  world.crash(io::SimCrash::kKill);
  disk.revive();
  for (const char* file : {"recovery-point-offset-checkpoint", "log-start-offset-checkpoint"}) {
    ASSERT_TRUE(disk.write_file(std::string("/data/") + file, "0\n1\ngone 0 500\n").has_value());
  }
  disk.kill();
  ASSERT_TRUE(world.start()) << world.error();
  world.create_topic("gone");
  wire::ListOffsetsRequest list;
  list.replica_id = -1;
  list.topics.emplace_back().name = "gone";
  list.topics[0].partitions.emplace_back().timestamp = -1;
  EXPECT_EQ(world.ask<wire::ListOffsetsApi>(list, 7)->topics.at(0).partitions.at(0).offset, 0);
  world.crash(io::SimCrash::kPowerLoss);
  disk.revive();
  EXPECT_THAT(disk.read_file("/data/recovery-point-offset-checkpoint").value(), Not(HasSubstr("gone")));
  EXPECT_THAT(disk.read_file("/data/log-start-offset-checkpoint").value(), Not(HasSubstr("gone")));
}

}  // namespace
}  // namespace milena::broker
