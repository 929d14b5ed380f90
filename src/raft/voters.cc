// Changes of the voters (KIP-853): one at a time, by a leader that has committed in its epoch.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/mutant.h"
#include "raft/raft.h"

namespace milena::raft {

using wire::ErrorCode;

// Two sets that differ by one voter have no majorities apart, but only if the older of them is committed: so
// no change before the one before it is, nor before the leader knows by a commit of its own what is in the
// log.
ErrorCode Raft::may_change_voters(std::string& why) const {
  if (role_ != Role::kLeader) {
    why = "This node is not the leader of the quorum";
    return ErrorCode::NOT_LEADER_OR_FOLLOWER;
  }
  if (MILENA_MUTANT("raft-two-changes")) return ErrorCode::NONE;
  if (leading_.change.has_value()) {
    why = "Request timed out waiting for leader to handle previous voter change request";
    return ErrorCode::REQUEST_TIMED_OUT;
  }
  if (high_watermark_ <= leading_.epoch_start && !MILENA_MUTANT("raft-early-change")) {
    why = "Request timed out waiting for leader to establish HWM and fence previous voter changes";
    return ErrorCode::REQUEST_TIMED_OUT;
  }
  if (voters().kraft_version < 1) {
    why = fmt::format("The voters are fixed because the kraft.version feature is {}", voters().kraft_version);
    return ErrorCode::UNSUPPORTED_VERSION;
  }
  if (voters_offset() >= high_watermark_ && !MILENA_MUTANT("raft-early-change")) {
    why = fmt::format(
        "Request timed out waiting for voters to commit the latest voter change at {} with HWM {}",
        voters_offset(), high_watermark_);
    return ErrorCode::REQUEST_TIMED_OUT;
  }
  return ErrorCode::NONE;
}

Offset Raft::append_voters(const Now& now, VoterSet voters, Effects& effects) {
  std::ranges::sort(voters.voters, {}, &Voter::id);
  Offset offset = log_end_;
  append_control(now, {to_record(voters)}, effects);
  history_.add(offset, std::move(voters));
  return offset;
}

void Raft::end_change(ErrorCode error, std::string why, Effects& effects) {
  if (!leading_.change.has_value()) return;
  effects.changes.push_back({leading_.change->id, error, std::move(why)});
  leading_.change.reset();
}

void Raft::on(const Now& now, const AddVoter& event, Effects& effects) {
  std::string why;
  ErrorCode error = may_change_voters(why);
  auto refuse = [&] { effects.changes.push_back({event.id, error, why}); };
  if (error != ErrorCode::NONE) return refuse();
  if (voters().find(event.voter.id) != nullptr) {
    error = ErrorCode::DUPLICATE_VOTER;
    why = fmt::format("The voter id {} is already part of the set of voters", event.voter.id);
    return refuse();
  }
  if (event.voter.endpoints.empty() || event.voter.id < BrokerId(0) || event.voter.directory_id.is_zero()) {
    error = ErrorCode::INVALID_REQUEST;
    why = "A voter needs an id, a directory id and a listener";
    return refuse();
  }
  std::int16_t version = voters().kraft_version;
  if (version < event.voter.min_kraft_version || version > event.voter.max_kraft_version) {
    error = ErrorCode::INVALID_REQUEST;
    why = fmt::format("The voter supports kraft.version {} to {}, and {} is in use",
                      event.voter.min_kraft_version, event.voter.max_kraft_version, version);
    return refuse();
  }
  constexpr std::int64_t kHourMs = 3'600'000;
  auto known = leading_.replicas.find(event.voter.key());
  bool caught_up = known != leading_.replicas.end() && known->second.last_caught_up > Timestamp(0) &&
                   known->second.last_caught_up.value() > now.timestamp.value() - kHourMs;
  if (!caught_up) {
    error = ErrorCode::REQUEST_TIMED_OUT;
    why = fmt::format("Aborted add voter operation for {} because it is lagging behind", event.voter.id);
    return refuse();
  }
  VoterSet changed = voters();
  changed.voters.push_back(event.voter);
  Offset offset = append_voters(now, std::move(changed), effects);
  if (!event.ack_when_committed)
    effects.changes.push_back({event.id, ErrorCode::NONE, ""});
  else
    leading_.change = PendingChange{event.id, offset, now.instant + config_.timeouts.request};
}

void Raft::on(const Now& now, const RemoveVoter& event, Effects& effects) {
  std::string why;
  ErrorCode error = may_change_voters(why);
  const Voter* found = voters().find(event.voter.id);
  bool there = found != nullptr && found->key() == event.voter && voters().voters.size() > 1;
  if (error == ErrorCode::NONE && !there) {
    error = ErrorCode::VOTER_NOT_FOUND;
    why = fmt::format("Cannot remove voter {} with directory {}", event.voter.id, event.voter.directory_id);
  }
  if (error != ErrorCode::NONE) {
    effects.changes.push_back({event.id, error, why});
    return;
  }
  VoterSet changed = voters();
  std::erase_if(changed.voters, [&](const Voter& voter) { return voter.key() == event.voter; });
  Offset offset = append_voters(now, std::move(changed), effects);
  leading_.change = PendingChange{event.id, offset, now.instant + config_.timeouts.request};
  advance_high_watermark(now, effects);
}

Response Raft::answer(const Now& now, const UpdateVoterRequest& request, Effects& effects) {
  ErrorCode error = check_leader(request.epoch);
  std::string why;
  if (error == ErrorCode::NONE) error = may_change_voters(why);
  if (error != ErrorCode::NONE) return response(error);
  const Voter* found = voters().find(request.voter.id);
  if (found == nullptr || found->key() != request.voter.key()) return response(ErrorCode::VOTER_NOT_FOUND);
  std::int16_t version = voters().kraft_version;
  bool impossible = request.voter.endpoints.empty() || version < request.voter.min_kraft_version ||
                    version > request.voter.max_kraft_version;
  if (impossible) return response(ErrorCode::INVALID_REQUEST);
  if (*found == request.voter) return response(ErrorCode::NONE);
  VoterSet changed = voters();
  std::ranges::find(changed.voters, request.voter.id, &Voter::id)->operator=(request.voter);
  append_voters(now, std::move(changed), effects);
  return response(ErrorCode::NONE);
}

// Looked at once per fetch timeout, so that a leader that says no is not asked all the time.
bool Raft::should_update_self(const Now& now) const {
  if (config_.endpoints.empty() || voters().kraft_version < 1 || following_.update_deadline > now.instant)
    return false;
  const Voter* self = voters().find(config_.node_id);
  if (self == nullptr || self->key() != key()) return false;
  return self->endpoints != config_.endpoints || self->min_kraft_version != config_.min_kraft_version ||
         self->max_kraft_version != config_.max_kraft_version;
}

}  // namespace milena::raft
