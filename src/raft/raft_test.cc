#include "raft/raft.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "raft/describe_quorum.h"
#include "raft/quorum_state.h"
#include "wire/error_code.h"

namespace milena::raft {
namespace {

constexpr BrokerId kSelf{1};
constexpr Uuid kDirectory{7, 7};
constexpr Now kNow{Instant(1s), Timestamp(1000)};

Voter voter(int id, Uuid directory) {
  return Voter{BrokerId(id), directory, {{"CONTROLLER", "localhost", 9093}}, 0, 1};
}

Config config() {
  Config config;
  config.node_id = kSelf;
  config.directory_id = kDirectory;
  return config;
}

/// A node as `format --standalone` leaves it.
Recovered formatted() {
  Recovered recovered;
  recovered.latest_snapshot = SnapshotId{};
  recovered.voters = VoterSet{1, {voter(1, kDirectory)}};
  return recovered;
}

TEST(Raft, AFormattedNodeLeadsEpochOneAndWritesItsVoters) {
  Raft raft(config(), formatted());
  Effects effects = raft.step(kNow, Start{});
  ASSERT_TRUE(effects.write_quorum_state.has_value());
  EXPECT_EQ(format_quorum_state(*effects.write_quorum_state),
            R"({"leaderId":1,"leaderEpoch":1,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1})");
  ASSERT_EQ(effects.append.size(), 1U);
  EXPECT_TRUE(effects.append[0].control);
  auto batch = decode_batch(effects.append[0].batch);
  ASSERT_TRUE(batch.has_value()) << batch.error().message;
  ASSERT_EQ(batch->control.size(), 3U);
  const auto& change = std::get<wire::LeaderChangeMessage>(batch->control[0]);
  EXPECT_EQ(change.leader_id, 1);
  EXPECT_EQ(change.granting_voters.size(), 1U);
  EXPECT_EQ(std::get<wire::KRaftVersionRecord>(batch->control[1]).k_raft_version, 1);
  EXPECT_EQ(from_record(std::get<wire::VotersRecord>(batch->control[2]), 1), raft.voters());
  EXPECT_EQ(batch->epoch, Epoch(1));
  EXPECT_EQ(effects.new_role, Role::kLeader);
  EXPECT_TRUE(effects.sync_log);
  EXPECT_FALSE(effects.high_watermark.has_value());
  raft.check_invariants();
}

TEST(Raft, ARestartedNodeLeadsTheNextEpoch) {
  Recovered recovered = formatted();
  recovered.quorum_state = QuorumState{Epoch(4), kSelf, kNoBroker, {}, 1, {}};
  recovered.log_end = Offset(100);
  recovered.last_epoch = Epoch(4);
  recovered.voters_offset = Offset(2);
  Raft raft(config(), recovered);
  Effects effects = raft.step(kNow, Start{});
  EXPECT_EQ(raft.epoch(), Epoch(5));
  EXPECT_EQ(raft.epoch_start(), Offset(100));
  EXPECT_EQ(decode_batch(effects.append.at(0).batch)->control.size(), 1U);
}

TEST(Raft, EpochNeverFallsBehindTheLog) {
  Recovered recovered = formatted();
  recovered.quorum_state = QuorumState{Epoch(2), kSelf, kNoBroker, {}, 1, {}};
  recovered.log_end = Offset(10);
  recovered.last_epoch = Epoch(6);
  Raft raft(config(), recovered);
  raft.step(kNow, Start{});
  EXPECT_EQ(raft.epoch(), Epoch(7));
}

TEST(Raft, StaticVotersKeepTheOldFile) {
  Config config = raft::Config{kSelf, kDirectory, "", VoterSet{0, {voter(1, {})}}};
  Raft raft(config, Recovered{});
  Effects effects = raft.step(kNow, Start{});
  EXPECT_EQ(format_quorum_state(*effects.write_quorum_state),
            R"({"clusterId":"","leaderId":1,"leaderEpoch":1,"votedId":-1,"appliedOffset":0,)"
            R"("currentVoters":[{"voterId":1}],"data_version":0})");
  EXPECT_EQ(decode_batch(effects.append.at(0).batch)->control.size(), 1U);
}

TEST(Raft, ANodeAmongOthersDoesNotLead) {
  Recovered recovered = formatted();
  recovered.voters->voters.push_back(voter(2, {8, 8}));
  Raft raft(config(), recovered);
  EXPECT_FALSE(raft.step(kNow, Start{}).new_role.has_value());
  EXPECT_EQ(raft.step(kNow, Propose{{Bytes::copy("x")}}).rejected, Rejection::kNotLeader);
  // A voter on a wiped disk is not the voter it was.
  Raft wiped(Config{kSelf, Uuid{9, 9}, "", {}}, formatted());
  EXPECT_FALSE(wiped.step(kNow, Start{}).new_role.has_value());
}

TEST(Raft, CommitsWhatIsSyncedAndNotBefore) {
  Raft raft(config(), formatted());
  raft.step(kNow, Start{});
  Effects effects = raft.step(kNow, Propose{{Bytes::copy("a"), Bytes::copy("b")}});
  ASSERT_EQ(effects.append.size(), 1U);
  EXPECT_EQ(effects.append[0].base_offset, Offset(3));
  EXPECT_EQ(effects.append[0].last_offset, Offset(4));
  auto batch = decode_batch(effects.append[0].batch);
  ASSERT_TRUE(batch.has_value());
  EXPECT_EQ(batch->values.at(1), Bytes::copy("b"));
  EXPECT_EQ(batch->timestamp, Timestamp(1000));
  EXPECT_EQ(raft.high_watermark(), Offset(0));
  EXPECT_EQ(raft.step(kNow, LogSynced{Offset(3)}).high_watermark, Offset(3));
  EXPECT_FALSE(raft.step(kNow, LogSynced{Offset(3)}).high_watermark.has_value());
  EXPECT_EQ(raft.step(kNow, LogSynced{Offset(5)}).high_watermark, Offset(5));
  raft.check_invariants();
}

TEST(Raft, LargeProposalsAreSplitUnlessAtomic) {
  Raft raft(config(), formatted());
  raft.step(kNow, Start{});
  std::vector<Bytes> values(10, Bytes::copy(std::string(1000 * 1000, 'x')));
  EXPECT_EQ(raft.step(kNow, Propose{values, true}).rejected, Rejection::kTooLarge);
  Effects effects = raft.step(kNow, Propose{values, false});
  EXPECT_EQ(effects.append.size(), 10U);
  EXPECT_EQ(raft.log_end(), Offset(13));
}

TEST(Raft, AResignedLeaderTakesNothing) {
  Raft raft(config(), formatted());
  raft.step(kNow, Start{});
  EXPECT_EQ(raft.step(kNow, Resign{}).new_role, Role::kResigned);
  EXPECT_EQ(raft.step(kNow, Propose{{Bytes::copy("x")}}).rejected, Rejection::kNotLeader);
}

TEST(QuorumState, ReadsWhatItWritesAndRefusesTheRest) {
  QuorumState state{Epoch(3), BrokerId(2), BrokerId(1), Uuid{5, 6}, 1, {}};
  EXPECT_EQ(*parse_quorum_state(format_quorum_state(state)), state);
  QuorumState old{Epoch(3), BrokerId(2), kNoBroker, {}, 0, {BrokerId(1), BrokerId(2)}};
  EXPECT_EQ(*parse_quorum_state(format_quorum_state(old)), old);
  // NOLINTNEXTLINE(bugprone-suspicious-missing-comma) two of the lines are one text
  for (const char* text : {"", "{}", "{\"data_version\":1}", "[]", "{\"leaderId\":1,\"leaderEpoch\":1,\"votedId\":-1,"
                           "\"votedDirectoryId\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"data_version\":2}",
                           "{\"leaderId\":99999999999,\"leaderEpoch\":1,\"votedId\":-1,\"data_version\":0}"})
    EXPECT_TRUE(parse_quorum_state(text).failed()) << text;
  std::string text = format_quorum_state(old);
  for (std::size_t size = 0; size < text.size(); ++size) EXPECT_TRUE(parse_quorum_state(text.substr(0, size)).failed());
}

TEST(DescribeQuorum, TellsTheLeadersView) {
  Raft raft(config(), formatted());
  wire::DescribeQuorumRequest request;
  request.topics.emplace_back().topic_name = "__cluster_metadata";
  request.topics[0].partitions.emplace_back();
  EXPECT_EQ(describe_quorum(raft, request, Timestamp(5)).error_code,
            wire::to_int16(wire::ErrorCode::NOT_LEADER_OR_FOLLOWER));
  raft.step(kNow, Start{});
  raft.step(kNow, LogSynced{Offset(3)});
  auto response = describe_quorum(raft, request, Timestamp(5));
  const auto& data = response.topics.at(0).partitions.at(0);
  EXPECT_EQ(data.high_watermark, 3);
  EXPECT_EQ(data.leader_epoch, 1);
  EXPECT_EQ(data.current_voters.at(0).log_end_offset, 3);
  EXPECT_EQ(data.current_voters.at(0).last_caught_up_timestamp, 5);
  EXPECT_EQ(response.nodes.at(0).listeners.at(0).port, 9093);

  raft.step({kNow.instant, Timestamp(10)}, ReplicaFetched{BrokerId(7), Uuid{1, 7}, Offset(2)});
  raft.step({kNow.instant, Timestamp(20)}, ReplicaFetched{BrokerId(7), Uuid{1, 7}, Offset(3)});
  raft.step(kNow, Propose{{Bytes::copy("x")}});
  raft.step({kNow.instant, Timestamp(30)}, ReplicaFetched{BrokerId(7), Uuid{1, 7}, Offset(3)});
  response = describe_quorum(raft, request, Timestamp(30));
  ASSERT_EQ(response.topics.at(0).partitions.at(0).observers.size(), 1U);
  const auto& observer = response.topics[0].partitions[0].observers[0];
  EXPECT_EQ(observer.replica_id, 7);
  EXPECT_EQ(observer.log_end_offset, 3);
  EXPECT_EQ(observer.last_fetch_timestamp, 30);
  EXPECT_EQ(observer.last_caught_up_timestamp, 20);
  Timestamp later(31 + kObserverSessionMs);
  EXPECT_TRUE(describe_quorum(raft, request, later).topics.at(0).partitions.at(0).observers.empty());
  request.topics[0].topic_name = "other";
  EXPECT_EQ(describe_quorum(raft, request, Timestamp(5)).topics.at(0).partitions.at(0).error_code,
            wire::to_int16(wire::ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
}

}  // namespace
}  // namespace milena::raft
