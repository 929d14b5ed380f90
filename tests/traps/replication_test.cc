// R2, R12 and R13 of the traps, as far as one node can meet them: epochs, the high watermark, strays.
#include <set>

#include "log/log_fixture.h"
#include "trap_node.h"
#include "wire/apis/alter_replica_log_dirs.h"
#include "wire/apis/delete_records.h"
#include "wire/apis/fetch.h"
#include "wire/apis/offset_for_leader_epoch.h"

namespace milena::traps {
namespace {

struct EpochEnd {
  std::int32_t epoch = -9;
  std::int64_t offset = -9;
  friend bool operator==(const EpochEnd&, const EpochEnd&) = default;
};

EpochEnd end_of(TrapNode& node, std::int32_t epoch) {
  wire::OffsetForLeaderEpochRequest request;
  request.replica_id = -1;
  auto& topic = request.topics.emplace_back();
  topic.topic = "orders";
  auto& partition = topic.partitions.emplace_back();
  partition.leader_epoch = epoch;
  auto answer = node.world.ask<wire::OffsetForLeaderEpochApi>(request, 4);
  if (answer.failed()) return {};
  const auto& one = answer->topics.at(0).partitions.at(0);
  return one.error_code != 0 ? EpochEnd{} : EpochEnd{one.leader_epoch, one.end_offset};
}

std::vector<EpochEnd> all_ends(TrapNode& node, std::int32_t up_to) {
  std::vector<EpochEnd> ends;
  for (std::int32_t epoch = 0; epoch <= up_to; ++epoch) ends.push_back(end_of(node, epoch));
  return ends;
}

std::int32_t current_epoch(TrapNode& node) {
  TopicIdPartition id{node.orders.id, PartitionId(0)};
  return node.world.image().partition(id)->leader_epoch.value();
}

void move_to(TrapNode& node, const std::string& directory) {
  wire::AlterReplicaLogDirsRequest request;
  auto& to = request.dirs.emplace_back();
  to.path = directory;
  auto& topic = to.topics.emplace_back();
  topic.name = "orders";
  topic.partitions = {0};
  auto answer = node.world.ask<wire::AlterReplicaLogDirsApi>(request, 2);
  ASSERT_EQ(answer->results.at(0).partitions.at(0).error_code, 0);
  // The old one is renamed before it goes: then the new one is it.
  for (int i = 0; i < 100 && node.directory_of() != directory; ++i) node.world.world().run_for(200ms);
  node.world.world().run_for(2s);
  ASSERT_EQ(node.directory_of(), directory);
}

// Epochs are known without records of theirs, after a restart and after the log moved. One above the latest is
// undefined.
TEST(Trap_R2, epochs_without_records_survive) {
  TrapNode node(TrapNode::Overrides{{"log.dirs", "/a,/b"}, {"metadata.log.dir", "/meta"}});
  ASSERT_EQ(node.produce(2).error, ErrorCode::NONE);
  for (int i = 0; i < 3; ++i) node.restart();  // each makes an epoch, and none has records
  ASSERT_EQ(node.produce(3).error, ErrorCode::NONE);
  node.restart();
  std::int32_t latest = current_epoch(node);
  ASSERT_GE(latest, 3);
  std::vector<EpochEnd> before = all_ends(node, latest);
  EXPECT_EQ(before.back(), (EpochEnd{latest, 5})) << "the latest has no records yet";
  EXPECT_EQ(end_of(node, latest + 1), (EpochEnd{-1, -1})) << "not known";
  EXPECT_EQ(end_of(node, 1000), (EpochEnd{-1, -1})) << "not known";

  move_to(node, node.directory_of() == "/a" ? "/b" : "/a");
  std::vector<EpochEnd> moved = all_ends(node, latest);
  EXPECT_EQ(moved, before) << "after a move";
  node.restart();
  // The next epoch begins where the latest one did, which had no records: that one is gone, as in Kafka.
  std::vector<EpochEnd> restarted = all_ends(node, latest - 1);
  before.pop_back();
  EXPECT_EQ(restarted, before) << "after a restart";
}

// The high watermark lies in the log, whatever a checkpoint says; a look-up by time does not give what is deleted.
TEST(Trap_R12, the_high_watermark_lies_in_the_log) {
  TrapNode node;
  for (int i = 0; i < 4; ++i) ASSERT_EQ(node.produce(numbered(2 * i, 2)).error, ErrorCode::NONE);
  ASSERT_TRUE(node.world.stop());
  ASSERT_TRUE(
      node.disk().write_file("/data/replication-offset-checkpoint", "0\n1\norders 0 1000000\n").has_value());
  ASSERT_TRUE(node.world.start()) << node.world.error();
  EXPECT_EQ(node.offset(-1), 8);
  auto answer = node.world.ask<wire::FetchApi>(broker::fetch_from(node.orders, {broker::FetchFrom{}}), 13);
  EXPECT_EQ(answer->responses.at(0).partitions.at(0).high_watermark, 8);

  wire::DeleteRecordsRequest request;
  request.timeout_ms = 5000;
  auto& topic = request.topics.emplace_back();
  topic.name = "orders";
  topic.partitions.emplace_back().offset = 5;
  ASSERT_EQ(node.world.ask<wire::DeleteRecordsApi>(request, 2)->topics.at(0).partitions.at(0).low_watermark, 5);
  EXPECT_GE(node.offset(kBatchTime), 5) << "neither empty nor below the start";
  EXPECT_EQ(node.read(5), offsets(5, 3));

  log::Machine machine;
  log::OpenLog how;
  how.path = log::kDirectory;
  auto opened = log::Log::open(machine.disk, how);
  ASSERT_TRUE(opened.has_value());
  log::Log& own = **opened;
  log::BatchSpec spec;
  spec.count = 8;
  spec.epoch = Epoch(0);
  ASSERT_TRUE(own.append_raw(log::make_batch(spec), Timestamp(1)).has_value());
  EXPECT_EQ(own.set_high_watermark(Offset(1'000'000)), Offset(8));
  ASSERT_TRUE(own.advance_log_start_offset(Offset(4)).has_value());
  EXPECT_EQ(own.set_high_watermark(Offset(0)), Offset(4));
}

// What a directory's topic id says decides whether it belongs to this node: the id of another topic, also of an earlier
// one of the same name, makes a stray, which is put aside and not deleted; the good ones stay where they are.
TEST(Trap_R13, strays_are_told_by_their_topic_id) {
  TrapNode node;
  node.world.create_topic("again");
  node.world.create_topic("bare");
  for (const char* topic : {"orders", "again", "bare"})
    ASSERT_EQ(node.produce(broker::batch_of(5, 1000), topic).error, ErrorCode::NONE);
  ASSERT_TRUE(node.world.stop());
  std::string earlier = "version: 0\ntopic_id: AAAAAAAAQACAAAAAAAAAAQ\n";
  ASSERT_TRUE(node.disk().create_directories("/data/gone-0").has_value());
  ASSERT_TRUE(node.disk().write_file("/data/gone-0/partition.metadata", earlier).has_value());
  ASSERT_TRUE(node.disk().write_file("/data/again-0/partition.metadata", earlier).has_value());
  ASSERT_TRUE(node.disk().remove_file("/data/bare-0/partition.metadata").has_value());
  auto logs = [&](const std::string& directory) {
    auto log = node.disk().stat("/data/" + directory + "/00000000000000000000.log");
    return log.has_value() ? log->size : 0;
  };
  std::uint64_t size = logs("orders-0");
  std::uint64_t bare = logs("bare-0");
  ASSERT_GT(size, 0u);
  ASSERT_TRUE(node.world.start()) << node.world.error();
  EXPECT_EQ(node.read(0), offsets(0, 5)) << "the good one";
  EXPECT_EQ(node.offset(-1, "again"), 0) << "the topic of today is empty";
  EXPECT_EQ(logs("bare-0"), bare) << "of which topic it is nobody knows: its bytes stay";
  EXPECT_EQ(logs("orders-0"), size);
  std::set<std::string> strays;
  auto entries = node.disk().list("/data");
  for (const auto& entry : *entries) {
    if (entry.name.ends_with("-stray")) strays.insert(entry.name.substr(0, entry.name.find("-0.")));
    if (entry.name.starts_with("again-0.") && entry.name.ends_with("-stray")) {
      EXPECT_GT(logs(entry.name), 0u) << "put aside with its records";
    }
  }
  EXPECT_EQ(strays, (std::set<std::string>{"again", "gone"}));
  node.world.leaves_directories_unusable();
}

}  // namespace
}  // namespace milena::traps
