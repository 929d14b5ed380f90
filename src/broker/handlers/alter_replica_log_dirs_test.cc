// AlterReplicaLogDirs on a node: logs that move to another directory while they are in use.
#include <gtest/gtest.h>

#include <set>

#include "broker/testing/node_world.h"
#include "broker/testing/partition_requests.h"
#include "wire/apis/alter_replica_log_dirs.h"
#include "wire/apis/delete_records.h"
#include "wire/apis/delete_topics.h"
#include "wire/apis/describe_log_dirs.h"
#include "wire/apis/fetch.h"
#include "wire/apis/incremental_alter_configs.h"
#include "wire/apis/list_offsets.h"
#include "wire/apis/produce.h"
#include "wire/error_code.h"
#include "wire/record_batch.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;

std::int16_t code(ErrorCode error) { return wire::to_int16(error); }

/// A node with two log directories and the topic `orders`.
class Moves {
 public:
  explicit Moves(std::uint64_t seed = 1)
      : world({{"log.dirs", "/a,/b"}, {"metadata.log.dir", "/meta"}, {"log.flush.interval.messages", "1"}}, seed) {
    CHECK(world.start(), "{}", world.error());
    world.create_topic("orders");
    orders = {"orders", world.image().topic("orders")->id};
    from = disk().exists("/a/orders-0") ? "/a" : "/b";
    to = from == "/a" ? "/b" : "/a";
  }
  io::SimDisk& disk() { return world.machine().disk(); }
  std::int16_t produce(int records, wire::BatchOptions options = {}) {
    auto answer =
        world.ask<wire::ProduceApi>(produce_to(orders, 0, batch_of(records, world.now_ms(), 10, options)), 13);
    return answer.has_value() ? answer->responses.at(0).partition_responses.at(0).error_code : std::int16_t{-1};
  }
  static wire::AlterReplicaLogDirsRequest request(const std::string& path, const std::string& topic,
                                                  std::int32_t partition) {
    wire::AlterReplicaLogDirsRequest request;
    auto& directory = request.dirs.emplace_back();
    directory.path = path;
    auto& asked = directory.topics.emplace_back();
    asked.name = topic;
    asked.partitions = {partition};
    return request;
  }
  std::int16_t move(const std::string& path, const std::string& topic = "orders", std::int32_t partition = 0,
                    std::int16_t version = 2) {
    auto answer = world.ask<wire::AlterReplicaLogDirsApi>(request(path, topic, partition), version);
    return answer.has_value() ? answer->results.at(0).partitions.at(0).error_code : std::int16_t{-1};
  }
  // (directory, lag), with a star for a copy.
  std::set<std::pair<std::string, std::int64_t>> places(const std::string& topic = "orders") {
    wire::DescribeLogDirsRequest request;
    auto& asked = request.topics.emplace().emplace_back();
    asked.topic = topic;
    asked.partitions = {0};
    auto answer = world.ask<wire::DescribeLogDirsApi>(request, 4, Via{"another"});
    std::set<std::pair<std::string, std::int64_t>> found;
    if (!answer.has_value()) return found;
    for (const auto& directory : answer->results) {
      for (const auto& log : directory.topics) {
        for (const auto& one : log.partitions) {
          found.emplace(directory.log_dir + (one.is_future_key ? "*" : ""), one.offset_lag);
        }
      }
    }
    return found;
  }
  std::int64_t offset(std::int64_t which) {
    auto answer = world.ask<wire::ListOffsetsApi>(offsets_at(orders, 0, which), 7);
    return answer.has_value() ? answer->topics.at(0).partitions.at(0).offset : -2;
  }
  // Reads everything; the records must follow each other.
  std::int64_t count_records() {
    std::int64_t next = offset(-2);
    std::int64_t end = offset(-1);
    std::int64_t count = 0;
    while (next < end) {
      FetchFrom at;
      at.offset = next;
      auto answer = world.ask<wire::FetchApi>(fetch_from(orders, {at}), 13);
      const auto& one = answer->responses.at(0).partitions.at(0);
      CHECK(one.error_code == 0, "fetch at {}: error {}", next, one.error_code);
      std::int64_t before = next;
      wire::BatchCursor cursor(one.records->view());
      wire::BatchView batch;
      while (cursor.next(batch)) {
        CHECK(batch.base_offset().value() <= next, "a gap at {}", next);
        next = batch.last_offset().value() + 1;
      }
      CHECK(next > before, "no records at {}", next);
      count += next - before;
    }
    return count;
  }
  std::size_t directories_in(const std::string& directory) {
    std::size_t count = 0;
    auto entries = disk().list(directory);
    CHECK(entries.has_value(), "{}", directory);
    for (const auto& entry : *entries) count += entry.name.starts_with("orders-0") ? 1 : 0;
    return count;
  }
  void wait_moved() {
    for (int i = 0; i < 100 && places() != std::set<std::pair<std::string, std::int64_t>>{{to, 0}}; ++i) {
      world.world().run_for(std::chrono::milliseconds(200));
    }
  }

