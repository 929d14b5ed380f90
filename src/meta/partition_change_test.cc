#include "meta/partition_change.h"

#include <gtest/gtest.h>

#include "image/builder.h"
#include "meta/testing.h"

namespace milena::meta {
namespace {

/// Three brokers, one partition with replicas 1, 2, 3.
struct Fixture : World {
  Fixture() {
    for (int id : {1, 2, 3}) start_broker(id);
    wire::CreateTopicsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = "foo";
    topic.num_partitions = -1;
    topic.replication_factor = -1;
    topic.assignments.emplace_back().broker_ids = {1, 2, 3};
    append(create_topics(context(), request).records);
  }
  void set(image::Partition state) { state_ = std::move(state); }

  PartitionChange change(std::set<int> alive) {
    return {.image = image(),
            .id = {image().topic("foo")->id, PartitionId(0)},
            .before = state_,
            .acceptable = [alive](BrokerId id) { return alive.contains(id.value()); }};
  }
  image::Partition after(const PartitionChange& change) {
    auto record = change.build();
    if (!record.has_value()) return state_;
    return image::merge(state_, std::get<wire::PartitionChangeRecord>(record->message));
  }
  image::Partition state_;
};

TEST(PartitionChange, NothingToDoIsNoRecord) {
  Fixture fixture;
  fixture.set(fixture.partition("foo"));
  EXPECT_FALSE(fixture.change({1, 2, 3}).build().has_value());
}

TEST(PartitionChange, ElectsFromTheIsrInReplicaOrder) {
  Fixture fixture;
  fixture.set(fixture.partition("foo"));
  auto change = fixture.change({2, 3});
  change.isr = ids({3, 2});
  auto after = fixture.after(change);
  EXPECT_EQ(after.leader, BrokerId(2));
  EXPECT_EQ(after.leader_epoch, Epoch(1));
}

TEST(PartitionChange, ShrinkingTheIsrKeepsTheLeaderEpoch) {
  Fixture fixture;
  fixture.set(fixture.partition("foo"));
  auto change = fixture.change({1, 2, 3});
  change.isr = ids({1, 2});
  auto after = fixture.after(change);
  EXPECT_EQ(after.leader_epoch, Epoch(0));
  EXPECT_EQ(after.partition_epoch, 1);
}

TEST(PartitionChange, BelowMinIsrTheElrRemembers) {
  Fixture fixture;
  fixture.set(fixture.partition("foo"));
  auto change = fixture.change({1, 2, 3});
  change.min_isr = 2;
  change.isr = ids({1});
  auto after = fixture.after(change);
  EXPECT_EQ(after.elr, ids({2, 3}));
  // Back at min ISR it is forgotten.
  fixture.set(after);
  auto back = fixture.change({1, 2, 3});
  back.min_isr = 2;
  back.isr = ids({1, 3});
  EXPECT_TRUE(fixture.after(back).elr.empty());
}

TEST(PartitionChange, ElectsFromTheElrWhenTheIsrIsEmpty) {
  Fixture fixture;
  image::Partition partition = fixture.partition("foo");
  partition.isr.clear();
  partition.leader = kNoBroker;
  partition.elr = ids({2, 3});
  partition.last_known_elr = ids({3});
  fixture.set(partition);
  auto change = fixture.change({3});
  change.min_isr = 2;
  auto after = fixture.after(change);
  EXPECT_EQ(after.leader, BrokerId(3));
  EXPECT_EQ(after.isr, ids({3}));
  EXPECT_EQ(after.elr, ids({2}));
  EXPECT_TRUE(after.last_known_elr.empty());
  EXPECT_EQ(after.leader_recovery_state, image::LeaderRecoveryState::kRecovered);
}

TEST(PartitionChange, TheLastKnownLeaderRecovers) {
  Fixture fixture;
  image::Partition partition = fixture.partition("foo");
  partition.isr.clear();
  partition.leader = kNoBroker;
  partition.last_known_elr = ids({3});
  fixture.set(partition);
  EXPECT_FALSE(fixture.after(fixture.change({1, 2})).has_leader());
  auto after = fixture.after(fixture.change({1, 2, 3}));
  EXPECT_EQ(after.leader, BrokerId(3));
  EXPECT_EQ(after.leader_recovery_state, image::LeaderRecoveryState::kRecovering);
}

TEST(PartitionChange, UncleanElectionIsTheLastResort) {
  Fixture fixture;
  image::Partition partition = fixture.partition("foo");
  partition.isr = ids({1});
  partition.leader = BrokerId(1);
  fixture.set(partition);
  auto change = fixture.change({2, 3});
  change.election = Election::kUnclean;
  change.isr.clear();
  auto after = fixture.after(change);
  EXPECT_EQ(after.leader, BrokerId(2));
  EXPECT_EQ(after.isr, ids({2}));
  EXPECT_TRUE(after.elr.empty());
  EXPECT_EQ(after.leader_recovery_state, image::LeaderRecoveryState::kRecovering);
}

TEST(PartitionChange, PreferredElection) {
  Fixture fixture;
  image::Partition partition = fixture.partition("foo");
  partition.leader = BrokerId(2);
  fixture.set(partition);
  EXPECT_FALSE(fixture.change({1, 2, 3}).build().has_value());
  auto change = fixture.change({1, 2, 3});
  change.election = Election::kPreferred;
  EXPECT_EQ(fixture.after(change).leader, BrokerId(1));
  auto without = fixture.change({2, 3});
  without.election = Election::kPreferred;
  EXPECT_EQ(fixture.after(without).leader, BrokerId(2));
}

TEST(PartitionChange, CompletesAReassignment) {
  Fixture fixture;
  image::Partition partition = fixture.partition("foo");
  partition.replicas = ids({2, 3, 1});
  partition.isr = ids({1, 2});
  partition.removing_replicas = ids({1});
  partition.adding_replicas = ids({3});
  fixture.set(partition);
  EXPECT_FALSE(fixture.change({1, 2, 3}).build().has_value());
  auto change = fixture.change({1, 2, 3});
  change.isr = ids({1, 2, 3});
  auto after = fixture.after(change);
  EXPECT_EQ(after.replicas, ids({2, 3}));
  EXPECT_EQ(after.isr, ids({2, 3}));
  EXPECT_EQ(after.leader, BrokerId(2));
  EXPECT_TRUE(after.removing_replicas.empty());
  EXPECT_TRUE(after.adding_replicas.empty());
  EXPECT_EQ(after.directories.size(), 2U);
}

TEST(PartitionChange, AnUncleanReplicaLeavesIsrAndElr) {
  Fixture fixture;
  image::Partition partition = fixture.partition("foo");
  partition.isr = ids({1});
  partition.elr = ids({2});
  fixture.set(partition);
  auto change = fixture.change({1, 2, 3});
  change.min_isr = 2;
  change.unclean_replicas = ids({2});
  EXPECT_TRUE(fixture.after(change).elr.empty());
}

}  // namespace
}  // namespace milena::meta
