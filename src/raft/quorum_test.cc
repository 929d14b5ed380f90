// Scripts for several machines without time or faults: one test for each thing that the quorum promises.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "raft/describe_quorum.h"
#include "raft/raft.h"

namespace milena::raft {
namespace {

using wire::ErrorCode;

Uuid directory_of(int id) {
  return Uuid{7, static_cast<std::uint64_t>(id)};
}

Voter voter_of(int id) {
  return Voter{BrokerId(id), directory_of(id), {{"CONTROLLER", "host", 9093}}, 0, 1};
}

VoterSet voters_of(std::initializer_list<int> ids) {
  VoterSet voters{1, {}};
  for (int id : ids) voters.voters.push_back(voter_of(id));
  return voters;
}

Config config_of(int id) {
  Config config;
  config.node_id = BrokerId(id);
  config.directory_id = directory_of(id);
  config.seed = static_cast<std::uint64_t>(id);
  return config;
}

Recovered formatted(const VoterSet& voters) {
  Recovered recovered;
  recovered.latest_snapshot = SnapshotId{};
  recovered.voters = voters;
  return recovered;
}

/// One machine with a hand on everything that goes in and out.
struct Node {
  explicit Node(int id, Recovered recovered) : raft(config_of(id), std::move(recovered)) { step(Start{}); }
  Node(Config config, Recovered recovered) : raft(std::move(config), std::move(recovered)) { step(Start{}); }

  Effects step(const Event& event) {
    Effects effects = raft.step(Now{now, Timestamp(1000 + to_ms(now.since_start()))}, event);
    raft.check_invariants();
    for (const Append& batch : effects.append) log.push_back(batch);
    if (effects.truncate_to.has_value())
      std::erase_if(log, [&](const Append& batch) { return batch.last_offset >= *effects.truncate_to; });
    for (const OutgoingRequest& out : effects.requests) sent[out.to] = out;
    for (const Reply& reply : effects.replies) replies[reply.id] = reply;
    return effects;
  }
  Effects sync() { return step(LogSynced{raft.log_end(), raft.truncations()}); }
  Effects pass(Duration time) {
    now = now + time;
    return step(Tick{});
  }
  /// The answer to a request, at once.
  Response ask(Request request) {
    std::uint64_t id = ++requests;
    step(RequestReceived{id, std::move(request)});
    EXPECT_TRUE(replies.contains(id));
    return replies[id].response;
  }
  template <class T>
  const T& last_to(int id) {
    return std::get<T>(sent.at(BrokerId(id)).request);
  }
  Effects answer(int from, Response response) {
    return step(ResponseReceived{BrokerId(from), sent.at(BrokerId(from)).correlation, std::move(response)});
  }
  /// Pre-vote and vote granted by the given nodes.
  void elect(std::initializer_list<int> by) {
    pass(5s);
    ASSERT_EQ(raft.role(), Role::kProspective);
    for (int id : by)
      if (raft.role() == Role::kProspective)
        answer(id, {ErrorCode::NONE, raft.epoch(), kNoBroker, VoteResponse{true}});
    ASSERT_EQ(raft.role(), Role::kCandidate);
    for (int id : by)
      if (raft.role() == Role::kCandidate)
        answer(id, {ErrorCode::NONE, raft.epoch(), kNoBroker, VoteResponse{true}});
    ASSERT_EQ(raft.role(), Role::kLeader);
  }
  void fetched(int by, Offset offset, Epoch last_epoch) {
    step(RequestReceived{
        ++requests,
        FetchRequest{raft.epoch(), {BrokerId(by), directory_of(by)}, offset, last_epoch, kNoOffset, 0}});
  }
  Bytes records_from(Offset offset) const {
    Buffer out;
    for (const Append& batch : log)
      if (batch.base_offset >= offset) out.append(batch.batch.view());
    return out.share(0, out.size());
  }

