#include "raft/raft.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/mutant.h"

namespace milena::raft {

std::string_view name(Role role) {
  switch (role) {
    case Role::kUnattached:
      return "Unattached";
    case Role::kVoted:
      return "Voted";
    case Role::kProspective:
      return "Prospective";
    case Role::kCandidate:
      return "Candidate";
    case Role::kLeader:
      return "Leader";
    case Role::kFollower:
      return "Follower";
    case Role::kResigned:
      return "Resigned";
  }
  return "";
}

namespace {

VoterHistory history_of(const Config& config, Recovered& recovered) {
  std::vector<VoterHistory::Entry> entries = std::move(recovered.older_voters);
  if (recovered.voters.has_value())
    entries.push_back({recovered.voters_offset, *std::move(recovered.voters)});
  if (entries.empty()) entries.push_back({Offset(-1), config.static_voters});
  VoterHistory history(std::move(entries.front()));
  for (std::size_t i = 1; i < entries.size(); ++i)
    history.add(entries[i].offset, std::move(entries[i].voters));
  return history;
}

EpochHistory epochs_of(const Recovered& recovered) {
  EpochHistory epochs(recovered.epochs);
  if (recovered.log_start > Offset(0) && epochs.entries().empty())
    epochs.reset(recovered.latest_snapshot.value_or(SnapshotId{}).epoch, recovered.log_start);
  if (epochs.last() < recovered.last_epoch) {
    Offset from = recovered.log_start < recovered.log_end ? recovered.log_start : recovered.log_end - 1;
    epochs.add(recovered.last_epoch, std::max(from, Offset(0)));
  }
  return epochs;
}

}  // namespace

Raft::Raft(Config config, Recovered recovered)
    : config_(std::move(config)),
      random_(config_.seed),
      history_(history_of(config_, recovered)),
      state_(recovered.quorum_state.value_or(QuorumState{})),
      persisted_(recovered.quorum_state),
      log_start_(recovered.log_start),
      log_end_(recovered.log_end),
      synced_end_(recovered.log_end),
      epochs_(epochs_of(recovered)),
      latest_snapshot_(recovered.latest_snapshot) {
  if (latest_snapshot_.has_value()) high_watermark_ = latest_snapshot_->end_offset;
  if (state_.leader_epoch < epochs_.last()) enter_epoch(epochs_.last());
}

Effects Raft::step(const Now& now, const Event& event) {
  Effects effects;
  if (broken_) return effects;
  last_now_ = std::max(last_now_, now.instant);
  Role before = role_;
  std::visit([&](const auto& e) { on(now, e, effects); }, event);
  finish(now, before, effects);
  return effects;
}

// Does what time and the event make necessary, and then gathers what the driver must know.
void Raft::finish(const Now& now, Role role_before, Effects& effects) {
  if (started_ && !effects.fatal.has_value()) {
    while (run_timers(now, effects)) {
    }
    if (role_ == Role::kLeader) serve_parked(now, effects);
    send_requests(now, effects);
  }
  for (std::uint64_t id : std::exchange(orphans_, {}))
    effects.replies.push_back({id, response(wire::ErrorCode::NOT_LEADER_OR_FOLLOWER), std::nullopt, false});
  if (effects.fatal.has_value()) {
    broken_ = true;
    return;
  }
  state_.data_version = voters().kraft_version >= 1 ? 1 : 0;
  state_.current_voters.clear();
  if (state_.data_version == 0)
    for (const Voter& voter : voters().voters) state_.current_voters.push_back(voter.id);
  bool promised = !persisted_.has_value() || state_.leader_epoch != persisted_->leader_epoch ||
                  state_.leader_id != persisted_->leader_id || state_.voted_id != persisted_->voted_id ||
                  state_.voted_directory_id != persisted_->voted_directory_id;
  if (started_ && promised) {
    bool only_voted = persisted_.has_value() && state_.leader_id == kNoBroker && state_.voted_id != kNoBroker;
    if (!(only_voted && MILENA_MUTANT("raft-unsynced-vote"))) effects.write_quorum_state = state_;
    persisted_ = state_;
  }
  if (role_ != role_before) effects.new_role = role_;
}

void Raft::on(const Now& now, const Start&, Effects& effects) {
  started_ = true;
  if (voters().is_only_voter(config_.node_id, config_.directory_id)) {
    enter_epoch(state_.leader_epoch + 1);
    votes_ = {{config_.node_id, true}};
    become_leader(now, effects);
    return;
  }
  bool was_leader = state_.leader_id == config_.node_id;
  bool was_candidate = state_.leader_id == kNoBroker && state_.voted_id == config_.node_id && may_stand();
  deadline_ = election_deadline(now);
  if (was_leader && MILENA_MUTANT("raft-restarted-leader")) {
    become_leader(now, effects);
  } else if (was_leader) {
    role_ = Role::kResigned;
    resigned_ = {};
  } else if (was_candidate) {
    role_ = Role::kCandidate;
    votes_ = {{config_.node_id, true}};
  } else if (state_.leader_id != kNoBroker) {
    become_follower(now, state_.leader_epoch, state_.leader_id, effects);
  } else {
    role_ = state_.voted_id == kNoBroker ? Role::kUnattached : Role::kVoted;
  }
}

void Raft::on(const Now&, const Tick&, Effects&) {}

void Raft::on(const Now& now, const LogSynced& event, Effects& effects) {
  if (event.truncations != truncations_) return;  // of bytes that are not in the log any more
  CHECK(event.end_offset <= log_end_, "synced to {}, the log ends at {}", event.end_offset, log_end_);
  synced_end_ = std::max(synced_end_, event.end_offset);
  if (role_ == Role::kLeader)
    advance_high_watermark(now, effects);
  else
    advance_follower(effects);
}

void Raft::on(const Now&, const SnapshotCreated& event, Effects&) {
  CHECK(event.id.end_offset <= high_watermark_, "snapshot up to {}, committed is {}", event.id.end_offset,
        high_watermark_);
  if (!latest_snapshot_.has_value() || *latest_snapshot_ < event.id) latest_snapshot_ = event.id;
}

void Raft::on(const Now&, const LogStartMoved& event, Effects&) {
  CHECK(latest_snapshot_.has_value() && event.log_start <= latest_snapshot_->end_offset,
        "the log may not start at {} without a snapshot", event.log_start);
  if (event.log_start <= log_start_) return;
  log_start_ = event.log_start;
  epochs_.trim(log_start_);
  history_.forget_before(log_start_);
}

// The voters of a control batch that was appended count at once.
void Raft::take_voters(const LogBatch& batch) {
  std::int16_t version = voters().kraft_version;
  for (std::size_t i = 0; i < batch.control.size(); ++i) {
    if (const auto* level = std::get_if<wire::KRaftVersionRecord>(&batch.control[i]))
      version = level->k_raft_version;
    const auto* record = std::get_if<wire::VotersRecord>(&batch.control[i]);
    if (record != nullptr)
      history_.add(batch.base_offset + static_cast<std::int64_t>(i), from_record(*record, version));
  }
}

void Raft::check_invariants() const {
  CHECK(high_watermark_ <= std::max(log_end_, latest_snapshot_.value_or(SnapshotId{}).end_offset));
  CHECK(synced_end_ <= log_end_);
  CHECK(log_start_ <= log_end_);
  CHECK(epochs_.last() <= state_.leader_epoch);
  if (role_ == Role::kLeader) {
    CHECK(state_.leader_id == config_.node_id);
    CHECK(epochs_.last() == state_.leader_epoch);
    CHECK(leading_.epoch_start < log_end_);
    CHECK(!installing_.has_value());
  }
  if (role_ == Role::kFollower) CHECK(state_.leader_id != config_.node_id && state_.leader_id != kNoBroker);
  if (role_ == Role::kVoted) CHECK(state_.voted_id != kNoBroker);
}

}  // namespace milena::raft
