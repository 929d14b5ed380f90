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
  static ReadRequest from_start(int partition) {
    ReadRequest request;
    request.id = id_of(partition);
    request.fetch_offset = Offset(0);
    request.max_bytes = 1 << 20;
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

}  // namespace
}  // namespace milena::replica
