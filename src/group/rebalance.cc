// The rebalance of a classic group: join phase, generation, sync phase, and the timers that bound them.
#include <algorithm>

#include "base/check.h"
#include "group/coordinator.h"

namespace milena::group {

using wire::ErrorCode;

void Groups::Impl::restart_session(const ClassicGroup& group, const ClassicMember& member, Instant now) {
  soft.timers.set(session_key(group, member.member_id), now + from_ms(member.session_timeout_ms));
}

void Groups::Impl::answer_join(ClassicGroup& group, ClassicMember& member, wire::JoinGroupResponse response,
                               Effects& out, bool after_commit) {
  if (!member.awaiting_join) return;
  if (member.awaiting_join->api_version < 7 && !response.protocol_name) response.protocol_name = "";
  out.replies.push_back({member.awaiting_join->token, after_commit, std::move(response)});
  group.set_awaiting_join(member, std::nullopt);
}

void Groups::Impl::rebalance_or_complete_join(ClassicGroup& group, Now now, Effects& out) {
  if (group.can_rebalance()) {
    prepare_rebalance(group, now, out);
  } else {
    complete_join_if_ready(group, now, out);
  }
}

void Groups::Impl::prepare_rebalance(ClassicGroup& group, Now now, Effects& out) {
  if (group.is(GroupState::completing_rebalance)) {
    reset_assignment(group, ErrorCode::REBALANCE_IN_PROGRESS, now, out);
  }
  group.pending_sync().clear();
  soft.timers.cancel(sync_key(group));

  bool initial = group.is(GroupState::empty);
  group.transition_to(GroupState::preparing_rebalance, now.wall);
  if (initial) {
    // Members of a new group tend to come together: wait for them, and longer while more come, but never
    // beyond the rebalance timeout.
    group.initial_delay = options.group_initial_rebalance_delay;
    group.initial_delay_left = std::max(group.rebalance_timeout() - group.initial_delay, Duration::zero());
    soft.timers.set(initial_delay_key(group), now.instant + group.initial_delay);
  } else if (group.all_members_joined()) {
    complete_join(group, now, out);
  } else {
    soft.timers.set(join_key(group), now.instant + group.rebalance_timeout());
  }
}

void Groups::Impl::extend_initial_delay(ClassicGroup& group, Now now, Effects& out) {
  if (group.new_member_added && group.initial_delay_left > Duration::zero()) {
    group.new_member_added = false;
    Duration delay = std::min(options.group_initial_rebalance_delay, group.initial_delay_left);
    group.initial_delay_left = std::max(group.initial_delay_left - group.initial_delay, Duration::zero());
    group.initial_delay = delay;
    soft.timers.set(initial_delay_key(group), now.instant + delay);
  } else {
    complete_join(group, now, out);
  }
}

void Groups::Impl::complete_join_if_ready(ClassicGroup& group, Now now, Effects& out) {
  if (!group.is(GroupState::preparing_rebalance)) return;
  if (group.previous_state() == GroupState::empty) return;  // the initial delay decides
  if (group.all_members_joined()) complete_join(group, now, out);
}

void Groups::Impl::complete_join(ClassicGroup& group, Now now, Effects& out) {
  soft.timers.cancel(join_key(group));
  soft.timers.cancel(initial_delay_key(group));

  std::vector<std::string> absent;
  for (const auto& [id, member] : group.members()) {
    if (!member.awaiting_join && !member.group_instance_id) absent.push_back(id);
  }
  for (const std::string& id : absent) {
    soft.timers.cancel(session_key(group, id));
    group.remove(id);
  }

  if (!group.elect_joined_leader() && !group.members().empty()) {
    // Nobody came back, but static members are still within their sessions: wait for one more round.
    soft.timers.set(join_key(group), now.instant + group.rebalance_timeout());
    return;
  }
  group.next_generation(now.wall);
  if (group.is(GroupState::empty)) {
    record_group(group, out);
    return;
  }
  for (auto& [id, member] : group.members()) {
    wire::JoinGroupResponse response;
    if (group.is_leader(id)) response.members = group.members_for_leader();
    response.member_id = id;
    response.generation_id = group.generation();
    response.protocol_name = group.protocol_name();
    response.protocol_type = group.protocol_type();
    response.leader = group.leader().value_or("");
    answer_join(group, member, std::move(response), out);
    restart_session(group, member, now.instant);
    member.is_new = false;
    group.pending_sync().insert(id);
  }
  soft.timers.set(sync_key(group), now.instant + group.rebalance_timeout());
}

void Groups::Impl::propagate_assignment(ClassicGroup& group, ErrorCode code, Now now, Effects& out) {
  bool success = code == ErrorCode::NONE;
  for (auto& [id, member] : group.members()) {
    if (!member.awaiting_sync) continue;
    wire::SyncGroupResponse response;
    if (success) {
      response.protocol_name = group.protocol_name();
      response.protocol_type = group.protocol_type();
    }
    response.assignment = member.assignment;
    response.error_code = wire::to_int16(code);
    out.replies.push_back({member.awaiting_sync->token, success, std::move(response)});
    member.awaiting_sync.reset();
    restart_session(group, member, now.instant);
  }
}

void Groups::Impl::reset_assignment(ClassicGroup& group, ErrorCode code, Now now, Effects& out) {
  for (auto& [id, member] : group.members()) member.assignment = {};
  propagate_assignment(group, code, now, out);
}

void Groups::Impl::expire_session(const TimerKey& key, Now now, Effects& out) {
  ClassicGroup* group = find_classic(key.group_id);
  if (group == nullptr) return;
  if (group->pending_join().contains(key.member_id)) {
    group->remove(key.member_id);
    if (group->is(GroupState::preparing_rebalance) && group->all_members_joined()) complete_join(*group, now, out);
    return;
  }
  ClassicMember* member = group->find(key.member_id);
  if (member == nullptr || member->has_satisfied_heartbeat()) return;

  wire::JoinGroupResponse gone;
  gone.error_code = wire::to_int16(ErrorCode::UNKNOWN_MEMBER_ID);
  answer_join(*group, *member, std::move(gone), out);
  group->remove(key.member_id);
  if (group->is(GroupState::preparing_rebalance)) {
    if (group->all_members_joined()) complete_join(*group, now, out);
  } else if (group->can_rebalance() && !group->is(GroupState::empty)) {
    prepare_rebalance(*group, now, out);
  }
}

void Groups::Impl::expire_pending_sync(ClassicGroup& group, Now now, Effects& out) {
  if (!group.is(GroupState::completing_rebalance) && !group.is(GroupState::stable)) return;
  if (group.pending_sync().empty()) return;
  std::vector<std::string> late(group.pending_sync().begin(), group.pending_sync().end());
  for (const std::string& id : late) {
    soft.timers.cancel(session_key(group, id));
    group.remove(id);
  }
  prepare_rebalance(group, now, out);
}

}  // namespace milena::group
