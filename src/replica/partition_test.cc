// A partition on its loop: who may append and read, when records are committed, who is woken, what a failing disk
// does to it. The log below it has its own tests.
#include "replica/partition.h"

#include <gmock/gmock.h>

#include "replica/testing/replica_world.h"

namespace milena::replica {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;
using wire::ErrorCode;

class Partitioned : public ::testing::Test {
 protected:
  Partition& lead(const PartitionSettings& settings = {}, Epoch epoch = Epoch(5)) {
    return lead_from(Offset(0), settings, epoch);
  }
  // Of the segments below the recovery point nothing is in memory.
  Partition& lead_from(Offset recovery_point, const PartitionSettings& settings, Epoch epoch) {
    partition_ = make_partition(world_, world_.loop(), {kTopic, PartitionId(0)}, "t", settings, &offline_, recovery_point);
    world_.call([&] { partition_->lead(epoch); });
    return *partition_;
  }
  // Each append that reaches so many unsynced records waits for a flush, which takes its time.
  Partition& lead_with_slow_flushes(std::int64_t flush_messages, Duration slow = 10s) {
    PartitionSettings settings;
    settings.log.flush_messages = flush_messages;
    Partition& partition = lead(settings);
    world_.disk().faults().slow = slow;
    return partition;
  }
  Answer<Appended> start_append(int count, WaitFor wait = WaitFor::kNothing, Instant deadline = Instant::never()) {
    AppendOptions options;
    options.wait = wait;
    options.deadline = deadline;
    return world_.start(Partition::append(partition_, make_records(count, world_.wall_now()), options, &scratch_));
  }
  Appended append(int count, WaitFor wait = WaitFor::kNothing) { return world_.get(start_append(count, wait)); }
  Appended append_bytes(Bytes records, Origin origin = Origin::kClient) {
    AppendOptions options;
    options.origin = origin;
    return world_.run(Partition::append(partition_, std::move(records), options, &scratch_));
  }
  ReadRequest from(std::int64_t offset) {
    ReadRequest request;
    request.id = partition_->id();
    request.fetch_offset = Offset(offset);
    request.max_bytes = 1 << 20;
    return request;
  }
  ReadResult read(const ReadRequest& request) { return world_.run(Partition::read(partition_, request)); }
  LookupResult look_up(std::int64_t timestamp, Epoch current_leader_epoch = kNoEpoch) {
    LookupRequest request;
    request.id = partition_->id();
    request.timestamp = timestamp;
    request.current_leader_epoch = current_leader_epoch;
    return world_.run(Partition::lookup(partition_, request));
  }
  std::int64_t high_watermark() const { return partition_->high_watermark().value(); }