  Raft raft;
  Instant now{100s};
  std::vector<Append> log;
  std::map<BrokerId, OutgoingRequest> sent;
  std::map<std::uint64_t, Reply> replies;
  std::uint64_t requests = 0;
};

VoteRequest vote(int candidate, int voter, int epoch, int last_epoch, int log_end, bool pre_vote = false) {
  return {Epoch(epoch),
          {BrokerId(candidate), directory_of(candidate)},
          {BrokerId(voter), directory_of(voter)},
          Epoch(last_epoch),
          Offset(log_end),
          pre_vote};
}

bool granted(const Response& response) {
  const auto* vote = std::get_if<VoteResponse>(&response.body);
  return response.error == ErrorCode::NONE && vote != nullptr && vote->granted;
}

TEST(Election, AVoteIsOnDiskBeforeItIsTold) {
  Node node(1, formatted(voters_of({1, 2, 3})));
  Effects effects = node.step(RequestReceived{9, vote(2, 1, 1, 0, 0)});
  ASSERT_TRUE(effects.write_quorum_state.has_value());
  EXPECT_EQ(effects.write_quorum_state->voted_id, BrokerId(2));
  EXPECT_EQ(effects.write_quorum_state->voted_directory_id, directory_of(2));
  EXPECT_EQ(effects.write_quorum_state->leader_epoch, Epoch(1));
  EXPECT_TRUE(granted(node.replies[9].response));
  EXPECT_EQ(node.raft.role(), Role::kVoted);
}

TEST(Election, AVoterVotesOnceAnEpochAlsoAfterARestart) {
  Recovered recovered = formatted(voters_of({1, 2, 3}));
  recovered.quorum_state = QuorumState{Epoch(5), kNoBroker, BrokerId(2), directory_of(2), 1, {}};
  Node node(1, recovered);
  EXPECT_FALSE(granted(node.ask(vote(3, 1, 5, 0, 100))));
  EXPECT_TRUE(granted(node.ask(vote(2, 1, 5, 0, 100))));
  VoteRequest other_disk = vote(2, 1, 5, 0, 100);
  other_disk.candidate.directory_id = directory_of(9);
  EXPECT_FALSE(granted(node.ask(other_disk)));
  EXPECT_TRUE(granted(node.ask(vote(3, 1, 6, 0, 100))));
}

TEST(Election, NobodyLeadsWhoseLogIsBehind) {
  Recovered recovered = formatted(voters_of({1, 2, 3}));
  recovered.log_end = Offset(10);
  recovered.last_epoch = Epoch(3);
  recovered.voters_offset = Offset(2);
  Node node(1, recovered);
  EXPECT_FALSE(granted(node.ask(vote(2, 1, 4, 2, 50))));
  EXPECT_FALSE(granted(node.ask(vote(2, 1, 4, 3, 9))));
  EXPECT_TRUE(granted(node.ask(vote(2, 1, 4, 3, 10))));
}

TEST(Election, WhatAVoteRequestMayNotSay) {
  Node node(1, formatted(voters_of({1, 2, 3})));
  EXPECT_EQ(node.ask(vote(2, 1, 4, 4, 10)).error, ErrorCode::INVALID_REQUEST);
  EXPECT_EQ(node.ask(vote(2, 1, 4, -1, 10)).error, ErrorCode::INVALID_REQUEST);
  EXPECT_EQ(node.ask(vote(-1, 1, 4, 1, 10)).error, ErrorCode::INVALID_REQUEST);
  EXPECT_EQ(node.ask(vote(2, 3, 4, 1, 10)).error, ErrorCode::INVALID_VOTER_KEY);
  EXPECT_EQ(node.ask(vote(2, 1, 3, 1, 10)).error, ErrorCode::FENCED_LEADER_EPOCH);
  // A pre-vote asks in the epoch that the asking node is in, so its log may be of that epoch.
  EXPECT_TRUE(granted(node.ask(vote(2, 1, 4, 4, 10, true))));
}

// R10
TEST(Election, AVoterOnAWipedDiskDoesNotVoteAsItsOldSelf) {
  Config wiped = config_of(1);
  wiped.directory_id = directory_of(77);
  Node node(wiped, Recovered{});
  EXPECT_EQ(node.ask(vote(2, 1, 1, 0, 5)).error, ErrorCode::INVALID_VOTER_KEY);
  EXPECT_EQ(node.ask(vote(2, 1, 1, 0, 5, true)).error, ErrorCode::INVALID_VOTER_KEY);
  EXPECT_FALSE(voters_of({1, 2}).is_voter(BrokerId(1), directory_of(77)));
  EXPECT_FALSE(voters_of({1, 2}).is_voter(BrokerId(1), Uuid{}));
}

TEST(Election, APreVoteComesFirstAndBumpsNoEpoch) {
  Node node(1, formatted(voters_of({1, 2, 3})));
  node.pass(5s);
  EXPECT_EQ(node.raft.role(), Role::kProspective);
  EXPECT_EQ(node.raft.epoch(), Epoch(0));
  EXPECT_TRUE(node.last_to<VoteRequest>(2).pre_vote);
  node.answer(2, {ErrorCode::NONE, Epoch(0), kNoBroker, VoteResponse{false}});
  node.answer(3, {ErrorCode::NONE, Epoch(0), kNoBroker, VoteResponse{false}});
  EXPECT_EQ(node.raft.role(), Role::kUnattached);
  EXPECT_EQ(node.raft.epoch(), Epoch(0));
  node.pass(5s);
  Effects effects = node.answer(3, {ErrorCode::NONE, Epoch(0), kNoBroker, VoteResponse{true}});
  EXPECT_EQ(node.raft.role(), Role::kCandidate);
  EXPECT_EQ(effects.write_quorum_state->voted_id, BrokerId(1));
  EXPECT_EQ(effects.write_quorum_state->leader_epoch, Epoch(1));
  EXPECT_FALSE(node.last_to<VoteRequest>(3).pre_vote);
}

// R9
TEST(Election, AFollowerThatHasFetchedDoesNotHelpToDisturbItsLeader) {
  Node node(1, formatted(voters_of({1, 2, 3})));
  EXPECT_EQ(node.ask(BeginQuorumEpochRequest{Epoch(1), BrokerId(2), {}}).error, ErrorCode::NONE);
  ASSERT_EQ(node.raft.role(), Role::kFollower);
  EXPECT_TRUE(granted(node.ask(vote(3, 1, 1, 0, 0, true)))) << "it has not heard of the leader's log yet";
  node.answer(2, {ErrorCode::NONE, Epoch(1), BrokerId(2), FetchResponse{}});
  EXPECT_FALSE(granted(node.ask(vote(3, 1, 1, 0, 50, true))));
  EXPECT_FALSE(granted(node.ask(vote(3, 1, 1, 0, 50))));
  EXPECT_EQ(node.raft.epoch(), Epoch(1));
}

TEST(Election, ALostPreVoteLeadsBackToTheLeader) {
  Node node(1, formatted(voters_of({1, 2, 3})));
  node.ask(BeginQuorumEpochRequest{Epoch(4), BrokerId(2), {}});
  node.pass(2s);
  ASSERT_EQ(node.raft.role(), Role::kProspective);
  EXPECT_EQ(node.raft.leader_id(), BrokerId(2));
  node.answer(2, {ErrorCode::NONE, Epoch(4), BrokerId(2), VoteResponse{false}});
  node.answer(3, {ErrorCode::NONE, Epoch(4), BrokerId(2), VoteResponse{false}});
  EXPECT_EQ(node.raft.role(), Role::kFollower);
  EXPECT_EQ(node.raft.epoch(), Epoch(4));
}

TEST(Election, ALeaderThatRestartsNeverActsInItsEpochAgain) {
  Recovered recovered = formatted(voters_of({1, 2, 3}));
  recovered.quorum_state = QuorumState{Epoch(5), BrokerId(1), kNoBroker, {}, 1, {}};
  recovered.log_end = Offset(10);
  recovered.last_epoch = Epoch(5);
  recovered.voters_offset = Offset(2);
  Node node(1, recovered);
  EXPECT_EQ(node.raft.role(), Role::kResigned);
  EXPECT_FALSE(granted(node.ask(vote(2, 1, 5, 4, 100))));
  EXPECT_TRUE(std::holds_alternative<EndQuorumEpochRequest>(node.sent.at(BrokerId(2)).request));
  node.pass(5s);
  EXPECT_EQ(node.raft.role(), Role::kUnattached);
  EXPECT_EQ(node.raft.epoch(), Epoch(6));
}

TEST(Leader, BeginsItsEpochWithARecordOfWhoElectedIt) {
  Node node(1, formatted(voters_of({1, 2, 3})));
  node.elect({3});
  ASSERT_EQ(node.log.size(), 1U);
  auto batch = decode_batch(node.log[0].batch);
  ASSERT_TRUE(batch.has_value());
  const auto& change = std::get<wire::LeaderChangeMessage>(batch->control.at(0));
  EXPECT_EQ(change.voters.size(), 3U);
  ASSERT_EQ(change.granting_voters.size(), 2U);
  EXPECT_EQ(change.granting_voters[1].voter_id, 3);
  EXPECT_EQ(node.last_to<BeginQuorumEpochRequest>(2).epoch, Epoch(1));
}

TEST(Leader, CommitsWhatAMajorityHasOnDisk) {
  Node node(1, formatted(voters_of({1, 2, 3})));
  node.elect({2});
  node.sync();
  EXPECT_EQ(node.raft.high_watermark(), Offset(0)) << "it is one of three";
  node.fetched(2, Offset(3), Epoch(1));
  EXPECT_EQ(node.raft.high_watermark(), Offset(3));
  node.step(Propose{{Bytes::copy("x")}});
  node.fetched(2, Offset(4), Epoch(1));
  EXPECT_EQ(node.raft.high_watermark(), Offset(3)) << "its own copy is not on disk";
  node.fetched(3, Offset(4), Epoch(1));
  EXPECT_EQ(node.raft.high_watermark(), Offset(4)) << "two others are a majority";
}

// Raft, figure 8: a majority may have an older epoch's record and lose it again.
TEST(Leader, CommitsNothingByCountingBeforeItsOwnEpochIsCommitted) {
  Recovered recovered = formatted(voters_of({1, 2, 3}));
  recovered.log_end = Offset(10);
  recovered.last_epoch = Epoch(2);
  recovered.voters_offset = Offset(2);
  Node node(1, recovered);
  node.elect({2});
  node.fetched(2, Offset(10), Epoch(2));
  node.sync();
  EXPECT_EQ(node.raft.high_watermark(), Offset(0));
  // R7: it does not pass on either what it believes from before.
  EXPECT_EQ(std::get<FetchResponse>(node.replies[node.requests].response.body).high_watermark, kNoOffset);
  node.fetched(2, Offset(11), Epoch(3));
  EXPECT_EQ(node.raft.high_watermark(), Offset(11));
}

TEST(Leader, ResignsWithoutAMajorityThatFetches) {
  Node node(1, formatted(voters_of({1, 2, 3, 4, 5})));
  node.elect({2, 3});
  node.sync();
  for (int i = 0; i < 4; ++i) {
    node.pass(1s);
    node.fetched(2, Offset(3), Epoch(1));
    node.fetched(3, Offset(3), Epoch(1));
  }
  EXPECT_TRUE(node.raft.is_leader());
  for (int i = 0; i < 3 && node.raft.is_leader(); ++i) {
    node.pass(1s);
    node.fetched(2, Offset(3), Epoch(1));
  }
  EXPECT_EQ(node.raft.role(), Role::kResigned);
  const auto& end = node.last_to<EndQuorumEpochRequest>(4);
  EXPECT_EQ(end.preferred_candidates.at(0).id, BrokerId(2));
  EXPECT_EQ(end.preferred_candidates.size(), 4U);
}

TEST(Leader, AWaitingFetchIsAnsweredWhenThereIsSomethingOrItIsNotTheLeaderAnyMore) {
  Node node(1, formatted(voters_of({1, 2, 3})));
  node.elect({2});
  node.sync();
  FetchRequest fetch{Epoch(1), {BrokerId(2), directory_of(2)}, Offset(3), Epoch(1), Offset(3), 500};
  node.step(RequestReceived{50, fetch});
  EXPECT_FALSE(node.replies.contains(50));
  node.step(Propose{{Bytes::copy("x")}});
  ASSERT_TRUE(node.replies.contains(50));
  EXPECT_EQ(node.replies[50].read_from, Offset(3));
  fetch.offset = Offset(4);
  node.step(RequestReceived{51, fetch});
  node.pass(499ms);
  EXPECT_FALSE(node.replies.contains(51));
  node.pass(1ms);
  EXPECT_EQ(node.replies[51].response.error, ErrorCode::NONE);
  node.step(RequestReceived{52, fetch});
  node.ask(vote(3, 1, 2, 1, 100));
  EXPECT_EQ(node.replies[52].response.error, ErrorCode::NOT_LEADER_OR_FOLLOWER);
  EXPECT_EQ(node.replies[52].response.epoch, Epoch(2));
}

/// A leader of three whose log is as the epochs say, and a follower of it.
struct Pair {
  Pair(const std::vector<std::pair<int, int>>& leader_epochs,
       const std::vector<std::pair<int, int>>& follower_epochs)
      : leader(1, with_log(leader_epochs)), follower(2, with_log(follower_epochs)) {
    leader.elect({3});
    leader.sync();
    follower.ask(BeginQuorumEpochRequest{leader.raft.epoch(), BrokerId(1), {}});
  }
  // (epoch, count of records), from offset 0 on.
  static Recovered with_log(const std::vector<std::pair<int, int>>& epochs) {
    Recovered recovered = formatted(voters_of({1, 2, 3}));
    recovered.voters_offset = Offset(0);
    for (auto [epoch, count] : epochs) {
      recovered.epochs.push_back({Epoch(epoch), recovered.log_end});
      recovered.log_end = recovered.log_end + count;
      recovered.last_epoch = Epoch(epoch);
    }
    return recovered;
  }
  /// Fetches until there is nothing to cut; how often it was cut.
  int settle() {
    int cuts = 0;
    for (int i = 0; i < 20; ++i) {
      if (follower.raft.synced_end() < follower.raft.log_end()) follower.sync();
      const auto& fetch = follower.last_to<FetchRequest>(1);
      Response response = leader.ask(fetch);
      auto& fetched = std::get<FetchResponse>(response.body);
      bool parted = fetched.diverging.has_value();
      if (!parted && fetch.offset <= follower_match) break;
      if (!parted) follower_match = fetch.offset;
      if (parted)
        ++cuts;
      else
        break;
      follower.answer(1, response);
    }
    return cuts;
  }
  Node leader;
  Node follower;
  Offset follower_match{-1};
};

// R1: the divergences A-G of the Kafka replication protocol (kafka-tlaplus), leader's log against follower's.
TEST(Follower, CutsItsLogWhereItPartsFromTheLeaders) {
  struct Case {
    const char* name;
    std::vector<std::pair<int, int>> leader;
    std::vector<std::pair<int, int>> follower;
    int end;  // of the follower's log when the logs agree
  };
  const Case cases[] = {
      {"A: the same", {{1, 10}}, {{1, 10}}, 10},
      {"B: behind in the same epoch", {{1, 10}}, {{1, 4}}, 4},
      {"C: ahead in the same epoch", {{1, 10}, {3, 2}}, {{1, 15}}, 10},
      {"D: behind by epochs", {{1, 10}, {2, 5}, {3, 5}}, {{1, 10}}, 10},
      {"E: a tail of an epoch that the leader lacks", {{1, 10}, {3, 5}}, {{1, 10}, {2, 7}}, 10},
      {"F: tails of several such epochs, parting within one", {{1, 6}, {5, 5}}, {{1, 8}, {2, 3}, {4, 3}}, 6},
      {"G: nothing in common", {{3, 5}}, {{1, 4}, {2, 4}}, 0},
  };
  for (const Case& one : cases) {
    Pair pair(one.leader, one.follower);
    pair.settle();
    EXPECT_EQ(pair.follower.raft.log_end(), Offset(one.end)) << one.name;
    EXPECT_EQ(pair.follower.raft.synced_end(), Offset(one.end)) << one.name;
  }
}

TEST(Follower, NeverCutsWhatIsCommitted) {
  Recovered recovered = formatted(voters_of({1, 2, 3}));
  recovered.log_start = recovered.log_end = Offset(10);
  recovered.latest_snapshot = SnapshotId{Offset(10), Epoch(2)};
  recovered.last_epoch = Epoch(2);
  recovered.voters_offset = Offset(9);
  Node node(1, recovered);
  node.ask(BeginQuorumEpochRequest{Epoch(3), BrokerId(2), {}});
  FetchResponse fetched;
  fetched.diverging = EpochEnd{Epoch(2), Offset(4)};
  Effects effects = node.answer(2, {ErrorCode::NONE, Epoch(3), BrokerId(2), fetched});
  EXPECT_TRUE(effects.fatal.has_value());
  EXPECT_FALSE(effects.truncate_to.has_value());
}

TEST(Follower, FetchesOnOnlyWhenItsRecordsAreOnDisk) {
  Pair pair({{1, 3}}, {{1, 3}});
  Node& follower = pair.follower;
  Response response = pair.leader.ask(follower.last_to<FetchRequest>(1));
  auto& fetched = std::get<FetchResponse>(response.body);
  fetched.records = pair.leader.records_from(Offset(3));
  std::uint64_t before = follower.sent.at(BrokerId(1)).correlation;
  Effects effects = follower.answer(1, response);
  EXPECT_TRUE(effects.sync_log);
  EXPECT_EQ(follower.raft.log_end(), pair.leader.raft.log_end());
  EXPECT_EQ(follower.sent.at(BrokerId(1)).correlation, before);
  follower.sync();
  EXPECT_EQ(follower.last_to<FetchRequest>(1).offset, pair.leader.raft.log_end());
  EXPECT_GT(follower.sent.at(BrokerId(1)).correlation, before);
}

TEST(Follower, TakesNoRecordsThatItDidNotAskFor) {
  Pair pair({{1, 3}}, {{1, 3}});
  FetchResponse fetched;
  fetched.records =
      encode_data_batch(Offset(4), Epoch(2), Timestamp(1), std::vector<Bytes>{Bytes::copy("gap")});
  pair.follower.answer(1, {ErrorCode::NONE, Epoch(2), BrokerId(1), fetched});
  EXPECT_EQ(pair.follower.raft.log_end(), Offset(3));
  Node other(2, Pair::with_log({{1, 3}}));
  other.ask(BeginQuorumEpochRequest{Epoch(2), BrokerId(1), {}});
  fetched.records =
      encode_data_batch(Offset(3), Epoch(9), Timestamp(1), std::vector<Bytes>{Bytes::copy("future")});
  other.answer(1, {ErrorCode::NONE, Epoch(2), BrokerId(1), fetched});
  EXPECT_EQ(other.raft.log_end(), Offset(3));
}

TEST(Follower, ASyncFromBeforeACutDoesNotCount) {
  Pair pair({{1, 3}, {3, 3}}, {{1, 3}, {2, 4}});
  Node& follower = pair.follower;
  std::uint64_t old = follower.raft.truncations();
  pair.settle();
  ASSERT_EQ(follower.raft.log_end(), Offset(3));
  follower.step(LogSynced{Offset(7), old});
  EXPECT_EQ(follower.raft.synced_end(), Offset(3));
}

TEST(Follower, TakesASnapshotWhenItIsBehindTheLog) {
  Node leader(1, formatted(voters_of({1, 2, 3})));
  leader.elect({3});
  leader.sync();
  leader.fetched(3, Offset(3), Epoch(1));
  SnapshotId id{Offset(3), Epoch(1)};
  leader.step(SnapshotCreated{id});
  leader.step(LogStartMoved{Offset(3)});

  Config config = config_of(2);
  config.bootstrap = {BrokerId(1)};
  Node node(config, Recovered{});
  Response found = leader.ask(node.last_to<FetchRequest>(1));
  EXPECT_EQ(found.error, ErrorCode::FENCED_LEADER_EPOCH);
  node.answer(1, found);
  ASSERT_EQ(node.raft.role(), Role::kFollower);
  node.pass(20ms);
  node.answer(1, leader.ask(node.last_to<FetchRequest>(1)));
  const auto& first = node.last_to<FetchSnapshotRequest>(1);
  EXPECT_EQ(first.id, id);
  leader.step(RequestReceived{70, first});
  EXPECT_TRUE(leader.replies[70].read_snapshot);
  Response piece = leader.replies[70].response;
  std::get<FetchSnapshotResponse>(piece.body).size = 5;
  std::get<FetchSnapshotResponse>(piece.body).bytes = Bytes::copy("abc");
  Effects effects = node.answer(1, piece);
  EXPECT_FALSE(effects.snapshot_piece->last);
  EXPECT_EQ(node.last_to<FetchSnapshotRequest>(1).position, 3);
  std::get<FetchSnapshotResponse>(piece.body).position = 3;
  std::get<FetchSnapshotResponse>(piece.body).bytes = Bytes::copy("de");
  effects = node.answer(1, piece);
  EXPECT_TRUE(effects.snapshot_piece->last);
  effects = node.step(SnapshotInstalled{id, voters_of({1, 2, 3})});
  EXPECT_EQ(effects.high_watermark, Offset(3));
  EXPECT_EQ(node.raft.log_end(), Offset(3));
  EXPECT_TRUE(node.raft.is_voter());
  const auto& on = node.last_to<FetchRequest>(1);
  EXPECT_EQ(on.offset, Offset(3));
  EXPECT_EQ(on.last_epoch, Epoch(1));
}

TEST(Voters, OneChangeAtATimeAndOnlyByALeaderThatHasCommitted) {
  Node node(1, formatted(voters_of({1, 2, 3})));
  node.elect({2});
  node.sync();
  EXPECT_EQ(node.step(RemoveVoter{1, voter_of(3).key()}).changes.at(0).error, ErrorCode::REQUEST_TIMED_OUT);
  node.fetched(2, Offset(3), Epoch(1));
  EXPECT_TRUE(node.step(RemoveVoter{2, voter_of(3).key()}).changes.empty());
  EXPECT_EQ(node.raft.voters(), voters_of({1, 2})) << "it counts at once";
  EXPECT_EQ(node.step(AddVoter{3, voter_of(4)}).changes.at(0).error, ErrorCode::REQUEST_TIMED_OUT);
  node.sync();
  node.fetched(3, Offset(4), Epoch(1));
  EXPECT_EQ(node.raft.high_watermark(), Offset(3)) << "who is removed does not count";
  std::uint64_t before = node.requests;
  node.step(RequestReceived{++node.requests, FetchRequest{Epoch(1), voter_of(2).key(), Offset(4), Epoch(1)}});
  EXPECT_EQ(node.raft.high_watermark(), Offset(4));
  EXPECT_GT(node.requests, before);
}

TEST(Voters, WhoIsAddedHasCaughtUpAndIsNew) {
  Node node(1, formatted(voters_of({1, 2})));
  node.elect({2});
  node.sync();
  node.fetched(2, Offset(3), Epoch(1));
  EXPECT_EQ(node.step(AddVoter{1, voter_of(2)}).changes.at(0).error, ErrorCode::DUPLICATE_VOTER);
  EXPECT_EQ(node.step(AddVoter{2, voter_of(3)}).changes.at(0).error, ErrorCode::REQUEST_TIMED_OUT);
  Voter old = voter_of(3);
  old.max_kraft_version = 0;
  EXPECT_EQ(node.step(AddVoter{3, old}).changes.at(0).error, ErrorCode::INVALID_REQUEST);
  node.fetched(3, Offset(3), Epoch(1));
  EXPECT_TRUE(node.step(AddVoter{4, voter_of(3)}).changes.empty());
  node.sync();
  EXPECT_EQ(node.raft.high_watermark(), Offset(3));
  Effects effects = node.step(
      RequestReceived{++node.requests, FetchRequest{Epoch(1), voter_of(3).key(), Offset(4), Epoch(1)}});
  ASSERT_EQ(effects.changes.size(), 1U);
  EXPECT_EQ(effects.changes[0].id, 4U);
  EXPECT_EQ(effects.changes[0].error, ErrorCode::NONE);
}

TEST(Voters, ALeaderThatIsRemovedGoesOnUntilThatIsCommitted) {
  Node node(1, formatted(voters_of({1, 2, 3})));
  node.elect({2});
  node.sync();
  node.fetched(2, Offset(3), Epoch(1));
  node.step(RemoveVoter{1, voter_of(1).key()});
  node.sync();
  EXPECT_TRUE(node.raft.is_leader());
  node.fetched(2, Offset(4), Epoch(1));
  EXPECT_TRUE(node.raft.is_leader()) << "its own copy does not count any more";
  Effects effects = node.step(
      RequestReceived{++node.requests, FetchRequest{Epoch(1), voter_of(3).key(), Offset(4), Epoch(1)}});
  EXPECT_EQ(effects.high_watermark, Offset(4));
  EXPECT_EQ(effects.changes.at(0).error, ErrorCode::NONE);
  EXPECT_EQ(node.raft.role(), Role::kResigned);
  EXPECT_EQ(node.step(RemoveVoter{2, voter_of(2).key()}).changes.at(0).error,
            ErrorCode::NOT_LEADER_OR_FOLLOWER);
}

TEST(Voters, AChangeThatIsCutOffCountsNoMore) {
  Recovered recovered = Pair::with_log({{1, 5}});
  recovered.older_voters = {{Offset(0), voters_of({1, 2, 3})}};
  recovered.voters = voters_of({1, 2});
  recovered.voters_offset = Offset(4);
  Node node(1, recovered);
  EXPECT_EQ(node.raft.voters(), voters_of({1, 2}));
  node.ask(BeginQuorumEpochRequest{Epoch(2), BrokerId(2), {}});
  FetchResponse fetched;
  fetched.diverging = EpochEnd{Epoch(1), Offset(4)};
  node.answer(2, {ErrorCode::NONE, Epoch(2), BrokerId(2), fetched});
  EXPECT_EQ(node.raft.voters(), voters_of({1, 2, 3}));
}

// Of two voters the leader removes itself and stops before the other has heard of it: nobody but the one that
// is removed has a log with which to be elected.
TEST(Voters, WhoIsRemovedStandsAgainWhileThatIsNotCommitted) {
  Recovered recovered = Pair::with_log({{1, 5}});
  recovered.older_voters = {{Offset(0), voters_of({1, 2})}};
  recovered.voters = voters_of({2});
  recovered.voters_offset = Offset(4);
  Node node(1, recovered);
  node.elect({2});
  node.sync();
  EXPECT_EQ(node.raft.high_watermark(), Offset(0)) << "its own copy does not count";
  node.fetched(2, Offset(6), Epoch(2));
  EXPECT_EQ(node.raft.high_watermark(), Offset(6));
  EXPECT_EQ(node.raft.role(), Role::kResigned);
  node.pass(5s);
  node.pass(5s);
  EXPECT_EQ(node.raft.role(), Role::kUnattached) << "an observer now";
}

TEST(Voters, AVoterTellsItsNewAddress) {
  Config config = config_of(2);
  config.endpoints = {{"CONTROLLER", "elsewhere", 9093}};
  Node node(config, formatted(voters_of({1, 2, 3})));
  node.ask(BeginQuorumEpochRequest{Epoch(1), BrokerId(1), {}});
  node.answer(1, {ErrorCode::NONE, Epoch(1), BrokerId(1), FetchResponse{}});
  node.pass(1999ms);
  node.answer(1, {ErrorCode::NONE, Epoch(1), BrokerId(1), FetchResponse{}});
  node.pass(1ms);
  node.answer(1, {ErrorCode::NONE, Epoch(1), BrokerId(1), FetchResponse{}});
  const auto& update = node.last_to<UpdateVoterRequest>(1);
  EXPECT_EQ(update.voter.endpoints, config.endpoints);

  Node leader(1, formatted(voters_of({1, 2, 3})));
  leader.elect({3});
  leader.sync();
  leader.fetched(3, Offset(3), Epoch(1));
  EXPECT_EQ(leader.ask(update).error, ErrorCode::NONE);
  EXPECT_EQ(leader.raft.voters().find(BrokerId(2))->endpoints, config.endpoints);
  UpdateVoterRequest stranger{Epoch(1), voter_of(9)};
  leader.sync();
  leader.fetched(3, Offset(4), Epoch(1));
  EXPECT_EQ(leader.ask(stranger).error, ErrorCode::VOTER_NOT_FOUND);
}

TEST(Succession, TheBestFollowerTriesFirst) {
  for (int place : {0, 1, 2}) {
    Node node(1, formatted(voters_of({1, 2, 3, 4})));
    node.ask(BeginQuorumEpochRequest{Epoch(1), BrokerId(2), {}});
    std::vector<ReplicaKey> preferred = {voter_of(3).key(), voter_of(4).key()};
    preferred.insert(preferred.begin() + place, voter_of(1).key());
    node.ask(EndQuorumEpochRequest{Epoch(1), BrokerId(2), preferred});
    const int wait_ms[] = {0, 250, 500};
    if (place > 0) {
      node.pass(from_ms(wait_ms[place] - 1));
      EXPECT_EQ(node.raft.role(), Role::kFollower) << place;
      node.pass(1ms);
    }
    EXPECT_EQ(node.raft.role(), Role::kProspective) << place;
  }
}

TEST(EpochHistory, TellsWhereEpochsEnd) {
  EpochHistory epochs({{Epoch(1), Offset(0)}, {Epoch(3), Offset(10)}, {Epoch(4), Offset(20)}});
  EXPECT_EQ(epochs.end_of(Epoch(1), Offset(0), Offset(25)), (EpochEnd{Epoch(1), Offset(10)}));
  EXPECT_EQ(epochs.end_of(Epoch(2), Offset(0), Offset(25)), (EpochEnd{Epoch(1), Offset(10)}));
  EXPECT_EQ(epochs.end_of(Epoch(9), Offset(0), Offset(25)), (EpochEnd{Epoch(4), Offset(25)}));
  EXPECT_EQ(epochs.end_of(Epoch(0), Offset(0), Offset(25)), (EpochEnd{Epoch(0), Offset(0)}));
  EXPECT_EQ(epochs.at(Offset(19)), Epoch(3));
  epochs.trim(Offset(12));
  EXPECT_EQ(epochs.at(Offset(11)), Epoch(3));
  EXPECT_EQ(epochs.entries().size(), 2U);
  epochs.truncate(Offset(20));
  EXPECT_EQ(epochs.last(), Epoch(3));
  epochs.reset(Epoch(7), Offset(40));
  EXPECT_EQ(epochs.at(Offset(39)), Epoch(7));
  EXPECT_EQ(epochs.last(), Epoch(7));
}

}  // namespace
}  // namespace milena::raft
