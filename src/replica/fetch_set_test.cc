// A fetch's set of partitions on one loop: what makes a partition ready, what ends a wait, who is read first.
#include "replica/fetch_set.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "replica/testing/replica_world.h"
#include "wire/control_record.h"

namespace milena::replica {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using wire::ErrorCode;

class Sets : public ::testing::Test {
 protected:
  static TopicIdPartition id_of(int partition) { return {kTopic, PartitionId(partition)}; }
  Partition& lead(int index, const PartitionSettings& settings = {}) {
    auto partition = make_partition(world_, world_.loop(), id_of(index), "t", settings);
    world_.call([&] {
      there_.add(partition);
      partition->lead(Epoch(1));
    });
    return *partition;
  }
  void append_bytes(int index, Bytes records, Origin origin) {
    AppendOptions options;
    options.origin = origin;
    Appended appended = world_.run(Partition::append(there_.find(id_of(index)), std::move(records), options, &scratch_));
    ASSERT_EQ(appended.error, ErrorCode::NONE);
  }
  void append(int index, int count = 1) {
    append_bytes(index, make_records(count, world_.wall_now()), Origin::kClient);
  }

  static FetchChange put(int index, std::int64_t offset = 0) {
    FetchChange change(FetchChange::Kind::kPut, static_cast<std::uint32_t>(index));
    change.read.id = id_of(index);
    change.read.fetch_offset = Offset(offset);
    change.read.max_bytes = 1 << 20;
    return change;
  }
  static FetchChange other(FetchChange::Kind kind, int index) { return {kind, static_cast<std::uint32_t>(index)}; }
  FetchVisited visit(std::vector<FetchChange> changes = {}, std::size_t max_bytes = 1 << 20, bool first = true) {
    FetchBudget budget;
    budget.max_bytes = max_bytes;
    budget.first = first;
    return world_.run(FetchSet::visit(set_, std::move(changes), budget));
  }
  static std::vector<int> places(const FetchVisited& visited) {
    std::vector<int> result;
    for (const FetchFound& found : visited.found) result.push_back(static_cast<int>(found.place));
    return result;
  }
  static std::vector<int> with_data(const FetchVisited& visited) {
    std::vector<int> result;
    for (const FetchFound& found : visited.found) {
      if (!found.result.records.empty()) result.push_back(static_cast<int>(found.place));
    }
    return result;
  }
  // Whether `change` ends a wait; nothing may end it before.
  template <class F>
  bool wakes(F change) {
    auto woken = std::make_shared<bool>(false);
    EXPECT_TRUE(set_->begin_wait()) << "there is news already";
    world_.call([&] { world_.loop().spawn(wait(waker_, woken)); });
    world_.run_for(100ms);
    EXPECT_FALSE(*woken);
    change();
    world_.run_for(100ms);
    bool result = *woken;
    waker_->signal.notify_all();
    world_.run_for(100ms);
    set_->end_wait();
    return result;
  }
  static io::Task<void> wait(std::shared_ptr<FetchWaker> waker, std::shared_ptr<bool> woken) {
    co_await waker->signal.wait();
    *woken = true;
  }

