// The coordinator on partitions of __consumer_offsets: which groups it answers for, what it loads, when it replies.
// What the groups themselves do has its tests in `group`.
#include "replica/group_coordinator.h"

#include <gmock/gmock.h>

#include "group/partition.h"
#include "replica/group_replay.h"
#include "replica/testing/replica_world.h"
#include "wire/control_record.h"

namespace milena::replica {
namespace {

using ::testing::ElementsAre;
using wire::ErrorCode;

constexpr BrokerId kSelf{1};
constexpr int kShards = 3;
const std::string kOffsets = "__consumer_offsets";

TopicIdPartition id_of(PartitionId partition) { return {kTopic, partition}; }

image::Image image_with(BrokerId leader, Epoch epoch = Epoch(0)) {
  image::Image image;
  image::Topic topic;
  topic.name = kOffsets;
  topic.id = kTopic;
  for (int i = 0; i < kShards; ++i) {
    image::Partition partition;
    partition.replicas = partition.isr = {leader};
    partition.leader = leader;
    partition.leader_epoch = epoch;
    topic.partitions.insert(PartitionId(i), image::Cow<image::Partition>(partition));
  }
  image.topics.insert(kTopic, image::Cow<image::Topic>(topic));
  image.topic_ids.insert(kOffsets, kTopic);
  return image;
}

class Coordinator : public ::testing::Test {
 protected:
  void TearDown() override { world_.restart(); }

  void add_partitions(const PartitionSettings& settings = {}) {
    for (int i = 0; i < kShards; ++i) add_partition(PartitionId(i), settings);
  }
  void add_partition(PartitionId index, const PartitionSettings& settings = {}) {
    LoopPartitions& there = partitions_->owning(id_of(index));
    auto partition = make_partition(world_, there.loop(), id_of(index), kOffsets, settings);
    world_.call_on(there.loop(), [&there, partition] {
      there.add(partition);
      partition->lead(Epoch(0));
    });
  }
  void follow(const image::Image& image, const std::set<TopicIdPartition>& unserved = {}) {
    world_.call([&] { coordinator_->on_image(image, kSelf, unserved); });
  }
  void load() { world_.run(coordinator_->wait_loaded(Instant::never())); }
  void lead_all(const PartitionSettings& settings = {}) {
    add_partitions(settings);
    follow(image_with(kSelf));
    load();
  }
  // Every record must reach the disk before it is committed, which takes five minutes from here on.
  void lead_all_with_slow_disk() {
    PartitionSettings strict;
    strict.log.flush_messages = 1;
    lead_all(strict);
    world_.disk().faults().slow = 5min;
  }
  ErrorCode check(const std::string& group = "g") const { return coordinator_->check(group); }

  static GroupCoordinator::Step commit_step(const std::string& group, std::int64_t offset) {
    wire::OffsetCommitRequest request;
    request.group_id = group;
    request.generation_id_or_member_epoch = -1;
    auto& topic = request.topics.emplace_back();
    topic.name = "orders";
    topic.partitions.emplace_back().committed_offset = offset;
    return [request](group::Groups& groups, const group::RequestInfo& info, group::Now now) {
      return groups.offset_commit(request, info, now);
    };
  }
  static group::RequestInfo info() {
    group::RequestInfo info;
    info.api_version = 8;
    return info;
  }
  static io::Task<GroupCoordinator::Outcome> settle_and_ask(GroupCoordinator* coordinator, std::string group,
                                                            group::RequestInfo info, GroupCoordinator::Step step) {
    co_await coordinator->settle(group);
    co_return co_await coordinator->request(group, info, step);
  }
  Answer<GroupCoordinator::Outcome> start_commit(const std::string& group, std::int64_t offset) {
    return world_.start(coordinator_->request(group, info(), commit_step(group, offset)));
  }
  ErrorCode commit(const std::string& group, std::int64_t offset) {
    GroupCoordinator::Outcome outcome = world_.get(start_commit(group, offset));
    if (outcome.error != ErrorCode::NONE) return outcome.error;
    const auto& response = std::get<wire::OffsetCommitResponse>(*outcome.body);
    return wire::error_code_from(response.topics.at(0).partitions.at(0).error_code);
  }
  static std::int64_t offset_in(const group::Groups& groups, const std::string& group, bool stable = false) {
    wire::OffsetFetchRequest::OffsetFetchRequestGroup request;
    request.group_id = group;
    auto& topic = request.topics.emplace().emplace_back();
    topic.name = "orders";
    topic.partition_indexes = {0};
    return groups.offset_fetch(request, stable).topics.at(0).partitions.at(0).committed_offset;
  }
  Answer<ErrorCode> start_read(const std::string& group, std::int64_t* offset) {
    auto read = [group, offset](const group::Groups& groups) { *offset = offset_in(groups, group); };
    return world_.start(coordinator_->read(group, std::move(read)));
  }
  std::int64_t committed(const std::string& group) {
    std::int64_t offset = -2;
    EXPECT_EQ(world_.get(start_read(group, &offset)), ErrorCode::NONE);
    return offset;
  }
  PartitionId shard_of(const std::string& group) const { return group::partition_for(group, kShards); }

