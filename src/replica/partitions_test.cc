// Partitions on their loops, called from another one.
#include "replica/partitions.h"

#include <gmock/gmock.h>

#include "replica/testing/replica_world.h"

namespace milena::replica {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;
using wire::ErrorCode;

TopicIdPartition id_of(int partition) { return {kTopic, PartitionId(partition)}; }

class Spread : public ::testing::Test {
 protected:
  // Partitions 0..count-1 of one topic, led, each on its loop.
  void add(int count) {
    for (int i = 0; i < count; ++i) {
      LoopPartitions& there = partitions_.owning(id_of(i));
      auto partition = make_partition(world_, there.loop(), id_of(i), "t");
      world_.call_on(there.loop(), [&there, partition] {
        there.add(partition);
        partition->lead(Epoch(0));
      });
    }
  }
  Appended append(int partition, int count = 1) {
    return world_.run(partitions_.append(id_of(partition), make_records(count, world_.wall_now()), {}));
  }
  static ReadRequest from_start(int partition, bool at_least_one = false) {
    ReadRequest request;
    request.id = id_of(partition);
    request.fetch_offset = Offset(0);
    request.max_bytes = 1 << 20;
    request.at_least_one = at_least_one;
    return request;
  }

  ReplicaWorld world_{3};
  Partitions partitions_{world_.runtime()};
};

TEST_F(Spread, neighbours_live_on_different_loops_and_never_move) {
  for (int i = 0; i < 30; ++i) {
    EXPECT_NE(partitions_.owner(id_of(i)), partitions_.owner(id_of(i + 1)));
    EXPECT_EQ(partitions_.owner(id_of(i)), partitions_.owner(id_of(i + 3)));
    EXPECT_LT(partitions_.owner(id_of(i)), partitions_.loops());
  }
}

TEST_F(Spread, calls_reach_the_partition_wherever_it_lives) {
  add(4);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(append(i, i + 1).last_offset, Offset(i));
    EXPECT_EQ(world_.run(partitions_.wait_committed(id_of(i), Offset(i + 1))), Offset(i + 1));
    ReadResult result = world_.run(partitions_.read(from_start(i)));
    EXPECT_EQ(result.high_watermark, Offset(i + 1));
    EXPECT_THAT(result.records, Not(IsEmpty()));
  }
}

TEST_F(Spread, what_is_missing_is_refused_for_its_reason) {
  EXPECT_EQ(append(0).error, ErrorCode::NOT_LEADER_OR_FOLLOWER);
  EXPECT_EQ(world_.run(partitions_.wait_committed(id_of(0), Offset(1))), kNoOffset);
  LoopPartitions& there = partitions_.owning(id_of(0));
  world_.call_on(there.loop(), [&] { there.refuse(id_of(0)); });
  EXPECT_EQ(append(0).error, ErrorCode::KAFKA_STORAGE_ERROR);
  EXPECT_EQ(world_.run(partitions_.read(from_start(0))).error, ErrorCode::KAFKA_STORAGE_ERROR);
  add(1);
  EXPECT_EQ(append(0).error, ErrorCode::NONE);
  world_.call_on(there.loop(), [&] { there.remove(id_of(0)); });
  EXPECT_EQ(append(0).error, ErrorCode::NOT_LEADER_OR_FOLLOWER) << "removed: no longer refused for its disk";
}

TEST_F(Spread, partitions_of_one_loop_share_what_a_fetch_may_bring) {
  add(7);
  LoopPartitions& there = partitions_.owning(id_of(0));  // and of 3 and 6
  for (int i : {0, 3, 6}) append(i);
  std::vector<ReadResult> results;
  auto read = [&](std::size_t max_bytes, bool at_least_one) {
    std::vector<ReadRequest> requests{from_start(0, at_least_one), from_start(3, at_least_one),
                                      from_start(6, at_least_one)};
    auto work = [&there, requests, max_bytes] { return there.read(requests, max_bytes); };
    results = world_.run(io::run_on(there.loop(), std::move(work)));
    ASSERT_EQ(results.size(), 3u);
  };
  read(1 << 20, false);
  std::size_t one = results[0].records.size();
  EXPECT_EQ(results[2].records.size(), one);
  read(2 * one, false);
  EXPECT_EQ(results[1].records.size(), one);
  EXPECT_THAT(results[2].records, IsEmpty()) << "the first two used up max_bytes";
  EXPECT_EQ(results[2].high_watermark, Offset(1)) << "it is told about nevertheless";
  read(1, true);
  EXPECT_EQ(results[0].records.size(), one) << "the first batch may exceed the limit";
  EXPECT_THAT(results[1].records, IsEmpty()) << "and only the first";
}

}  // namespace
}  // namespace milena::replica
