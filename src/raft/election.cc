// Roles and votes: who may lead, and when a node tries.
#include <algorithm>
#include <compare>
#include <utility>

#include "base/check.h"
#include "base/mutant.h"
#include "raft/raft.h"

namespace milena::raft {

using wire::ErrorCode;

Instant Raft::election_deadline(const Now& now) {
  return now.instant + config_.timeouts.election +
         from_ms(random_.between(0, std::max<std::int64_t>(to_ms(config_.timeouts.election) - 1, 0)));
}

// A voter, or one that a change removed which may not be committed yet. Only that one may have the change in
// its log, so that nobody else could be elected; it counts the votes of the others, commits the change and
// goes (Ongaro, 4.2.2).
bool Raft::may_stand() const {
  if (is_voter()) return true;
  const auto& entries = history_.entries();
  return entries.size() > 1 && entries.back().offset >= high_watermark_ &&
         entries[entries.size() - 2].voters.is_voter(key());
}

// What was under way in the role is over: requests, fetches that wait, a change of voters.
void Raft::leave_role(Effects& effects) {
  peers_.clear();
  votes_.clear();
  if (role_ != Role::kLeader) return;
  for (const Parked& parked : leading_.parked) orphans_.push_back(parked.id);
  leading_.parked.clear();
  end_change(ErrorCode::NOT_LEADER_OR_FOLLOWER, "The leader lost its epoch before the change was committed",
             effects);
  leading_.replicas.clear();
}

void Raft::enter_epoch(Epoch epoch) {
  if (epoch == state_.leader_epoch) return;
  CHECK(epoch > state_.leader_epoch, "from epoch {} back to {}", state_.leader_epoch, epoch);
  state_.leader_epoch = epoch;
  state_.leader_id = kNoBroker;
  state_.voted_id = kNoBroker;
  state_.voted_directory_id = Uuid{};
}

// The time that was left in the role goes on; so nobody is kept from elections by epochs that come and go.
void Raft::become_unattached(const Now& now, Epoch epoch, Effects& effects) {
  leave_role(effects);
  enter_epoch(epoch);
  if (deadline_ == Instant::never() || deadline_ <= now.instant) deadline_ = election_deadline(now);
  role_ = state_.voted_id == kNoBroker ? Role::kUnattached : Role::kVoted;
}

void Raft::become_follower(const Now& now, Epoch epoch, BrokerId leader, Effects& effects) {
  CHECK(leader != config_.node_id, "a node does not follow itself");
  leave_role(effects);
  enter_epoch(epoch);
  state_.leader_id = leader;
  role_ = Role::kFollower;
  deadline_ = now.instant + config_.timeouts.fetch;
  following_ = {};
  following_.update_deadline = now.instant + config_.timeouts.fetch;
}

void Raft::become_prospective(const Now& now, Effects& effects) {
  CHECK(may_stand(), "an observer does not ask for votes");
  leave_role(effects);
  role_ = Role::kProspective;
  deadline_ = election_deadline(now);
  votes_ = {{config_.node_id, true}};
  count_votes(now, effects);
}

void Raft::become_candidate(const Now& now, Effects& effects) {
  leave_role(effects);
  enter_epoch(state_.leader_epoch + 1);
  state_.voted_id = config_.node_id;
  state_.voted_directory_id = config_.directory_id;
  role_ = Role::kCandidate;
  deadline_ = election_deadline(now);
  votes_ = {{config_.node_id, true}};
  count_votes(now, effects);
}

void Raft::lose_pre_vote(const Now& now, Effects& effects) {
  if (state_.leader_id != kNoBroker && state_.leader_id != config_.node_id)
    return become_follower(now, state_.leader_epoch, state_.leader_id, effects);
  become_unattached(now, state_.leader_epoch, effects);
  deadline_ = election_deadline(now);
}

void Raft::count_votes(const Now& now, Effects& effects) {
  std::size_t granted = 0;
  std::size_t open = 0;
  for (const Voter& voter : voters().voters) {
    auto vote = votes_.find(voter.id);
    if (vote == votes_.end())
      ++open;
    else if (vote->second)
      ++granted;
  }
  std::size_t needed = voters().majority();
  if (role_ == Role::kProspective) {
    bool enough = granted >= needed || MILENA_MUTANT("raft-no-pre-vote");
    if (enough)
      become_candidate(now, effects);
    else if (granted + open < needed)
      lose_pre_vote(now, effects);
  } else if (role_ == Role::kCandidate && granted >= needed) {
    become_leader(now, effects);  // a candidate that lost waits for its timeout
  }
}

// Somebody names the leader of an epoch, or with kNoBroker just the epoch. False: it cannot be, because this
// node knows another leader in the same epoch.
bool Raft::learn_leader(const Now& now, Epoch epoch, BrokerId leader, Effects& effects) {
  // An epoch that this node led, as it was before its disk was wiped: nobody is to be followed there.
  if (leader == config_.node_id && !(role_ == Role::kLeader && epoch == state_.leader_epoch)) {
    if (epoch == state_.leader_epoch) return true;
    leader = kNoBroker;
  }
  if (epoch < state_.leader_epoch) return true;
  if (epoch > state_.leader_epoch) {
    if (leader == kNoBroker)
      become_unattached(now, epoch, effects);
    else
      become_follower(now, epoch, leader, effects);
    return true;
  }
  if (leader == kNoBroker || leader == state_.leader_id) return true;
  if (state_.leader_id != kNoBroker) return false;
  become_follower(now, epoch, leader, effects);
  return true;
}

bool Raft::may_vote_for(const ReplicaKey& candidate, bool up_to_date, bool pre_vote) const {
  switch (role_) {
    case Role::kUnattached:
    case Role::kVoted:
    case Role::kProspective:
      if (pre_vote) return up_to_date;
      if (state_.voted_id != kNoBroker && !MILENA_MUTANT("raft-double-vote")) {
        return state_.voted_id == candidate.id &&
               (state_.voted_directory_id.is_zero() || state_.voted_directory_id == candidate.directory_id);
      }
      return state_.leader_id == kNoBroker && up_to_date;
    case Role::kFollower:
      // Who has a leader that lives does not help to disturb it.
      return pre_vote && up_to_date && (!following_.has_fetched || MILENA_MUTANT("raft-no-pre-vote"));
    case Role::kCandidate:
    case Role::kResigned:
      return pre_vote && up_to_date;
    case Role::kLeader:
      return false;
  }
  return false;
}

Response Raft::answer(const Now& now, const VoteRequest& request, Effects& effects) {
  bool impossible =
      request.pre_vote ? request.last_epoch > request.epoch : request.last_epoch >= request.epoch;
  if (impossible || request.last_epoch < Epoch(0) || request.log_end < Offset(0))
    return response(ErrorCode::INVALID_REQUEST);
  if (request.epoch < state_.leader_epoch) return response(ErrorCode::FENCED_LEADER_EPOCH);
  if (request.candidate.id < BrokerId(0)) return response(ErrorCode::INVALID_REQUEST);
  if (request.epoch > state_.leader_epoch) become_unattached(now, request.epoch, effects);
  bool other_disk = !request.voter.directory_id.is_zero() &&
                    request.voter.directory_id != config_.directory_id && !MILENA_MUTANT("raft-old-self");
  if (request.voter.id != kNoBroker && (request.voter.id != config_.node_id || other_disk))
    return response(ErrorCode::INVALID_VOTER_KEY);
  auto theirs = std::pair(request.last_epoch, request.log_end);
  bool up_to_date = theirs >= std::pair(epochs_.last(), log_end_) || MILENA_MUTANT("raft-any-log");
  bool granted = may_vote_for(request.candidate, up_to_date, request.pre_vote);
  bool new_vote = granted && !request.pre_vote &&
                  (state_.voted_id == kNoBroker || state_.voted_id != request.candidate.id);
  if (new_vote) {
    state_.voted_id = request.candidate.id;
    state_.voted_directory_id = request.candidate.directory_id;
    if (role_ == Role::kUnattached) role_ = Role::kVoted;
    deadline_ = election_deadline(now);  // that one has as good a chance as this node
  }
  Response out = response(ErrorCode::NONE);
  out.body = VoteResponse{granted};
  return out;
}

void Raft::on_vote_response(const Now& now, BrokerId from, const Response& response, Effects& effects) {
  const auto* vote = std::get_if<VoteResponse>(&response.body);
  if (vote == nullptr || (role_ != Role::kProspective && role_ != Role::kCandidate)) return;
  votes_[from] = vote->granted;
  count_votes(now, effects);
}

// Goes on with what a timeout makes of the role. True: something changed, so look again.
bool Raft::run_timers(const Now& now, Effects& effects) {
  bool expired = deadline_ <= now.instant;
  if (role_ == Role::kLeader) {
    if (leading_.change.has_value() && leading_.change->deadline <= now.instant)
      end_change(ErrorCode::REQUEST_TIMED_OUT, "The change was not committed in time", effects);
    if (!expired) return false;
    bool alone = voters().is_only_voter(config_.node_id, config_.directory_id);
    if (alone || MILENA_MUTANT("raft-no-check-quorum")) {
      deadline_ = now.instant + config_.timeouts.fetch * 3 / 2;
      return false;
    }
    resign(now, effects);
    return true;
  }
  if (!expired || stopping_) return false;
  switch (role_) {
    case Role::kUnattached:
    case Role::kVoted:
    case Role::kFollower:
    case Role::kCandidate:
      if (!may_stand() || installing_.has_value()) return false;
      become_prospective(now, effects);
      return true;
    case Role::kProspective:
      lose_pre_vote(now, effects);
      return true;
    case Role::kResigned:
      become_unattached(now, state_.leader_epoch + 1, effects);
      return true;
    case Role::kLeader:
      return false;
  }
  return false;
}

}  // namespace milena::raft