  ReplicaWorld world_;
  int offline_ = 0;
  wire::CompressionScratch scratch_;
  std::shared_ptr<Partition> partition_;
};

TEST_F(Partitioned, appends_are_committed_at_once_where_nothing_must_be_synced) {
  lead();
  Appended first = append(3, WaitFor::kCommitted);
  EXPECT_EQ(first.error, ErrorCode::NONE);
  EXPECT_EQ(first.base_offset, Offset(0));
  EXPECT_EQ(first.last_offset, Offset(2));
  EXPECT_EQ(first.high_watermark, Offset(3));
  EXPECT_EQ(first.log_start_offset, Offset(0));
  EXPECT_EQ(append(1).base_offset, Offset(3));
  EXPECT_EQ(high_watermark(), 4);
}

TEST_F(Partitioned, only_a_leader_is_written_to_and_read_from) {
  lead();
  append(1);
  world_.call([&] { partition_->stand_down(); });
  EXPECT_EQ(append(1).error, ErrorCode::NOT_LEADER_OR_FOLLOWER);
  EXPECT_EQ(read(from(0)).error, ErrorCode::NOT_LEADER_OR_FOLLOWER);
  EXPECT_EQ(partition_->end_offset_for(kNoEpoch, Epoch(5)).error, ErrorCode::NOT_LEADER_OR_FOLLOWER);
  world_.call([&] { partition_->lead(Epoch(6)); });
  EXPECT_EQ(append(1).base_offset, Offset(1));
  EXPECT_EQ(high_watermark(), 2);
}

TEST_F(Partitioned, acks_of_all_want_as_many_in_sync_as_the_topic_says) {
  PartitionSettings settings;
  settings.min_insync_replicas = 2;
  Partition& partition = lead(settings);
  EXPECT_EQ(append(1, WaitFor::kCommitted).error, ErrorCode::NONE) << "there is one replica: as for Kafka, it is enough";
  partition.set_replicas(1, 3);
  Appended refused = append(1, WaitFor::kCommitted);
  EXPECT_EQ(refused.error, ErrorCode::NOT_ENOUGH_REPLICAS);
  EXPECT_EQ(refused.log_start_offset, Offset(0)) << "Kafka tells it";
  AppendOptions committed;
  committed.wait = WaitFor::kCommitted;
  Appended misframed = world_.run(Partition::append(partition_, Bytes::copy("no batch"), committed, &scratch_));
  EXPECT_EQ(misframed.error, ErrorCode::INVALID_RECORD) << "the framing comes first";
  EXPECT_EQ(append(1, WaitFor::kSynced).error, ErrorCode::NONE) << "acks=1";
  EXPECT_EQ(partition.log().log_end_offset(), Offset(2)) << "what was refused is not there";
  partition.set_replicas(2, 3);
  EXPECT_EQ(append(1, WaitFor::kCommitted).error, ErrorCode::NONE);
}

TEST_F(Partitioned, acks_of_all_are_told_when_replicas_leave_while_they_wait) {
  Partition& partition = lead_with_slow_flushes(1);
  PartitionSettings settings = partition.settings();
  settings.min_insync_replicas = 2;
  world_.call([&] { partition.set_settings(settings); });
  partition.set_replicas(2, 2);
  auto waiting = start_append(1, WaitFor::kCommitted);
  world_.run_for(1s);
  ASSERT_FALSE(waiting->has_value());
  partition.set_replicas(1, 2);
  Appended appended = world_.get(waiting);
  EXPECT_EQ(appended.error, ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND);
  EXPECT_EQ(appended.base_offset, Offset(0));
}

TEST_F(Partitioned, readers_of_another_epoch_are_told_which_way_they_are_wrong) {
  lead();
  append(1);
  ReadRequest request = from(0);
  request.current_leader_epoch = Epoch(4);
  EXPECT_EQ(read(request).error, ErrorCode::FENCED_LEADER_EPOCH);
  EXPECT_EQ(partition_->end_offset_for(Epoch(4), Epoch(5)).error, ErrorCode::FENCED_LEADER_EPOCH);
  request.current_leader_epoch = Epoch(6);
  EXPECT_EQ(read(request).error, ErrorCode::UNKNOWN_LEADER_EPOCH);
  EXPECT_EQ(partition_->end_offset_for(Epoch(6), Epoch(5)).error, ErrorCode::UNKNOWN_LEADER_EPOCH);
  request.current_leader_epoch = Epoch(5);
  EXPECT_EQ(read(request).error, ErrorCode::NONE);
  EXPECT_EQ(partition_->end_offset_for(Epoch(5), Epoch(5)).end_offset, Offset(1));
}

TEST_F(Partitioned, a_reader_whose_log_parted_is_told_where) {
  lead({}, Epoch(1));
  append(2);
  world_.call([&] { partition_->lead(Epoch(3)); });
  append(1);
  ReadRequest request = from(3);
  request.last_fetched_epoch = Epoch(2);
  ReadResult parted = read(request);
  EXPECT_EQ(parted.error, ErrorCode::NONE);
  EXPECT_EQ(parted.diverging, std::pair(Epoch(1), Offset(2)));
  EXPECT_THAT(parted.records, IsEmpty());
  request = from(2);
  request.last_fetched_epoch = Epoch(1);
  EXPECT_FALSE(read(request).diverging.has_value());
  request.last_fetched_epoch = Epoch(9);
  EXPECT_EQ(read(request).error, ErrorCode::OFFSET_OUT_OF_RANGE);
}

TEST_F(Partitioned, reads_end_at_the_high_watermark_and_fail_outside_the_log) {
  lead_with_slow_flushes(2);
  append(1);
  append(1);
  ASSERT_EQ(high_watermark(), 1) << "the second record waits for its flush";
  ReadResult result = read(from(0));
  wire::BatchView first;
  wire::BatchCursor batches(result.records.block().view());
  ASSERT_TRUE(batches.next(first));
  EXPECT_EQ(first.last_offset(), Offset(0));
  EXPECT_FALSE(batches.next(first)) << "more than what is committed";
  EXPECT_EQ(result.high_watermark, Offset(1));
  EXPECT_THAT(read(from(1)).records, IsEmpty());
  EXPECT_EQ(read(from(3)).error, ErrorCode::OFFSET_OUT_OF_RANGE);
}

TEST_F(Partitioned, what_is_not_cached_is_read_off_the_loop) {
  lead();
  append(2);
  world_.disk().faults().cold_read_one_in = 1;
  EXPECT_THAT(read(from(0)).records, Not(IsEmpty()));
}

TEST_F(Partitioned, look_ups_see_what_readers_see) {
  lead_with_slow_flushes(3);
  append(2);
  append(1);
  ASSERT_EQ(high_watermark(), 2) << "the third record waits for its flush";
  std::int64_t now = world_.wall_now().value();
  EXPECT_EQ(look_up(kLatest).offset, Offset(2));
  EXPECT_EQ(look_up(kLatest).leader_epoch, Epoch(5));
  EXPECT_EQ(look_up(kEarliest).offset, Offset(0));
  EXPECT_EQ(look_up(kLatestTiered).offset, kNoOffset);
  EXPECT_EQ(look_up(0).offset, Offset(0));
  EXPECT_EQ(look_up(now + 1000).offset, kNoOffset) << "no record is that late";
  EXPECT_EQ(look_up(kLatest, Epoch(4)).error, ErrorCode::FENCED_LEADER_EPOCH);
  world_.run_for(1min);
  EXPECT_EQ(look_up(kLatest).offset, Offset(3));
}

TEST_F(Partitioned, flush_messages_holds_back_the_append_that_reaches_it_until_it_is_synced) {
  lead_with_slow_flushes(3);
  append(2);
  EXPECT_EQ(high_watermark(), 2) << "below the limit: visible unsynced";
  auto synced = start_append(1, WaitFor::kSynced);
  auto committed = start_append(1, WaitFor::kCommitted);
  EXPECT_EQ(append(1).high_watermark, Offset(2)) << "acks=0 does not wait and moves nothing";
  EXPECT_FALSE(synced->has_value());
  EXPECT_FALSE(committed->has_value());
  EXPECT_EQ(world_.get(synced).error, ErrorCode::NONE);
  EXPECT_GE(partition_->log().flushed_offset(), Offset(3));
  EXPECT_EQ(world_.get(committed).error, ErrorCode::NONE);
  EXPECT_GE(partition_->log().flushed_offset(), Offset(4));
  world_.run_for(1min);
  EXPECT_EQ(high_watermark(), 5);
  EXPECT_EQ(partition_->log().flushed_offset(), Offset(5));
}

TEST_F(Partitioned, what_comes_during_a_flush_is_not_held_for_one_that_nobody_starts) {
  lead_with_slow_flushes(3);
  auto held = start_append(3, WaitFor::kSynced);
  world_.run_for(10ms);
  ASSERT_FALSE(held->has_value());
  auto late = start_append(1, WaitFor::kSynced);
  world_.run_for(10ms);
  ASSERT_FALSE(late->has_value());
  EXPECT_EQ(world_.get(held).error, ErrorCode::NONE);
  auto later = start_append(1, WaitFor::kSynced);  // during the second flush, which is not followed by a third
  EXPECT_EQ(world_.get(late).error, ErrorCode::NONE);
  EXPECT_EQ(world_.get(later).error, ErrorCode::NONE);
  EXPECT_EQ(high_watermark(), 5);
  auto enough = start_append(2, WaitFor::kSynced);
  world_.run_for(10ms);
  EXPECT_FALSE(enough->has_value()) << "three are unsynced again";
  EXPECT_EQ(world_.get(enough).error, ErrorCode::NONE);
}

TEST_F(Partitioned, the_high_watermark_does_not_go_back_when_a_limit_is_set_later) {
  lead();
  append(3);
  PartitionSettings strict;
  strict.log.flush_messages = 1;
  world_.call([&] { partition_->set_settings(strict); });
  world_.disk().faults().slow = 10s;
  append(1);
  EXPECT_EQ(high_watermark(), 3);
  world_.call([&] { partition_->lead(Epoch(6)); });
  EXPECT_EQ(high_watermark(), 3) << "a new epoch commits nothing that is not synced";
  EXPECT_EQ(world_.run(Partition::wait_committed(partition_, Offset(4), Instant::never())), Offset(4));
}

TEST_F(Partitioned, a_wait_ends_at_its_deadline_and_the_records_stay) {
  lead_with_slow_flushes(1, 5min);
  Appended late = world_.get(start_append(1, WaitFor::kCommitted, world_.sim().now() + 1s));
  EXPECT_EQ(late.error, ErrorCode::REQUEST_TIMED_OUT);
  EXPECT_EQ(late.base_offset, Offset(0));
  auto waited = world_.run(Partition::wait_committed(partition_, Offset(1), world_.sim().now() + 1s));
  EXPECT_EQ(waited, Offset(0));
  world_.run_for(5min);
  EXPECT_EQ(high_watermark(), 1);
}

TEST_F(Partitioned, losing_leadership_wakes_whoever_waits) {
  lead_with_slow_flushes(1, 5min);
  auto append = start_append(1, WaitFor::kCommitted);
  auto wait = world_.start(Partition::wait_committed(partition_, Offset(1), Instant::never()));
  world_.call([&] { partition_->stand_down(); });
  EXPECT_EQ(world_.get(append).error, ErrorCode::NOT_LEADER_OR_FOLLOWER);
  EXPECT_EQ(world_.get(wait), Offset(0));
  EXPECT_EQ(high_watermark(), 0) << "they were woken by the loss, not by the flush";
}

struct CountingWatch final : Partition::Watch {
  void on_news(Partition::News news) override {
    if ((news & ~Partition::kLogEnd) == 0) return;
    ++woken;
    leave();
  }
  int woken = 0;
};

TEST_F(Partitioned, a_watch_is_woken_once_by_news_and_may_leave_before) {
  lead();
  CountingWatch first, second, gone;
  world_.call([&] {
    partition_->add_watch(first);
    partition_->add_watch(gone);
    partition_->add_watch(second);
    gone.leave();
  });
  append(1);
  append(1);
  EXPECT_EQ(first.woken, 1);
  EXPECT_EQ(second.woken, 1);
  EXPECT_EQ(gone.woken, 0);
  world_.call([&] {
    partition_->add_watch(first);
    partition_->stand_down();
  });
  EXPECT_EQ(first.woken, 2) << "whoever reads must learn that the leader is gone";
}

TEST_F(Partitioned, a_watch_is_not_woken_by_records_that_are_not_committed) {
  lead_with_slow_flushes(1);
  CountingWatch watch;
  world_.call([&] { partition_->add_watch(watch); });
  append(1);
  EXPECT_EQ(watch.woken, 0);
  world_.run_for(1min);
  EXPECT_EQ(watch.woken, 1);
}

TEST_F(Partitioned, a_watch_may_outlive_its_partition_and_a_partition_its_watch) {
  lead();
  auto watch = std::make_unique<CountingWatch>();
  world_.call([&] { partition_->add_watch(*watch); });
  watch.reset();
  append(1);
  CountingWatch other;
  world_.call([&] {
    partition_->add_watch(other);
    partition_.reset();
  });
  other.leave();
  EXPECT_EQ(other.woken, 0);
}

TEST_F(Partitioned, flush_ms_looks_at_the_age_of_the_last_flush) {
  PartitionSettings settings;
  settings.log.flush_ms = 1000;
  lead(settings);
  append(1);
  world_.run(partition_->flushes_done());  // the first of an epoch is flushed at once
  append(1);
  world_.call([&] { partition_->flush_if_old(world_.loop().now()); });
  world_.run_for(100ms);
  EXPECT_EQ(partition_->log().flushed_offset(), Offset(1));
  world_.run_for(1s);
  world_.call([&] { partition_->flush_if_old(world_.loop().now()); });
  world_.run(partition_->flushes_done());
  EXPECT_EQ(partition_->log().flushed_offset(), Offset(2));
}

TEST_F(Partitioned, a_rolled_segment_is_flushed_without_being_asked) {
  PartitionSettings settings;
  settings.log.segment_bytes = 300;
  lead(settings);
  for (int i = 0; i < 8; ++i) append(1);
  world_.run(partition_->flushes_done());
  EXPECT_GT(partition_->log().recovery_point(), Offset(0));
  EXPECT_EQ(high_watermark(), 8);
}

TEST_F(Partitioned, retention_gives_up_old_segments_and_names_their_files) {
  PartitionSettings settings;
  settings.log.segment_bytes = 300;
  settings.log.retention_bytes = 400;
  lead(settings);
  for (int i = 0; i < 20; ++i) append(1);
  std::vector<std::string> files = world_.run(Partition::retain(partition_, world_.wall_now()));
  EXPECT_GT(partition_->log().log_start_offset(), Offset(0));
  ASSERT_THAT(files, Not(IsEmpty()));
  for (const std::string& file : files) EXPECT_TRUE(file.ends_with(".deleted")) << file;
  EXPECT_EQ(read(from(0)).error, ErrorCode::OFFSET_OUT_OF_RANGE);
}

TEST_F(Partitioned, one_that_is_deleted_under_its_readers_and_its_retention_takes_no_harm) {
  PartitionSettings settings;
  settings.log.segment_bytes = 300;
  settings.log.retention_ms = 1000;
  lead(settings);
  for (int i = 0; i < 20; ++i) append(1);
  world_.run(partition_->flushes_done());
  Offset recovery_point = partition_->log().recovery_point();
  partition_.reset();
  lead_from(recovery_point, settings, Epoch(6));
  world_.run_for(1min);
  world_.disk().faults().slow = 10s;
  auto reading = world_.start(Partition::read(partition_, from(0)));
  auto retaining = world_.start(Partition::retain(partition_, world_.wall_now()));
  world_.call([&] { partition_->retire(); });
  ASSERT_FALSE(reading->has_value()) << "the first segment's index is not in memory";
  ASSERT_FALSE(retaining->has_value());
  ASSERT_TRUE(world_.disk().rename("/data/t-0", "/data/t-0-delete").has_value());
  EXPECT_EQ(world_.get(reading).error, ErrorCode::NOT_LEADER_OR_FOLLOWER);
  EXPECT_THAT(world_.get(retaining), IsEmpty());
  EXPECT_THAT(world_.run(Partition::retain(partition_, world_.wall_now())), IsEmpty());
  EXPECT_EQ(offline_, 0) << "a missing name would be a failed disk";
}

TEST_F(Partitioned, what_clients_send_is_checked_and_what_a_coordinator_writes_is_not_limited) {
  PartitionSettings settings;
  settings.max_message_bytes = 200;
  lead(settings);
  Bytes large = make_records(1, world_.wall_now(), 500);
  Appended refused = append_bytes(Bytes::copy(large.view()));
  EXPECT_EQ(refused.error, ErrorCode::MESSAGE_TOO_LARGE);
  EXPECT_EQ(refused.log_start_offset, kNoOffset);
  std::string damaged(make_records(1, world_.wall_now()).text());
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  EXPECT_EQ(append_bytes(Bytes::copy(damaged)).error, ErrorCode::CORRUPT_MESSAGE);
  EXPECT_EQ(high_watermark(), 0);
  EXPECT_EQ(append_bytes(std::move(large), Origin::kCoordinator).error, ErrorCode::NONE);
}

TEST_F(Partitioned, appends_of_one_turn_share_a_write_and_keep_their_order) {
  lead();
  append(1);
  std::uint64_t before = world_.disk().room_calls();
  std::vector<Answer<Appended>> started;
  for (int i = 0; i < 5; ++i) started.push_back(start_append(2, WaitFor::kCommitted));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(world_.get(started[static_cast<std::size_t>(i)]).base_offset, Offset(1 + 2 * i));
  EXPECT_EQ(world_.disk().room_calls() - before, 1u);
}

TEST_F(Partitioned, a_full_disk_refuses_all_appends_of_a_turn) {
  lead();
  append(1);
  world_.disk().no_room_at(world_.disk().room_calls(), 1);
  std::vector<Answer<Appended>> started;
  for (int i = 0; i < 3; ++i) started.push_back(start_append(2));
  for (auto& one : started) EXPECT_EQ(world_.get(one).error, ErrorCode::KAFKA_STORAGE_ERROR);
  EXPECT_EQ(append(1).base_offset, Offset(1));
}

TEST_F(Partitioned, an_append_that_waits_for_its_turn_is_refused_when_leadership_goes) {
  lead();
  Answer<Appended> answer;
  AppendOptions options;
  world_.call([&] {
    answer = world_.start(Partition::append(partition_, make_records(1, world_.wall_now()), options, &scratch_));
    partition_->stand_down();
  });
  EXPECT_EQ(world_.get(answer).error, ErrorCode::NOT_LEADER_OR_FOLLOWER);
}

TEST_F(Partitioned, a_failed_write_takes_it_offline_and_tells_so_once) {
  lead();
  append(1);
  world_.disk().faults().write_error_one_in = 1;
  EXPECT_EQ(append(1).error, ErrorCode::KAFKA_STORAGE_ERROR);
  world_.disk().faults().write_error_one_in = 0;
  EXPECT_EQ(append(1).error, ErrorCode::KAFKA_STORAGE_ERROR) << "never tried again";
  EXPECT_EQ(read(from(0)).error, ErrorCode::KAFKA_STORAGE_ERROR);
  EXPECT_EQ(offline_, 1);
}

TEST_F(Partitioned, a_failed_flush_answers_whoever_waits_for_it) {
  lead_with_slow_flushes(1);
  CountingWatch watch;
  world_.call([&] { partition_->add_watch(watch); });
  world_.disk().fail_next_sync(".log");
  EXPECT_EQ(append(1, WaitFor::kCommitted).error, ErrorCode::KAFKA_STORAGE_ERROR);
  EXPECT_EQ(offline_, 1);
  EXPECT_EQ(watch.woken, 1);
  EXPECT_EQ(high_watermark(), 0);
}

TEST_F(Partitioned, a_full_disk_refuses_the_append_and_nothing_else) {
  lead();
  append(1);
  world_.disk().no_room_at(world_.disk().room_calls(), 1);
  EXPECT_EQ(append(1).error, ErrorCode::KAFKA_STORAGE_ERROR);
  EXPECT_EQ(offline_, 0);
  EXPECT_THAT(read(from(0)).records, Not(IsEmpty()));
  EXPECT_EQ(append(1).base_offset, Offset(1));
}

}  // namespace
}  // namespace milena::replica