  ReplicaWorld world_{2};
  std::unique_ptr<Partitions> partitions_ = std::make_unique<Partitions>(world_.runtime());
  std::unique_ptr<GroupCoordinator> coordinator_ =
      std::make_unique<GroupCoordinator>(world_.loop(), *partitions_, GroupCoordinatorOptions{});
};

TEST_F(Coordinator, there_is_none_before_the_topic_is_there) {
  EXPECT_EQ(coordinator_->partition_of("g"), std::nullopt);
  EXPECT_EQ(check(), ErrorCode::COORDINATOR_NOT_AVAILABLE);
  follow(image::Image());
  EXPECT_EQ(check(), ErrorCode::COORDINATOR_NOT_AVAILABLE);
  follow(image_with(BrokerId(2)));
  EXPECT_EQ(coordinator_->partition_of("g"), group::partition_for("g", kShards));
  EXPECT_EQ(check(), ErrorCode::NOT_COORDINATOR) << "another broker leads it";
}

TEST_F(Coordinator, serves_once_the_partition_is_open_and_read) {
  follow(image_with(kSelf));
  world_.run_for(1s);
  EXPECT_EQ(check(), ErrorCode::COORDINATOR_LOAD_IN_PROGRESS) << "its log is still being opened";
  EXPECT_EQ(commit("g", 1), ErrorCode::COORDINATOR_LOAD_IN_PROGRESS);
  add_partitions();
  load();
  EXPECT_EQ(check(), ErrorCode::NONE);
  EXPECT_THAT(coordinator_->partitions().value(), ElementsAre(PartitionId(0), PartitionId(1), PartitionId(2)));
}

TEST_F(Coordinator, a_log_that_its_disk_does_not_give_is_no_matter_of_waiting) {
  LoopPartitions& there = partitions_->owning(id_of(shard_of("g")));
  world_.call_on(there.loop(), [&] { there.refuse(id_of(shard_of("g"))); });
  follow(image_with(kSelf));
  world_.run_for(1s);
  EXPECT_EQ(check(), ErrorCode::COORDINATOR_NOT_AVAILABLE);
  add_partitions();
  load();
  EXPECT_EQ(check(), ErrorCode::NONE);
}

TEST_F(Coordinator, what_is_led_by_name_only_has_no_coordinator) {
  lead_all();
  follow(image_with(kSelf), {id_of(shard_of("g"))});
  EXPECT_EQ(check(), ErrorCode::NOT_COORDINATOR);
  EXPECT_EQ(coordinator_->partitions().value().size(), 2u);
}

TEST_F(Coordinator, a_new_coordinator_loads_what_the_last_one_wrote) {
  lead_all();
  for (int i = 0; i < 8; ++i) ASSERT_EQ(commit("g" + std::to_string(i), 100 + i), ErrorCode::NONE);
  ASSERT_EQ(commit("g3", 200), ErrorCode::NONE);
  follow(image_with(BrokerId(2), Epoch(1)));
  EXPECT_EQ(check("g3"), ErrorCode::NOT_COORDINATOR);
  follow(image_with(kSelf, Epoch(2)));
  load();
  for (int i = 0; i < 8; ++i) EXPECT_EQ(committed("g" + std::to_string(i)), i == 3 ? 200 : 100 + i);
  ASSERT_EQ(commit("g3", 300), ErrorCode::NONE);
  EXPECT_EQ(committed("g3"), 300);
}

TEST_F(Coordinator, a_new_leader_epoch_reads_the_log_again) {
  lead_all();
  follow(image_with(kSelf));
  EXPECT_EQ(check(), ErrorCode::NONE) << "nothing has changed";
  follow(image_with(kSelf, Epoch(1)));
  EXPECT_EQ(check(), ErrorCode::COORDINATOR_LOAD_IN_PROGRESS);
  load();
  EXPECT_EQ(check(), ErrorCode::NONE);
}

TEST_F(Coordinator, replies_and_reads_wait_for_the_commit) {
  lead_all_with_slow_disk();
  auto outcome = start_commit("g", 7);
  std::int64_t offset = -2;
  world_.run_for(1s);
  auto read = start_read("g", &offset);
  world_.run_for(1s);
  EXPECT_FALSE(outcome->has_value()) << "a power loss would take it back";
  EXPECT_EQ(offset, 7);
  EXPECT_FALSE(read->has_value()) << "so would it what was read";
  GroupCoordinator::Outcome done = world_.get(outcome);
  EXPECT_TRUE(done.body.has_value());
  EXPECT_EQ(world_.get(read), ErrorCode::NONE);
}

TEST_F(Coordinator, whoever_waits_when_the_partition_is_lost_is_told) {
  lead_all_with_slow_disk();
  auto outcome = start_commit("g", 7);
  world_.run_for(1s);
  follow(image_with(BrokerId(2), Epoch(1)));
  EXPECT_EQ(world_.get(outcome).error, ErrorCode::NOT_COORDINATOR);
}

TEST_F(Coordinator, an_append_that_fails_changes_nothing) {
  lead_all();
  ASSERT_EQ(commit("g", 7), ErrorCode::NONE);
  world_.disk().no_room_at(world_.disk().room_calls(), 1);
  EXPECT_EQ(commit("g", 8), ErrorCode::NOT_COORDINATOR);
  EXPECT_EQ(committed("g"), 7);
  EXPECT_EQ(commit("g", 9), ErrorCode::NONE);
  EXPECT_EQ(committed("g"), 9);
}

TEST_F(Coordinator, after_a_stop_it_answers_nobody) {
  lead_all();
  world_.call([&] { coordinator_->stop(); });
  EXPECT_EQ(check(), ErrorCode::NOT_COORDINATOR);
  EXPECT_EQ(coordinator_->partitions().error(), ErrorCode::COORDINATOR_NOT_AVAILABLE);
  follow(image_with(kSelf, Epoch(1)));
  EXPECT_EQ(check(), ErrorCode::NOT_COORDINATOR) << "the metadata does not bring it back";
}

TEST_F(Coordinator, offsets_that_could_not_be_expired_for_want_of_room_are_tried_again) {
  lead_all();
  world_.run_for(1min);  // so that it is not due at the first look after seven days, but at the second
  ASSERT_EQ(commit("g", 7), ErrorCode::NONE);
  world_.run_for(std::chrono::hours(168));
  EXPECT_EQ(committed("g"), 7);
  world_.disk().no_room_at(world_.disk().room_calls(), 1);
  world_.run_for(10min);
  EXPECT_EQ(committed("g"), 7) << "the disk was full";
  world_.run_for(10min);
  EXPECT_EQ(committed("g"), -1);
}

TEST_F(Coordinator, a_shard_that_is_still_loaded_forgets_deleted_topics_afterwards) {
  lead_all();
  ASSERT_EQ(commit("g", 7), ErrorCode::NONE);
  follow(image_with(kSelf, Epoch(1)));
  world_.call([&] { coordinator_->topics_deleted({{Uuid{8, 8}, "orders"}}); });
  EXPECT_NE(check(), ErrorCode::NONE) << "the test is too late";
  load();
  world_.run_for(1s);
  EXPECT_EQ(committed("g"), -1);
}

TEST_F(Coordinator, many_tombstones_fit_into_small_segments) {
  PartitionSettings small;
  small.log.segment_bytes = 1 << 20;
  lead_all(small);
  constexpr std::int32_t kPartitions = 30'000;
  wire::OffsetCommitRequest request;
  request.group_id = "g";
  request.generation_id_or_member_epoch = -1;
  std::string name(40, 't');
  for (std::int32_t from = 0; from < kPartitions; from += 5000) {
    request.topics.clear();
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    for (std::int32_t i = 0; i < 5000; ++i) topic.partitions.emplace_back().partition_index = from + i;
    auto step = [request](group::Groups& groups, const group::RequestInfo& info, group::Now now) {
      return groups.offset_commit(request, info, now);
    };
    ASSERT_EQ(world_.get(world_.start(coordinator_->request("g", info(), step))).error, ErrorCode::NONE);
  }
  world_.call([&] { coordinator_->topics_deleted({{Uuid{8, 8}, name}}); });
  world_.run_for(1s);
  std::size_t left = SIZE_MAX;
  wire::OffsetFetchRequest::OffsetFetchRequestGroup all;
  all.group_id = "g";
  all.topics.reset();
  auto read = [&](const group::Groups& groups) { left = groups.offset_fetch(all, false).topics.size(); };
  EXPECT_EQ(world_.get(world_.start(coordinator_->read("g", read))), ErrorCode::NONE);
  EXPECT_EQ(left, 0u);
}

// Who waits for a static member's session to end by its own clock must not be told that the group has members.
TEST_F(Coordinator, a_session_that_has_ended_is_over_for_third_parties_at_once) {
  lead_all();
  wire::JoinGroupRequest join;
  join.group_id = "g";
  join.group_instance_id = "i";
  join.session_timeout_ms = 6000;
  join.rebalance_timeout_ms = 60'000;
  join.protocol_type = "consumer";
  join.protocols.emplace_back().name = "range";
  auto join_step = [join](group::Groups& groups, const group::RequestInfo& info, group::Now now) {
    return groups.join_group(join, info, now);
  };
  auto joined = world_.get(world_.start(coordinator_->request("g", info(), join_step)));
  ASSERT_EQ(std::get<wire::JoinGroupResponse>(*joined.body).error_code, 0);

  wire::DeleteGroupsRequest request;
  request.groups_names = {"g"};
  auto remove = [request](group::Groups& groups, const group::RequestInfo& info, group::Now) {
    return groups.delete_groups(request, info);
  };
  auto removed = [&] {
    GroupCoordinator::Outcome outcome = world_.get(world_.start(coordinator_->request("g", info(), remove)));
    return wire::error_code_from(std::get<wire::DeleteGroupsResponse>(*outcome.body).results.at(0).error_code);
  };
  world_.run(coordinator_->settle("g"));
  EXPECT_EQ(removed(), ErrorCode::NON_EMPTY_GROUP) << "its session goes on";
  // While the machine stands still the session ends and the request comes, which is looked at before the timers.
  auto settled_and_removed = world_.start(settle_and_ask(coordinator_.get(), "g", info(), remove));
  world_.pause(7s);
  GroupCoordinator::Outcome outcome = world_.get(settled_and_removed);
  const auto& results = std::get<wire::DeleteGroupsResponse>(*outcome.body).results;
  EXPECT_EQ(wire::error_code_from(results.at(0).error_code), ErrorCode::NONE);
  world_.run(coordinator_->settle("elsewhere"));
}

// Replay of what a read returned.

class Replay : public Coordinator {
 protected:
  static Bytes batch(Offset base, std::int64_t committed, ProducerId transaction = kNoProducer,
                     wire::Codec codec = wire::Codec::kNone) {
    wire::BatchOptions options;
    options.base_offset = base;
    options.codec = codec;
    if (transaction != kNoProducer) {
      options.producer_id = transaction;
      options.producer_epoch = 0;
      options.base_sequence = 0;
      options.transactional = true;
    }
    wire::OffsetCommitValue value;
    value.offset = committed;
    group::GroupRecord record = group::make_offset_record("g", "orders", PartitionId(0), value);
    wire::BatchBuilder builder(options);
    builder.append(Timestamp(1000), record.key.view(), record.value->view());
    return builder.build();
  }
  Offset replay(std::string_view bytes, Offset from = Offset(0)) {
    return replay_group_records(world_.loop().log(), groups_, as_bytes(bytes), from, scratch_);
  }
  group::Groups groups_{group::GroupOptions{}, [] { return Uuid{1, 1}; }};
  wire::CompressionScratch scratch_;
};

TEST_F(Replay, leaves_out_a_batch_that_is_cut_short) {
  std::string bytes(batch(Offset(0), 10).text());
  std::string second(batch(Offset(1), 20).text());
  EXPECT_EQ(replay(bytes + second.substr(0, second.size() - 1)), Offset(1));
  EXPECT_EQ(offset_in(groups_, "g"), 10);
  EXPECT_EQ(replay(second, Offset(1)), Offset(2));
  EXPECT_EQ(offset_in(groups_, "g"), 20);
  EXPECT_EQ(replay("", Offset(2)), Offset(2));
}

TEST_F(Replay, does_not_apply_again_what_lies_before_the_start) {
  std::string bytes = std::string(batch(Offset(0), 10).text()) + std::string(batch(Offset(1), 20).text());
  replay(bytes);
  replay(batch(Offset(0), 10).text(), Offset(2));
  EXPECT_EQ(offset_in(groups_, "g"), 20);
}

TEST_F(Replay, reads_compressed_batches) {
  replay(batch(Offset(0), 10, kNoProducer, wire::Codec::kGzip).text());
  EXPECT_EQ(offset_in(groups_, "g"), 10);
}

TEST_F(Replay, ends_transactions_as_their_markers_say) {
  auto marker = [](Offset at, bool commit) {
    return wire::make_end_txn_batch({commit, 0, ProducerId(77), 0}, at, Epoch(0), Timestamp(2000));
  };
  replay(batch(Offset(0), 10).text());
  replay(batch(Offset(1), 20, ProducerId(77)).text(), Offset(1));
  EXPECT_EQ(offset_in(groups_, "g"), 10) << "not before the end of the transaction";
  EXPECT_EQ(replay(marker(Offset(2), false).text(), Offset(2)), Offset(3));
  EXPECT_EQ(offset_in(groups_, "g", true), 10);
  replay(batch(Offset(3), 30, ProducerId(77)).text(), Offset(3));
  replay(marker(Offset(4), true).text(), Offset(4));
  EXPECT_EQ(offset_in(groups_, "g", true), 30);
}

}  // namespace
}  // namespace milena::replica
