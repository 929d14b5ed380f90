// Requests to other nodes and their answers: one under way per node, timeouts, backoff.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/mutant.h"
#include "raft/raft.h"

namespace milena::raft {

using wire::ErrorCode;

std::string_view name(const Request& request) {
  constexpr std::string_view kNames[] = {"Vote",  "BeginQuorumEpoch", "EndQuorumEpoch",
                                         "Fetch", "FetchSnapshot",    "UpdateRaftVoter"};
  return kNames[request.index()];
}

Response Raft::response(ErrorCode error) const {
  Response out;
  out.error = error;
  out.epoch = state_.leader_epoch;
  out.leader_id = state_.leader_id;
  return out;
}

void Raft::on(const Now& now, const RequestReceived& event, Effects& effects) {
  if (const auto* fetch = std::get_if<FetchRequest>(&event.request))
    return on_fetch(now, event.id, *fetch, effects);
  if (const auto* snapshot = std::get_if<FetchSnapshotRequest>(&event.request)) {
    effects.replies.push_back(answer_snapshot(now, event.id, *snapshot));
    return;
  }
  Response out = response(ErrorCode::INVALID_REQUEST);
  if (const auto* vote = std::get_if<VoteRequest>(&event.request)) out = answer(now, *vote, effects);
  if (const auto* begin = std::get_if<BeginQuorumEpochRequest>(&event.request))
    out = answer(now, *begin, effects);
  if (const auto* end = std::get_if<EndQuorumEpochRequest>(&event.request)) out = answer(now, *end, effects);
  if (const auto* update = std::get_if<UpdateVoterRequest>(&event.request))
    out = answer(now, *update, effects);
  effects.replies.push_back({event.id, std::move(out), std::nullopt, false});
}

void Raft::on(const Now& now, const ResponseReceived& event, Effects& effects) {
  auto peer = peers_.find(event.from);
  if (event.correlation == 0 || peer == peers_.end() || peer->second.correlation != event.correlation) return;
  std::size_t kind = peer->second.kind;
  peer->second.correlation = 0;
  peer->second.failed = false;
  const Response& response = event.response;
  if (response.error != ErrorCode::NONE)
    peer->second.not_before = now.instant + config_.timeouts.retry_backoff;
  // An old version of Kafka, from before pre-votes: then it must do without.
  if (response.error == ErrorCode::UNSUPPORTED_VERSION && role_ == Role::kProspective)
    return become_candidate(now, effects);
  if (response.epoch < state_.leader_epoch || response.error == ErrorCode::UNKNOWN_LEADER_EPOCH) return;
  bool common = response.epoch > state_.leader_epoch || response.error == ErrorCode::FENCED_LEADER_EPOCH ||
                response.error == ErrorCode::NOT_LEADER_OR_FOLLOWER || state_.leader_id == kNoBroker;
  Epoch before = state_.leader_epoch;
  Role role = role_;
  if (common) learn_leader(now, response.epoch, response.leader_id, effects);
  bool moved = state_.leader_epoch != before || role_ != role;
  bool snapshot = kind == Request(FetchSnapshotRequest{}).index();
  if (moved || (response.error != ErrorCode::NONE && !snapshot)) return;
  if (kind == Request(VoteRequest{}).index()) on_vote_response(now, event.from, response, effects);
  if (kind == Request(BeginQuorumEpochRequest{}).index() && role_ == Role::kLeader)
    leading_.reached.insert(event.from);
  if (kind == Request(EndQuorumEpochRequest{}).index() && role_ == Role::kResigned)
    resigned_.told.insert(event.from);
  if (const auto* fetched = std::get_if<FetchResponse>(&response.body))
    if (kind == Request(FetchRequest{}).index()) on_fetch_response(now, event.from, *fetched, effects);
  if (snapshot) on_snapshot_response(now, event.from, response, effects);
}

void Raft::on(const Now& now, const RequestFailed& event, Effects&) {
  auto peer = peers_.find(event.to);
  if (peer == peers_.end() || peer->second.correlation != event.correlation) return;
  peer->second.correlation = 0;
  peer->second.failed = true;
  peer->second.not_before = now.instant + config_.timeouts.retry_backoff;
}

bool Raft::ready(const Now& now, BrokerId to) {
  Peer& peer = peers_[to];
  if (peer.correlation != 0 && peer.timeout <= now.instant) {
    peer.correlation = 0;
    peer.failed = true;
    peer.not_before = now.instant + config_.timeouts.retry_backoff;
  }
  return peer.correlation == 0 && peer.not_before <= now.instant;
}

void Raft::send(const Now& now, BrokerId to, Request request, Effects& effects) {
  Peer& peer = peers_[to];
  peer.correlation = ++correlation_;
  peer.kind = request.index();
  peer.timeout = now.instant + config_.timeouts.request;
  effects.requests.push_back({to, peer.correlation, std::move(request)});
}

void Raft::send_requests(const Now& now, Effects& effects) {
  bool nominee = role_ == Role::kProspective || role_ == Role::kCandidate;
  if (role_ == Role::kLeader && leading_.begin_deadline <= now.instant) {
    leading_.reached.clear();
    leading_.begin_deadline = now.instant + config_.timeouts.fetch / 2;
  }
  for (const Voter& voter : voters().voters) {
    if (voter.id == config_.node_id) continue;
    if (nominee && !votes_.contains(voter.id) && ready(now, voter.id)) {
      send(now, voter.id,
           VoteRequest{state_.leader_epoch, key(), voter.key(), epochs_.last(), log_end_,
                       role_ == Role::kProspective},
           effects);
    } else if (role_ == Role::kLeader && !leading_.reached.contains(voter.id) && ready(now, voter.id)) {
      send(now, voter.id, BeginQuorumEpochRequest{state_.leader_epoch, config_.node_id, voter.key()},
           effects);
    } else if (role_ == Role::kResigned && !resigned_.told.contains(voter.id) && ready(now, voter.id)) {
      send(now, voter.id, EndQuorumEpochRequest{state_.leader_epoch, config_.node_id, resigned_.preferred},
           effects);
    }
  }
  bool fetches = role_ == Role::kFollower || role_ == Role::kUnattached || role_ == Role::kVoted;
  if (fetches && !stopping_) send_fetch(now, effects);
}

void Raft::send_fetch(const Now& now, Effects& effects) {
  if (installing_.has_value()) return;
  if (synced_end_ < log_end_ && !MILENA_MUTANT("raft-hasty-fetch"))
    return;  // a fetch says: all before is on disk
  FetchRequest fetch{state_.leader_epoch,
                     key(),
                     log_end_,
                     epochs_.last(),
                     high_watermark_,
                     static_cast<std::int32_t>(to_ms(config_.timeouts.fetch_max_wait))};
  bool silent = deadline_ <= now.instant;  // an observer's leader
  if (role_ == Role::kFollower && !silent && ready(now, state_.leader_id)) {
    if (should_update_self(now)) {
      following_.update_deadline = now.instant + config_.timeouts.fetch;
      return send(now, state_.leader_id,
                  UpdateVoterRequest{state_.leader_epoch,
                                     Voter{config_.node_id, config_.directory_id, config_.endpoints,
                                           config_.min_kraft_version, config_.max_kraft_version}},
                  effects);
    }
    if (!following_.snapshot.has_value()) return send(now, state_.leader_id, fetch, effects);
    return send(now, state_.leader_id,
                FetchSnapshotRequest{state_.leader_epoch, key(), following_.snapshot->id,
                                     following_.snapshot->position},
                effects);
  }
  // A leader that answers, if only with an error, is asked again; others are asked when it is silent.
  if (role_ == Role::kFollower && !silent && !peers_[state_.leader_id].failed) return;
  for (auto& [id, peer] : peers_)
    if (peer.correlation != 0 && peer.timeout > now.instant) return;
  auto other = anybody(now);
  if (other.has_value()) send(now, *other, fetch, effects);
}

// A node that may know the leader, and is not known to be silent.
std::optional<BrokerId> Raft::anybody(const Now& now) {
  std::set<BrokerId> candidates(config_.bootstrap.begin(), config_.bootstrap.end());
  for (const Voter& voter : voters().voters) candidates.insert(voter.id);
  candidates.erase(config_.node_id);
  std::vector<BrokerId> there;
  for (BrokerId id : candidates)
    if (ready(now, id)) there.push_back(id);
  if (there.empty()) return std::nullopt;
  return there[random_.below(there.size())];
}

Instant Raft::next_deadline() const {
  if (!started_ || broken_) return Instant::never();
  Instant next = Instant::never();
  auto at = [&](Instant when) {
    if (when > last_now_) next = std::min(next, when);
  };
  bool alone = role_ == Role::kLeader && voters().is_only_voter(config_.node_id, config_.directory_id);
  if (!alone && (!stopping_ || role_ == Role::kLeader)) at(deadline_);
  for (const auto& [id, peer] : peers_) at(peer.correlation != 0 ? peer.timeout : peer.not_before);
  if (role_ == Role::kLeader) {
    for (const Parked& parked : leading_.parked) at(parked.deadline);
    if (leading_.change.has_value()) at(leading_.change->deadline);
    if (!alone) at(leading_.begin_deadline);
  }
  if (role_ == Role::kFollower && should_update_self({Instant::never(), kNoTimestamp}))
    at(following_.update_deadline);
  return next;
}

}  // namespace milena::raft