  NodeWorld world;
  TopicRef orders;
  std::string from, to;
};

#define EXPECT_MOVED(moves)                                                                  \
  do {                                                                                       \
    (moves).wait_moved();                                                                    \
    EXPECT_EQ((moves).places(), (std::set<std::pair<std::string, std::int64_t>>{{(moves).to, 0}})); \
  } while (false)

TEST(AlterReplicaLogDirs, a_log_moves_with_all_its_records_in_every_version) {
  for (std::int16_t version = 1; version <= 2; ++version) {
    Moves moves;
    for (int i = 0; i < 5; ++i) ASSERT_EQ(moves.produce(3), 0);
    ASSERT_EQ(moves.move(moves.to, "orders", 0, version), 0);
    EXPECT_MOVED(moves);
    EXPECT_EQ(moves.count_records(), 15);
    ASSERT_EQ(moves.produce(2), 0);
    auto id = TopicIdPartition{moves.orders.id, PartitionId(0)};
    Uuid told = moves.world.image().partition(id)->directory_of(BrokerId(1));
    std::string properties = moves.disk().read_file(moves.to + "/meta.properties").value();
    EXPECT_NE(properties.find("directory.id=" + told.to_string()), std::string::npos) << properties;
    moves.world.world().run_for(std::chrono::minutes(2));
    EXPECT_EQ(moves.directories_in(moves.from), 0u) << "the old one is removed";
    EXPECT_EQ(moves.directories_in(moves.to), 1u);
    moves.world.crash(io::SimCrash::kPowerLoss);
    ASSERT_TRUE(moves.world.start()) << moves.world.error();
    EXPECT_EQ(moves.count_records(), 17);
    EXPECT_MOVED(moves);
  }
}

TEST(AlterReplicaLogDirs, clients_go_on_meanwhile) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Moves moves(seed);
    for (int i = 0; i < 20; ++i) ASSERT_EQ(moves.produce(5), 0);
    moves.disk().faults().slow = std::chrono::milliseconds(20);
    moves.disk().faults().cold_read_one_in = 2;
    ASSERT_EQ(moves.move(moves.to), 0);
    wire::BatchOptions options;
    options.producer_id = ProducerId(900);
    options.producer_epoch = 0;
    for (int i = 0; i < 50; ++i) {
      options.base_sequence = i;
      ASSERT_EQ(moves.produce(1, options), 0) << "seed " << seed;
      ASSERT_EQ(moves.produce(1, options), 0) << "sent again";
      ASSERT_EQ(moves.count_records(), 100 + i + 1) << "seed " << seed;
    }
    EXPECT_MOVED(moves);
    moves.disk().faults().slow = Duration::zero();
    EXPECT_EQ(moves.produce(1, options), 0) << "the copy knows the producer, too";
    EXPECT_EQ(moves.count_records(), 150);
  }
}

TEST(AlterReplicaLogDirs, five_batches_of_a_producer_are_known_afterwards) {
  Moves moves;
  wire::BatchOptions options;
  options.producer_id = ProducerId(900);
  options.producer_epoch = 0;
  for (options.base_sequence = 0; options.base_sequence < 5; ++options.base_sequence)
    ASSERT_EQ(moves.produce(1, options), 0);
  ASSERT_EQ(moves.move(moves.to), 0);
  EXPECT_MOVED(moves);
  for (options.base_sequence = 0; options.base_sequence < 5; ++options.base_sequence)
    EXPECT_EQ(moves.produce(1, options), 0) << "sent again: " << options.base_sequence;
  EXPECT_EQ(moves.count_records(), 5);
}

