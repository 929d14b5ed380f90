#include "meta/brokers.h"

#include <gtest/gtest.h>

#include "meta/directories.h"
#include "meta/producer_ids.h"
#include "meta/snapshot_policy.h"
#include "meta/testing.h"

namespace milena::meta {
namespace {

using wire::ErrorCode;
using Types = std::vector<std::string_view>;

std::int16_t number(ErrorCode code) { return wire::to_int16(code); }

TEST(Activation, BootstrapsAnEmptyLogWithinATransaction) {
  World world;
  EXPECT_EQ(types(world.log),
            (Types{"BeginTransactionRecord", "FeatureLevelRecord", "FeatureLevelRecord", "FeatureLevelRecord",
                   "FeatureLevelRecord", "FeatureLevelRecord", "FeatureLevelRecord", "ConfigRecord",
                   "EndTransactionRecord"}));
  EXPECT_EQ(std::get<wire::BeginTransactionRecord>(world.log[0].message).name, "Bootstrap records");
  EXPECT_EQ(world.image().metadata_version().level, 30);
  EXPECT_TRUE(world.image().elr_enabled());
  EXPECT_EQ(*world.image().config(image::ResourceType::kBroker, "", "min.insync.replicas"), "1");
  std::size_t before = world.log.size();
  world.restart();
  EXPECT_EQ(world.log.size(), before);
}

TEST(Activation, AbortsATransactionThatWasLeftOpen) {
  World world;
  auto records = activation_records(world.image(), true, default_bootstrap(), world.settings);
  EXPECT_EQ(types(records), Types{"AbortTransactionRecord"});
  records = activation_records(image::Image(), true, default_bootstrap(), world.settings);
  EXPECT_EQ(types(records).at(0), "AbortTransactionRecord");
  EXPECT_EQ(records.size(), 10U);
}

TEST(Registration, EpochIsTheOffsetAndTheBrokerStartsFenced) {
  World world;
  auto epoch = world.next().value();
  EXPECT_EQ(world.register_broker(1, 1).broker_epoch, epoch);
  EXPECT_TRUE(world.image().broker(BrokerId(1))->fenced);
  EXPECT_EQ(world.log.back().version, 4);
  EXPECT_FALSE(world.heartbeat(1).is_fenced);
  EXPECT_TRUE(world.image().active(BrokerId(1)));
}

TEST(Registration, AnotherIncarnationWaitsForTheSessionToEnd) {
  World world;
  world.start_broker(1, 1);
  EXPECT_EQ(world.register_broker(1, 2).error_code, number(ErrorCode::DUPLICATE_BROKER_REGISTRATION));
  world.now = world.now + 8s;
  EXPECT_EQ(world.register_broker(1, 2).error_code, number(ErrorCode::DUPLICATE_BROKER_REGISTRATION));
  world.now = world.now + 2s;
  EXPECT_EQ(world.register_broker(1, 2).error_code, 0);
}

TEST(Registration, TheSameIncarnationKeepsItsEpoch) {
  World world;
  world.start_broker(1, 1);
  auto epoch = world.image().broker(BrokerId(1))->broker_epoch;
  EXPECT_EQ(world.register_broker(1, 1).broker_epoch, epoch);
  EXPECT_FALSE(world.image().broker(BrokerId(1))->fenced);
}

TEST(Registration, RefusesWhatDoesNotFit) {
  World world;
  wire::BrokerRegistrationRequest request;
  request.broker_id = 1;
  request.cluster_id = "other";
  auto error = [&] { return register_broker(world.context(), request).response.error_code; };
  EXPECT_EQ(error(), number(ErrorCode::INCONSISTENT_CLUSTER_ID));
  request.cluster_id = "cluster";
  EXPECT_EQ(error(), number(ErrorCode::INVALID_REGISTRATION));  // no directories
  request.log_dirs = {Uuid{0, 5}};
  EXPECT_EQ(error(), number(ErrorCode::INVALID_REGISTRATION));  // reserved
  request.log_dirs = {Uuid{3, 3}};
  EXPECT_EQ(error(), number(ErrorCode::INVALID_REGISTRATION));  // no metadata.version
  auto& feature = request.features.emplace_back();
  feature.name = "metadata.version";
  feature.min_supported_version = 7;
  feature.max_supported_version = 29;
  EXPECT_EQ(error(), number(ErrorCode::UNSUPPORTED_VERSION));
  feature.max_supported_version = 30;
  EXPECT_EQ(error(), number(ErrorCode::UNSUPPORTED_VERSION));  // other finalized features not named
  world.start_broker(2);
  request.log_dirs = {Uuid{100, 2}};
  EXPECT_EQ(error(), number(ErrorCode::INVALID_REGISTRATION));  // broker 2's directory
}

TEST(Heartbeat, UnfencesOnlyWhoHasReadItsRegistration) {
  World world;
  world.register_broker(1, 1);
  wire::BrokerHeartbeatRequest request;
  request.broker_id = 1;
  request.broker_epoch = world.image().broker(BrokerId(1))->broker_epoch;
  request.current_metadata_offset = world.next().value() - 2;
  auto decision = broker_heartbeat(world.context(), request);
  EXPECT_TRUE(decision.response.is_fenced);
  EXPECT_FALSE(decision.response.is_caught_up);
  request.current_metadata_offset = world.next().value() - 1;
  decision = broker_heartbeat(world.context(), request);
  EXPECT_FALSE(decision.response.is_fenced);
  ASSERT_EQ(types(decision.records), Types{"BrokerRegistrationChangeRecord"});
  EXPECT_EQ(decision.records[0].version, 0);
  EXPECT_EQ(std::get<wire::BrokerRegistrationChangeRecord>(decision.records[0].message).fenced, -1);
  request.broker_epoch += 1;
  EXPECT_EQ(broker_heartbeat(world.context(), request).response.error_code, number(ErrorCode::STALE_BROKER_EPOCH));
}

TEST(Heartbeat, NotesCordonedDirectories) {
  World world;
  world.register_broker(1, 1);
  wire::BrokerHeartbeatRequest request;
  request.broker_id = 1;
  request.broker_epoch = world.image().broker(BrokerId(1))->broker_epoch;
  request.current_metadata_offset = -1;
  request.cordoned_log_dirs.emplace();
  auto decision = broker_heartbeat(world.context(), request);
  ASSERT_EQ(types(decision.records), Types{"BrokerRegistrationChangeRecord"});
  EXPECT_EQ(decision.records[0].version, 3);
  world.append(decision.records);
  EXPECT_TRUE(broker_heartbeat(world.context(), request).records.empty());
}

/// What Kafka 4.3.1 wrote at a clean stop of its only node and at the next start.
TEST(Lifecycle, CleanStopAndStartOfTheOnlyBroker) {
  World world;
  world.start_broker(1, 1);
  world.create("foo", 2);
  std::size_t at = world.log.size();
  EXPECT_FALSE(world.heartbeat(1, true).should_shut_down);
  EXPECT_EQ(types(world.log, at),
            (Types{"BrokerRegistrationChangeRecord", "PartitionChangeRecord", "PartitionChangeRecord"}));
  EXPECT_EQ(world.log[at].version, 1);
  const auto& change = std::get<wire::PartitionChangeRecord>(world.log[at + 1].message);
  EXPECT_EQ(change.leader, -1);
  EXPECT_EQ(change.isr, std::vector<std::int32_t>());
  EXPECT_EQ(change.eligible_leader_replicas, std::vector<std::int32_t>{1});
  EXPECT_EQ(change.last_known_elr, std::vector<std::int32_t>{1});
  at = world.log.size();
  EXPECT_TRUE(world.heartbeat(1, true).should_shut_down);
  EXPECT_EQ(types(world.log, at), Types{"BrokerRegistrationChangeRecord"});

  auto epoch = world.image().broker(BrokerId(1))->broker_epoch;
  world.restart();
  at = world.log.size();
  world.register_broker(1, 2, epoch);
  EXPECT_EQ(types(world.log, at), Types{"RegisterBrokerRecord"});
  world.heartbeat(1);
  const auto& elected = std::get<wire::PartitionChangeRecord>(world.log[at + 2].message);
  EXPECT_EQ(elected.leader, 1);
  EXPECT_EQ(elected.isr, std::vector<std::int32_t>{1});
  EXPECT_EQ(elected.eligible_leader_replicas, std::vector<std::int32_t>());
  EXPECT_EQ(elected.last_known_elr, std::vector<std::int32_t>());
  EXPECT_EQ(elected.leader_recovery_state, -1);
  EXPECT_EQ(world.partition("foo").leader_epoch, Epoch(2));
}

/// The same after kill -9: the session must end first, then the ELR is cleared and the last known leader recovers.
TEST(Lifecycle, UncleanStartOfTheOnlyBroker) {
  World world;
  world.start_broker(1, 1);
  world.create("foo", 1);
  auto epoch = world.image().broker(BrokerId(1))->broker_epoch;
  world.restart();
  EXPECT_EQ(world.register_broker(1, 2).error_code, number(ErrorCode::DUPLICATE_BROKER_REGISTRATION));
  world.now = world.controller->next_deadline();
  world.now = world.now + 10s;
  std::size_t at = world.log.size();
  world.append(world.controller->advance(world.next(), world.now));
  EXPECT_EQ(types(world.log, at), (Types{"PartitionChangeRecord", "BrokerRegistrationChangeRecord"}));
  EXPECT_EQ(world.partition("foo").elr, ids({1}));
  at = world.log.size();
  world.register_broker(1, 2);
  EXPECT_EQ(types(world.log, at), (Types{"PartitionChangeRecord", "RegisterBrokerRecord"}));
  EXPECT_EQ(world.image().broker(BrokerId(1))->broker_epoch, static_cast<std::int64_t>(at));
  EXPECT_GT(world.image().broker(BrokerId(1))->broker_epoch, epoch);
  EXPECT_TRUE(world.partition("foo").elr.empty());
  world.heartbeat(1);
  EXPECT_EQ(world.partition("foo").leader, BrokerId(1));
  EXPECT_EQ(world.partition("foo").leader_recovery_state, image::LeaderRecoveryState::kRecovering);
  EXPECT_TRUE(world.partition("foo").last_known_elr.empty());
}

TEST(Lifecycle, ControlledShutdownWaitsForTheOthersToRead) {
  World world;
  world.start_broker(1);
  world.start_broker(2);
  world.create("foo", 4, 2);
  world.heartbeat(1);
  EXPECT_FALSE(world.heartbeat(2, true).should_shut_down);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(world.partition("foo", i).leader, BrokerId(1));
  EXPECT_FALSE(world.heartbeat(2, true).should_shut_down);  // broker 1 has not read the changes yet
  world.heartbeat(1);
  EXPECT_TRUE(world.heartbeat(2, true).should_shut_down);
  EXPECT_EQ(world.register_broker(2, 9).error_code, 0);  // its session is over
}

TEST(Sessions, AdvanceFencesAndWritesNoOps) {
  World world;
  world.start_broker(1);
  world.start_broker(2);
  world.create("foo", 1, 2);
  world.now = world.now + 400ms;
  EXPECT_TRUE(world.controller->advance(world.next(), world.now).empty());
  world.now = world.now + 100ms;
  EXPECT_EQ(types(world.controller->advance(world.next(), world.now)), Types{"NoOpRecord"});
  EXPECT_TRUE(world.controller->advance(world.next(), world.now).empty());
  world.now = world.now + 5s;
  world.heartbeat(1);
  world.now = world.now + 4s;
  world.append(world.controller->advance(world.next(), world.now));
  EXPECT_FALSE(world.image().active(BrokerId(2)));
  EXPECT_TRUE(world.image().active(BrokerId(1)));
  EXPECT_EQ(world.partition("foo").isr, ids({1}));
}

TEST(Unregister, TakesTheBrokerOutOfEverything) {
  World world;
  world.start_broker(1);
  world.start_broker(2);
  world.create("foo", 2, 2);
  wire::UnregisterBrokerRequest request;
  request.broker_id = 2;
  auto decision = unregister_broker(world.context(), request);
  world.append(decision.records);
  EXPECT_EQ(world.image().broker(BrokerId(2)), nullptr);
  EXPECT_EQ(world.partition("foo", 1).isr, ids({1}));
  EXPECT_EQ(unregister_broker(world.context(), request).response.error_code,
            number(ErrorCode::BROKER_ID_NOT_REGISTERED));
}

TEST(ProducerIds, ComeInBlocks) {
  World world;
  world.start_broker(1);
  wire::AllocateProducerIdsRequest request;
  request.broker_id = 1;
  request.broker_epoch = world.image().broker(BrokerId(1))->broker_epoch;
  auto first = allocate_producer_ids(world.context(), request);
  EXPECT_EQ(first.response.producer_id_start, 0);
  world.append(first.records);
  auto second = allocate_producer_ids(world.context(), request);
  EXPECT_EQ(second.response.producer_id_start, 1000);
  EXPECT_EQ(second.response.producer_id_len, 1000);
  request.broker_epoch = 0;
  EXPECT_EQ(allocate_producer_ids(world.context(), request).response.error_code,
            number(ErrorCode::STALE_BROKER_EPOCH));
}

TEST(Directories, AreAssigned) {
  World world;
  world.start_broker(1);
  world.create("foo");
  wire::AssignReplicasToDirsRequest request;
  request.broker_id = 1;
  request.broker_epoch = world.image().broker(BrokerId(1))->broker_epoch;
  auto& directory = request.directories.emplace_back();
  directory.id = Uuid{100, 1};
  auto& topic = directory.topics.emplace_back();
  topic.topic_id = world.image().topic("foo")->id;
  topic.partitions.resize(2);
  topic.partitions[1].partition_index = 1;
  auto decision = assign_replicas_to_dirs(world.context(), request);
  EXPECT_TRUE(decision.records.empty());  // it is there already
  EXPECT_EQ(decision.response.directories[0].topics[0].partitions[1].error_code,
            number(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
  directory.id = Uuid{100, 77};  // not among the online ones
  world.append(assign_replicas_to_dirs(world.context(), request).records);
  EXPECT_EQ(world.partition("foo").directories, (std::vector<Uuid>{{100, 77}}));
  EXPECT_FALSE(world.partition("foo").has_leader());
}

TEST(SnapshotPolicy, ByBytesAndByTime) {
  Settings settings;
  settings.snapshot_bytes = 100;
  settings.snapshot_interval = 10s;
  SnapshotPolicy policy;
  EXPECT_FALSE(policy.due(settings, Instant(1000s)));
  policy.committed(99, Instant(1000s));
  EXPECT_FALSE(policy.due(settings, Instant(1009s)));
  EXPECT_TRUE(policy.due(settings, Instant(1010s)));
  policy.committed(1, Instant(1001s));
  EXPECT_TRUE(policy.due(settings, Instant(1001s)));
  policy.taken(Instant(1001s));
  EXPECT_EQ(policy.next_deadline(settings), Instant::never());
}

}  // namespace
}  // namespace milena::meta
