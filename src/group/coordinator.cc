// Finding groups, loading, time and failure.
#include "group/coordinator.h"

#include "base/check.h"

namespace milena::group {

using wire::ErrorCode;

ClassicGroup* Groups::Impl::find_classic(std::string_view group_id) {
  auto at = soft.groups.find(group_id);
  if (at != soft.groups.end()) return at->second.get();
  std::unique_ptr<ClassicGroup> loaded;
  peek_classic(group_id, loaded);
  if (loaded == nullptr) return nullptr;
  return soft.groups.emplace(std::string(group_id), std::move(loaded)).first->second.get();
}

const ClassicGroup* Groups::Impl::peek_classic(std::string_view group_id,
                                               std::unique_ptr<ClassicGroup>& scratch) const {
  auto at = soft.groups.find(group_id);
  if (at != soft.groups.end()) return at->second.get();
  const DurableGroup* stored = durable.find(group_id);
  if (stored == nullptr || stored->type() != GroupType::classic) return nullptr;
  scratch = stored->metadata ? std::make_unique<ClassicGroup>(std::string(group_id), *stored->metadata)
                             : std::make_unique<ClassicGroup>(std::string(group_id), kNoTimestamp);
  return scratch.get();
}

std::optional<GroupType> Groups::Impl::type_of(std::string_view group_id) const {
  if (soft.groups.contains(group_id)) return GroupType::classic;
  const DurableGroup* stored = durable.find(group_id);
  if (stored == nullptr) return std::nullopt;
  return stored->type();
}

void Groups::Impl::forget(std::string_view group_id) {
  auto at = soft.groups.find(group_id);
  if (at == soft.groups.end()) return;
  const ClassicGroup& group = *at->second;
  for (const auto& [id, member] : group.members()) soft.timers.cancel(session_key(group, id));
  for (const std::string& id : group.pending_join()) soft.timers.cancel(session_key(group, id));
  soft.timers.cancel(join_key(group));
  soft.timers.cancel(initial_delay_key(group));
  soft.timers.cancel(sync_key(group));
  soft.groups.erase(at);
}

void Groups::Impl::record_group(const ClassicGroup& group, Effects& out) const {
  out.records.push_back(make_group_record(group.group_id(), group.to_value()));
}

void Groups::Impl::record_tombstones(const std::string& group_id, Effects& out) const {
  const DurableGroup* stored = durable.find(group_id);
  if (stored == nullptr || stored->type() == GroupType::classic) {
    out.records.push_back(make_group_tombstone(group_id));
    return;
  }
  for (const auto& [key, record] : stored->other_records) out.records.push_back({record.key, std::nullopt});
}

void Groups::Impl::loaded(Now now, Effects& out) {
  CHECK(!is_loaded);
  is_loaded = true;
  for (const auto& [group_id, stored] : durable.groups()) {
    note_expiry(group_id, 0);
    if (stored.type() != GroupType::classic || !stored.metadata || stored.metadata->members.empty()) continue;
    ClassicGroup& group = *find_classic(group_id);
    for (const auto& [id, member] : group.members()) restart_session(group, member, now.instant);
    if (group.members().size() > static_cast<std::size_t>(std::max(options.group_max_size, 0))) {
      prepare_rebalance(group, now, out);
    }
  }
}

void Groups::Impl::advance(Now now, Effects& out) {
  while (std::optional<TimerKey> key = soft.timers.take_due(now.instant)) {
    if (key->kind == TimerKind::session) {
      expire_session(*key, now, out);
      continue;
    }
    ClassicGroup* group = find_classic(key->group_id);
    if (group == nullptr) continue;
    switch (key->kind) {
      case TimerKind::join:
        complete_join(*group, now, out);
        break;
      case TimerKind::initial_delay:
        extend_initial_delay(*group, now, out);
        break;
      case TimerKind::sync:
        expire_pending_sync(*group, now, out);
        break;
      case TimerKind::session:
        break;
    }
  }
}

namespace {

/// A log's error as clients of the coordinator know it.
ErrorCode coordinator_error(ErrorCode error) {
  switch (error) {
    case ErrorCode::UNKNOWN_TOPIC_OR_PARTITION:
    case ErrorCode::NOT_ENOUGH_REPLICAS:
    case ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case ErrorCode::REQUEST_TIMED_OUT:
      return ErrorCode::COORDINATOR_NOT_AVAILABLE;
    case ErrorCode::NOT_LEADER_OR_FOLLOWER:
    case ErrorCode::KAFKA_STORAGE_ERROR:
      return ErrorCode::NOT_COORDINATOR;
    case ErrorCode::MESSAGE_TOO_LARGE:
    case ErrorCode::RECORD_LIST_TOO_LARGE:
    case ErrorCode::INVALID_FETCH_SIZE:
      return ErrorCode::UNKNOWN_SERVER_ERROR;
    default:
      return error;
  }
}

}  // namespace

void Groups::Impl::append_failed(Effects& failed, ErrorCode error, Now now, Effects& out) {
  for (Reply& reply : failed.replies) {
    set_error(reply, coordinator_error(error));
    out.replies.push_back(std::move(reply));
  }
  for (const GroupRecord& record : failed.records) {
    if (record_type(record) != kGroupMetadata) continue;
    std::optional<std::string> group_id = group_id_of(record);
    auto at = soft.groups.find(group_id.value_or(""));
    if (at == soft.groups.end() || !at->second->is(GroupState::stable)) continue;
    // What was not stored must not be used: the members have to agree again.
    ClassicGroup& group = *at->second;
    for (auto& [id, member] : group.members()) member.assignment = {};
    prepare_rebalance(group, now, out);
  }
}

void Groups::Impl::unload(Effects& out) {
  for (auto& [group_id, group] : soft.groups) {
    for (auto& [id, member] : group->members()) {
      wire::JoinGroupResponse join;
      join.member_id = id;
      join.error_code = wire::to_int16(ErrorCode::NOT_COORDINATOR);
      answer_join(*group, member, std::move(join), out);
      if (!member.awaiting_sync) continue;
      wire::SyncGroupResponse sync;
      sync.error_code = wire::to_int16(ErrorCode::NOT_COORDINATOR);
      out.replies.push_back({member.awaiting_sync->token, false, std::move(sync)});
      member.awaiting_sync.reset();
    }
  }
  soft = {};
}

void Groups::Impl::check_invariants() const {
  durable.check_invariants();
  for (const auto& [group_id, group] : soft.groups) {
    CHECK(group_id == group->group_id());
    group->check_invariants();
    // Nobody waits without a deadline.
    for (const auto& [id, member] : group->members()) {
      bool timed = soft.timers.contains(session_key(*group, id)) || soft.timers.contains(join_key(*group)) ||
                   soft.timers.contains(initial_delay_key(*group)) || soft.timers.contains(sync_key(*group));
      CHECK(timed, "member {} of {} ({}) has no timer", id, group_id, name(group->state()));
    }
    for (const std::string& id : group->pending_join()) {
      CHECK(soft.timers.contains(session_key(*group, id)), "pending {} of {}", id, group_id);
    }
    if (group->is(GroupState::preparing_rebalance)) {
      CHECK(soft.timers.contains(join_key(*group)) || soft.timers.contains(initial_delay_key(*group)), "{}",
            group_id);
    }
  }
}

}  // namespace milena::group