TEST(AlterReplicaLogDirs, a_move_keeps_to_its_rate) {
  Moves moves;
  auto rate = [&](std::optional<std::string> value) {
    wire::IncrementalAlterConfigsRequest request;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = 4;
    resource.resource_name = "1";
    auto& config = resource.configs.emplace_back();
    config.name = "replica.alter.log.dirs.io.max.bytes.per.second";
    config.config_operation = value.has_value() ? 0 : 1;
    config.value = std::move(value);
    ASSERT_EQ(moves.world.ask<wire::IncrementalAlterConfigsApi>(request, 1)->responses.at(0).error_code, 0);
  };
  for (int i = 0; i < 4; ++i) {
    auto large = produce_to(moves.orders, 0, batch_of(1, moves.world.now_ms(), 900'000));
    ASSERT_EQ(moves.world.ask<wire::ProduceApi>(large, 13)->responses.at(0).partition_responses.at(0).error_code, 0);
  }
  using Places = std::set<std::pair<std::string, std::int64_t>>;
  rate("300000");
  ASSERT_EQ(moves.move(moves.to), 0);
  moves.world.world().run_for(std::chrono::seconds(8));
  EXPECT_EQ(moves.places().size(), 2u) << "3.6 MB take twelve seconds";
  moves.world.world().run_for(std::chrono::seconds(5));
  EXPECT_EQ(moves.places(), (Places{{moves.to, 0}}));
  rate("1000");
  ASSERT_EQ(moves.move(moves.from), 0);
  moves.world.world().run_for(std::chrono::minutes(2));
  EXPECT_EQ(moves.places().size(), 2u);
  rate(std::nullopt);  // it goes on at once
  moves.world.world().run_for(std::chrono::seconds(2));
  EXPECT_EQ(moves.places(), (Places{{moves.from, 0}}));
  EXPECT_EQ(moves.count_records(), 4);
}

TEST(AlterReplicaLogDirs, a_copy_is_shown_with_its_lag) {
  Moves moves;
  for (int i = 0; i < 5; ++i) ASSERT_EQ(moves.produce(3), 0);
  moves.disk().faults().slow = std::chrono::seconds(5);
  ASSERT_EQ(moves.move(moves.to), 0);
  using Places = std::set<std::pair<std::string, std::int64_t>>;
  EXPECT_EQ(moves.places(), (Places{{moves.from, 0}, {moves.to + "*", 15}}));
  ASSERT_EQ(moves.move(moves.to), 0) << "it is on its way there";
  ASSERT_EQ(moves.move(moves.from), 0) << "no, stay";
  moves.disk().faults().slow = Duration::zero();
  moves.world.world().run_for(std::chrono::minutes(3));
  EXPECT_EQ(moves.places(), (Places{{moves.from, 0}}));
  EXPECT_EQ(moves.directories_in(moves.to), 0u);
  EXPECT_EQ(moves.count_records(), 15);
}

TEST(AlterReplicaLogDirs, where_a_log_begins_and_what_follows_it_move_with_it) {
  Moves moves;
  ASSERT_EQ(moves.produce(10), 0);
  wire::DeleteRecordsRequest request;
  request.timeout_ms = 5000;
  auto& asked = request.topics.emplace_back();
  asked.name = "orders";
  asked.partitions.emplace_back().offset = 4;
  ASSERT_EQ(moves.world.ask<wire::DeleteRecordsApi>(request, 2)->topics.at(0).partitions.at(0).low_watermark, 4);
  ASSERT_EQ(moves.move(moves.to), 0);
  EXPECT_MOVED(moves);
  EXPECT_EQ(moves.offset(-2), 4);
  EXPECT_EQ(moves.count_records(), 6);
  moves.world.crash(io::SimCrash::kKill);
  ASSERT_TRUE(moves.world.start()) << moves.world.error();
  EXPECT_EQ(moves.offset(-2), 4);
  EXPECT_EQ(moves.offset(-1), 10);
}

TEST(AlterReplicaLogDirs, refusals) {
  Moves moves;
  EXPECT_EQ(moves.move("/c"), code(ErrorCode::LOG_DIR_NOT_FOUND));
  EXPECT_EQ(moves.move("/meta"), code(ErrorCode::LOG_DIR_NOT_FOUND));
  EXPECT_EQ(moves.move(moves.to.substr(1)), code(ErrorCode::LOG_DIR_NOT_FOUND));
  EXPECT_EQ(moves.move(moves.to, "orders", 7), code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
  EXPECT_EQ(moves.move(moves.to, "a b"), code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
  EXPECT_EQ(moves.move(moves.to, std::string(249, 'x')), code(ErrorCode::INVALID_TOPIC_EXCEPTION));
  EXPECT_EQ(moves.move("/c", std::string(249, 'x')), code(ErrorCode::INVALID_TOPIC_EXCEPTION));
  std::string accents;
  for (int i = 0; i < 125; ++i) accents += "\u00e9";
  EXPECT_EQ(moves.move("/c", accents), code(ErrorCode::LOG_DIR_NOT_FOUND)) << "characters count, not bytes";
  EXPECT_EQ(moves.move(moves.from), 0) << "it is there";
  EXPECT_EQ(moves.directories_in(moves.from), 1u);
  moves.disk().fail_next_sync(moves.to);
  EXPECT_EQ(moves.move(moves.to), code(ErrorCode::KAFKA_STORAGE_ERROR)) << "the directory fails";
  EXPECT_EQ(moves.move(moves.to), code(ErrorCode::KAFKA_STORAGE_ERROR));
  EXPECT_EQ(moves.produce(1), 0) << "the log is where it was";
}

TEST(AlterReplicaLogDirs, a_partition_that_does_not_exist_yet_is_made_where_it_was_asked_to) {
  for (const char* path : {"/a", "/b"}) {
    Moves moves;
    EXPECT_EQ(moves.move(path, "later"), code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
    moves.world.create_topic("later");
    EXPECT_EQ(moves.places("later").begin()->first, path);
  }
}

TEST(AlterReplicaLogDirs, of_a_topic_that_is_deleted_nothing_stays) {
  Moves moves;
  for (int i = 0; i < 5; ++i) ASSERT_EQ(moves.produce(3), 0);
  moves.disk().faults().slow = std::chrono::seconds(1);
  ASSERT_EQ(moves.move(moves.to), 0);
  wire::DeleteTopicsRequest request;
  request.topic_names = {"orders"};
  request.timeout_ms = 60000;
  ASSERT_EQ(moves.world.ask<wire::DeleteTopicsApi>(request, 5)->responses.at(0).error_code, 0);
  moves.disk().faults().slow = Duration::zero();
  moves.world.world().run_for(std::chrono::minutes(3));
  EXPECT_EQ(moves.directories_in(moves.from), 0u);
  EXPECT_EQ(moves.directories_in(moves.to), 0u);
}

TEST(AlterReplicaLogDirs, a_full_disk_holds_a_move_up) {
  Moves moves;
  for (int i = 0; i < 5; ++i) ASSERT_EQ(moves.produce(100), 0);
  ASSERT_EQ(moves.move(moves.to), 0);
  moves.disk().faults().capacity = moves.disk().used();
  moves.world.world().run_for(std::chrono::seconds(20));
  EXPECT_EQ(moves.count_records(), 500);
  moves.disk().faults().capacity = std::numeric_limits<std::uint64_t>::max();
  for (int i = 0; i < 20 && moves.produce(1) != 0; ++i) moves.world.world().run_for(std::chrono::seconds(1));
  EXPECT_MOVED(moves);
  EXPECT_EQ(moves.count_records(), 501);
}

// The process ends at each disk call of a move, one after the other. What was acknowledged is there after the restart,
// in one directory, and the log arrives.
TEST(AlterReplicaLogDirs, a_crash_at_any_moment_loses_nothing) {
  bool ended_by_itself = false;
  int crashes = 0;
  for (std::uint64_t call = 1; !ended_by_itself && call < 2000; call += 1 + call / 16) {
    Moves moves(call);
    for (int i = 0; i < 4; ++i) ASSERT_EQ(moves.produce(3), 0);
    moves.disk().crash_at_call(moves.disk().calls() + call);
    (void)moves.move(moves.to);
    std::int64_t acknowledged = 12;
    for (int i = 0; i < 30 && moves.world.machine().running(); ++i) {
      if (moves.produce(1) == 0) ++acknowledged;
      moves.world.world().run_for(std::chrono::milliseconds(20));
    }
    ended_by_itself = moves.world.machine().running();
    if (ended_by_itself) {
      moves.disk().crash_at_call(0);
    } else {
      ++crashes;
      moves.world.crash(io::SimCrash::kKill);  // it has ended already
      if (call % 2 == 0) moves.disk().lose_power();
      ASSERT_TRUE(moves.world.start()) << moves.world.error() << " after a crash at call " << call;
    }
    std::int64_t kept = moves.count_records();
    SCOPED_TRACE(testing::Message() << "a crash at call " << call);
    EXPECT_GE(kept, acknowledged);
    EXPECT_LE(kept, acknowledged + 1);
    if (moves.directories_in(moves.to) > 0) EXPECT_MOVED(moves);
    EXPECT_EQ(moves.count_records(), kept);
  }
  EXPECT_GT(crashes, 20);
}

}  // namespace
}  // namespace milena::broker