  ReplicaWorld world_;
  wire::CompressionScratch scratch_;
  LoopPartitions there_{world_.loop(), 16};
  std::shared_ptr<FetchWaker> waker_ = std::make_shared<FetchWaker>(world_.loop());
  std::shared_ptr<FetchSet> set_ = std::make_shared<FetchSet>(there_, waker_);
};

TEST_F(Sets, read_what_is_new_once_and_then_only_what_has_news) {
  for (int i : {0, 1, 2}) lead(i);
  EXPECT_THAT(places(visit({put(0), put(1), put(2)})), ElementsAre(0, 1, 2));
  EXPECT_THAT(places(visit()), IsEmpty());
  EXPECT_FALSE(set_->has_news());
  append(1);
  EXPECT_TRUE(set_->has_news());
  FetchVisited found = visit();
  EXPECT_THAT(with_data(found), ElementsAre(1));
  EXPECT_TRUE(found.left) << "it was not read on: it has records still";
  EXPECT_THAT(with_data(visit()), ElementsAre(1));
  EXPECT_THAT(places(visit({put(1, 1)})), ElementsAre(1)) << "read on: a look, and nothing there";
  EXPECT_THAT(places(visit()), IsEmpty());
}

TEST_F(Sets, are_woken_by_a_high_watermark_that_moves) {
  lead(0);
  visit({put(0)});
  EXPECT_TRUE(wakes([&] { append(0); }));
  EXPECT_FALSE(set_->begin_wait()) << "until it was read, nobody waits";
  set_->end_wait();
  FetchVisited found = visit();
  ASSERT_EQ(found.found.size(), 1u);
  EXPECT_EQ(found.found[0].result.high_watermark, Offset(1));
}

TEST_F(Sets, wake_who_reads_committed_only_when_the_last_stable_offset_moves) {
  lead(0);
  FetchChange committed = put(0);
  committed.read.read_committed = true;
  visit({committed});
  wire::BatchOptions open;
  open.producer_id = ProducerId(7);
  open.producer_epoch = 0;
  open.base_sequence = 0;
  open.transactional = true;
  wire::BatchBuilder builder(open);
  builder.append(world_.wall_now(), std::nullopt, as_bytes("v"));
  Bytes in_transaction = builder.build();
  EXPECT_FALSE(wakes([&] { append_bytes(0, in_transaction, Origin::kClient); }));
  FetchVisited found = visit();
  ASSERT_EQ(found.found.size(), 1u) << "the client is told of the high watermark, when it is told of something";
  EXPECT_EQ(found.found[0].result.high_watermark, Offset(1));
  EXPECT_EQ(found.found[0].result.last_stable_offset, Offset(0));
  EXPECT_TRUE(found.found[0].result.records.empty());

  auto value = wire::end_txn_value(0);
  wire::ControlRecord commit{wire::ControlType::kCommit, value};
  open.base_sequence = -1;
  Bytes marker = wire::make_control_batch(open, world_.wall_now(), std::span(&commit, 1));
  EXPECT_TRUE(wakes([&] { append_bytes(0, marker, Origin::kCoordinator); }));
  EXPECT_THAT(with_data(visit()), ElementsAre(0));
}

TEST_F(Sets, wake_a_follower_for_what_is_not_committed_yet) {
  PartitionSettings settings;
  settings.log.flush_messages = 1;
  lead(0, settings);
  world_.disk().faults().slow = 10min;
  visit({put(0)});
  EXPECT_FALSE(wakes([&] { append(0); }));
  EXPECT_FALSE(set_->has_news()) << "no client may know of it";
  FetchChange follower = put(0);
  follower.read.to_log_end = true;
  EXPECT_THAT(with_data(visit({follower})), ElementsAre(0));
  follower.read.fetch_offset = Offset(1);
  visit({follower});
  EXPECT_TRUE(wakes([&] { append(0); }));
  EXPECT_THAT(with_data(visit()), ElementsAre(0));
}

TEST_F(Sets, tell_of_a_log_start_that_moved_but_wake_nobody_for_it) {
  Partition& partition = lead(0);
  append(0, 1);
  append(0, 1);
  visit({put(0, 2)});
  EXPECT_FALSE(wakes([&] { world_.call([&] { partition.delete_records(Offset(1)); }); }));
  EXPECT_TRUE(set_->has_news());
  FetchVisited found = visit({}, 1 << 20, false);
  ASSERT_EQ(found.found.size(), 1u);
  EXPECT_EQ(found.found[0].result.log_start_offset, Offset(1));
  EXPECT_THAT(places(visit()), IsEmpty());
}

TEST_F(Sets, are_woken_when_the_leadership_or_its_epoch_changes) {
  Partition& partition = lead(0);
  visit({put(0)});
  EXPECT_TRUE(wakes([&] { world_.call([&] { partition.lead(Epoch(2)); }); }));
  visit();
  EXPECT_THAT(places(visit()), IsEmpty());
  EXPECT_TRUE(wakes([&] { world_.call([&] { partition.stand_down(); }); }));
  EXPECT_EQ(visit().found.at(0).result.error, ErrorCode::NOT_LEADER_OR_FOLLOWER);
  EXPECT_EQ(visit().found.at(0).result.error, ErrorCode::NOT_LEADER_OR_FOLLOWER) << "an error is told until it ends";
  world_.call([&] { partition.lead(Epoch(3)); });
  EXPECT_EQ(visit().found.at(0).result.error, ErrorCode::NONE);
  EXPECT_THAT(places(visit()), IsEmpty());
}

TEST_F(Sets, are_woken_when_a_partition_is_removed_or_its_disk_fails) {
  lead(0);
  Partition& failing = lead(1);
  visit({put(0), put(1)});
  EXPECT_TRUE(wakes([&] { world_.call([&] { there_.remove(id_of(0))->retire(); }); }));
  FetchVisited found = visit();
  ASSERT_THAT(places(found), ElementsAre(0));
  EXPECT_EQ(found.found[0].result.error, ErrorCode::NOT_LEADER_OR_FOLLOWER);
  EXPECT_TRUE(wakes([&] { world_.call([&] { failing.go_offline("for a test"); }); }));
  visit({other(FetchChange::Kind::kForget, 0)});
  EXPECT_EQ(visit().found.at(0).result.error, ErrorCode::KAFKA_STORAGE_ERROR);
  lead(0);
  EXPECT_EQ(visit({put(0)}).found.back().result.error, ErrorCode::NONE) << "there again";
}

TEST_F(Sets, let_those_that_had_no_room_go_first) {
  for (int i : {0, 1, 2, 3}) lead(i);
  for (int i : {0, 1, 2, 3}) append(i);
  std::size_t one = visit({put(0), put(1), put(2), put(3)}).found[0].result.records.size();
  std::vector<int> served;
  for (int i = 0; i < 8; ++i) {
    FetchVisited found = visit({}, 2 * one);
    EXPECT_EQ(found.found.size(), 4u) << "all are told of";
    for (int place : with_data(found)) served.push_back(place);
  }
  for (int i : {0, 1, 2, 3}) EXPECT_EQ(std::ranges::count(served, i), 4) << i;
}

TEST_F(Sets, a_busy_partition_does_not_starve_the_others) {
  for (int i : {0, 1, 2}) lead(i);
  for (int i : {0, 1, 2}) append(i);
  visit({put(0), put(1), put(2)});
  std::vector<int> served(3);
  for (int i = 0; i < 30; ++i) {
    append(0);
    FetchVisited found = visit({put(0, i)}, 1);
    ASSERT_EQ(with_data(found).size(), 1u);
    ++served[static_cast<std::size_t>(with_data(found)[0])];
  }
  for (int times : served) EXPECT_GE(times, 9);
}

TEST_F(Sets, count_what_a_fetch_holds_already) {
  for (int i : {0, 1}) lead(i);
  append(0);
  FetchVisited first = visit({put(0), put(1)});
  std::size_t one = first.found[0].result.records.size();
  append(0);
  FetchBudget budget;
  budget.max_bytes = 2 * one;
  budget.held = one;
  budget.first = false;
  FetchVisited again = world_.run(FetchSet::visit(set_, {}, budget));
  ASSERT_THAT(places(again), ElementsAre(0)) << "only what has news";
  EXPECT_EQ(again.found[0].result.records.size(), 2 * one) << "what it had is read anew, not counted twice";
  append(1);
  budget.held = 2 * one;
  EXPECT_THAT(with_data(world_.run(FetchSet::visit(set_, {}, budget))), IsEmpty()) << "no room is left";
  EXPECT_THAT(with_data(visit()), ElementsAre(1, 0));
}

TEST_F(Sets, forget_and_tell_once_more) {
  for (int i : {0, 1}) lead(i);
  visit({put(0), put(1)});
  EXPECT_THAT(places(visit({other(FetchChange::Kind::kAgain, 1)})), ElementsAre(1));
  visit({other(FetchChange::Kind::kForget, 1)});
  append(1);
  EXPECT_FALSE(set_->has_news());
  EXPECT_THAT(places(visit({other(FetchChange::Kind::kAgain, 1)})), IsEmpty()) << "it was forgotten";
  append(0);
  visit({other(FetchChange::Kind::kClear, 0)});
  EXPECT_THAT(places(visit()), IsEmpty());
  append(0);
  EXPECT_FALSE(set_->has_news());
}

TEST_F(Sets, may_go_before_their_partitions_and_after_them) {
  lead(0);
  visit({put(0)});
  world_.call([&] { set_.reset(); });
  append(0);
  set_ = std::make_shared<FetchSet>(there_, waker_);
  visit({put(0)});
  world_.call([&] { there_.remove(id_of(0)); });
  EXPECT_EQ(visit({other(FetchChange::Kind::kAgain, 0)}).found.at(0).result.error, ErrorCode::NOT_LEADER_OR_FOLLOWER);
}

TEST_F(Sets, share_what_a_fetch_may_bring) {
  for (int i : {0, 1, 2}) {
    lead(i);
    append(i);
  }
  FetchVisited all = visit({put(0), put(1), put(2)});
  std::size_t one = all.found[0].result.records.size();
  EXPECT_EQ(all.found[2].result.records.size(), one);
  FetchVisited two = visit({}, 2 * one);
  EXPECT_THAT(with_data(two), ElementsAre(0, 1));
  EXPECT_EQ(two.found[2].result.high_watermark, Offset(1)) << "it is told about nevertheless";
  EXPECT_THAT(with_data(visit({}, 1)), ElementsAre(2)) << "the first batch may exceed the limit, and only the first";
}

}  // namespace
}  // namespace milena::replica
