// JoinGroup.
#include <algorithm>

#include "group/coordinator.h"

namespace milena::group {
namespace {

using wire::ErrorCode;

void refuse(const RequestInfo& info, const std::string& member_id, ErrorCode code, Effects& out) {
  wire::JoinGroupResponse response;
  response.member_id = member_id;
  response.error_code = wire::to_int16(code);
  out.replies.push_back({info.token, false, std::move(response)});
}

/// The answer to a member that need not wait: it has joined this generation already.
void answer_current(const ClassicGroup& group, const std::string& member_id, const RequestInfo& info,
                    bool with_members, Effects& out) {
  wire::JoinGroupResponse response;
  if (with_members) response.members = group.members_for_leader();
  response.member_id = member_id;
  response.generation_id = group.generation();
  response.protocol_name = group.protocol_name();
  if (info.api_version < 7 && !response.protocol_name) response.protocol_name = "";
  response.protocol_type = group.protocol_type();
  response.leader = group.leader().value_or("");
  out.replies.push_back({info.token, false, std::move(response)});
}

/// A random UUID in its usual form: what Kafka puts behind the client's or instance's name.
std::string uuid_text(const Uuid& uuid) {
  Uuid u = Uuid::from_random(uuid.high, uuid.low);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", u.high >> 32, (u.high >> 16) & 0xffff, u.high & 0xffff,
                     u.low >> 48, u.low & 0xffffffffffff);
}

bool same_protocols(const ClassicMember& member, const wire::JoinGroupRequest& request) {
  return member.protocols == copy_protocols(request);
}

ParkedRequest parked(const RequestInfo& info) { return {info.token, info.api_version}; }

}  // namespace

void Groups::Impl::join(const wire::JoinGroupRequest& request, const RequestInfo& info, Now now, Effects& out) {
  if (request.group_id.empty()) return refuse(info, request.member_id, ErrorCode::INVALID_GROUP_ID, out);
  Duration session_timeout = from_ms(request.session_timeout_ms);
  if (session_timeout < options.group_min_session_timeout || session_timeout > options.group_max_session_timeout) {
    return refuse(info, request.member_id, ErrorCode::INVALID_SESSION_TIMEOUT, out);
  }
  const DurableGroup* stored = durable.find(request.group_id);
  if (stored != nullptr && stored->type() != GroupType::classic) {
    // An empty consumer or streams group becomes a classic one, as in Kafka; a running one does not.
    bool convertible = stored->type() == GroupType::consumer || stored->type() == GroupType::streams;
    if (!convertible || stored->other_has_members()) {
      return refuse(info, "", ErrorCode::INCONSISTENT_GROUP_PROTOCOL, out);
    }
    if (!request.member_id.empty()) return refuse(info, request.member_id, ErrorCode::UNKNOWN_MEMBER_ID, out);
    for (const auto& [key, record] : stored->other_records) out.records.push_back({record.key, std::nullopt});
  }
  if (info.api_version > 0) return join_classic(request, info, now, out);
  wire::JoinGroupRequest adjusted = request;  // v0 knows no rebalance timeout
  adjusted.rebalance_timeout_ms = request.session_timeout_ms;
  join_classic(adjusted, info, now, out);
}

void Groups::Impl::join_classic(const wire::JoinGroupRequest& request, const RequestInfo& info, Now now,
                                Effects& out) {
  bool unknown_member = request.member_id.empty();
  ClassicGroup* group = find_classic(request.group_id);
  bool is_new_group = group == nullptr;
  if (is_new_group) {
    if (!unknown_member) return refuse(info, request.member_id, ErrorCode::UNKNOWN_MEMBER_ID, out);
    auto made = std::make_unique<ClassicGroup>(request.group_id, now.wall);
    group = made.get();
    soft.groups.insert_or_assign(request.group_id, std::move(made));
    record_group(*group, out);
  }
  if (!accepts_joining_member(*group, request.member_id)) {
    soft.timers.cancel(session_key(*group, request.member_id));
    group->remove(request.member_id);
    return refuse(info, "", ErrorCode::GROUP_MAX_SIZE_REACHED, out);
  }
  if (unknown_member) {
    join_new_member(*group, request, info, now, out);
  } else {
    join_existing_member(*group, request, info, now, out);
  }
}

bool Groups::Impl::accepts_joining_member(const ClassicGroup& group, std::string_view member_id) const {
  const ClassicMember* member = group.find(member_id);
  auto max = static_cast<std::size_t>(std::max(options.group_max_size, 0));
  switch (group.state()) {
    case GroupState::empty:
    case GroupState::dead:
      return true;
    case GroupState::preparing_rebalance:
      // Members that wait already stay; more come in while there is room among those that wait.
      return (member != nullptr && member->awaiting_join) ||
             static_cast<std::size_t>(group.awaiting_join_count()) < max;
    case GroupState::completing_rebalance:
    case GroupState::stable:
      return member != nullptr || group.members().size() < max;
  }
  return false;
}

void Groups::Impl::join_new_member(ClassicGroup& group, const wire::JoinGroupRequest& request,
                                   const RequestInfo& info, Now now, Effects& out) {
  if (!group.supports_protocols(request)) {
    return refuse(info, "", ErrorCode::INCONSISTENT_GROUP_PROTOCOL, out);
  }
  std::string new_id = request.group_instance_id.value_or(info.client_id) + "-" + uuid_text(member_ids());
  if (request.group_instance_id) {
    const std::string* present = group.static_member_id(*request.group_instance_id);
    if (present != nullptr) return replace_static_member(group, request, info, std::string(*present), new_id, now, out);
    return add_member(group, request, info, new_id, now, out);
  }
  if (info.api_version < 4) return add_member(group, request, info, new_id, now, out);
  // KIP-394: a client that gives up on a slow JoinGroup must not leave a member behind.
  group.pending_join().insert(new_id);
  soft.timers.set(session_key(group, new_id), now.instant + from_ms(request.session_timeout_ms));
  refuse(info, new_id, ErrorCode::MEMBER_ID_REQUIRED, out);
}

void Groups::Impl::join_existing_member(ClassicGroup& group, const wire::JoinGroupRequest& request,
                                        const RequestInfo& info, Now now, Effects& out) {
  const std::string& member_id = request.member_id;
  if (!group.supports_protocols(request)) {
    return refuse(info, member_id, ErrorCode::INCONSISTENT_GROUP_PROTOCOL, out);
  }
  if (group.pending_join().contains(member_id)) {
    // A pending id belongs to a dynamic member; with an instance id it is somebody else's.
    if (request.group_instance_id) return refuse(info, member_id, ErrorCode::UNKNOWN_MEMBER_ID, out);
    return add_member(group, request, info, member_id, now, out);
  }
  ErrorCode valid = group.validate_member(member_id, request.group_instance_id);
  if (valid != ErrorCode::NONE) {
    refuse(info, member_id, valid, out);
    if (info.api_version >= 7) std::get<wire::JoinGroupResponse>(out.replies.back().body).protocol_name.reset();
    return;
  }
  ClassicMember& member = *group.find(member_id);
  switch (group.state()) {
    case GroupState::preparing_rebalance:
      return update_member(group, member, request, info, now, out);
    case GroupState::completing_rebalance:
      // The same again: its answer was lost.
      if (same_protocols(member, request)) {
        return answer_current(group, member_id, info, group.is_leader(member_id), out);
      }
      return update_member(group, member, request, info, now, out);
    case GroupState::stable:
      // A leader asks for a rebalance by joining; a follower by other protocols.
      if (group.is_leader(member_id) || !same_protocols(member, request)) {
        return update_member(group, member, request, info, now, out);
      }
      return answer_current(group, member_id, info, false, out);
    case GroupState::empty:
    case GroupState::dead:
      break;
  }
  refuse(info, member_id, ErrorCode::UNKNOWN_MEMBER_ID, out);
}

void Groups::Impl::add_member(ClassicGroup& group, const wire::JoinGroupRequest& request, const RequestInfo& info,
                              const std::string& member_id, Now now, Effects& out) {
  ClassicMember member;
  member.member_id = member_id;
  member.group_instance_id = request.group_instance_id;
  member.client_id = info.client_id;
  member.client_host = info.client_host;
  member.rebalance_timeout_ms = request.rebalance_timeout_ms;
  member.session_timeout_ms = request.session_timeout_ms;
  member.protocols = copy_protocols(request);
  member.is_new = true;
  member.awaiting_join = parked(info);
  if (group.is(GroupState::preparing_rebalance) && group.previous_state() == GroupState::empty) {
    group.new_member_added = true;
  }
  group.add(std::move(member), request.protocol_type);
  // A member that waits for its first generation sends no heartbeats; its connection may be gone all the same.
  soft.timers.set(session_key(group, member_id), now.instant + options.new_member_join_timeout);
  rebalance_or_complete_join(group, now, out);
}

void Groups::Impl::update_member(ClassicGroup& group, ClassicMember& member, const wire::JoinGroupRequest& request,
                                 const RequestInfo& info, Now now, Effects& out) {
  // An older request of the same member can only come from a connection it gave up.
  wire::JoinGroupResponse superseded;
  superseded.member_id = member.member_id;
  superseded.error_code = wire::to_int16(ErrorCode::REBALANCE_IN_PROGRESS);
  answer_join(group, member, std::move(superseded), out);
  group.update(member, request, parked(info));
  rebalance_or_complete_join(group, now, out);
}

void Groups::Impl::replace_static_member(ClassicGroup& group, const wire::JoinGroupRequest& request,
                                         const RequestInfo& info, const std::string& old_id,
                                         const std::string& new_id, Now now, Effects& out) {
  std::string old_leader = group.leader().value_or("");
  ClassicMember& old_member = *group.find(old_id);
  wire::JoinGroupResponse fenced;
  fenced.member_id = old_id;
  fenced.error_code = wire::to_int16(ErrorCode::FENCED_INSTANCE_ID);
  answer_join(group, old_member, std::move(fenced), out);
  if (old_member.awaiting_sync) {
    wire::SyncGroupResponse fenced_sync;
    fenced_sync.error_code = wire::to_int16(ErrorCode::FENCED_INSTANCE_ID);
    out.replies.push_back({old_member.awaiting_sync->token, false, std::move(fenced_sync)});
    old_member.awaiting_sync.reset();
  }
  soft.timers.cancel(session_key(group, old_id));
  ClassicMember& member = group.rename_static(old_id, new_id);
  group.update(member, request, parked(info));
  restart_session(group, member, now.instant);

  if (!group.is(GroupState::stable)) return rebalance_or_complete_join(group, now, out);
  if (group.select_protocol() != group.protocol_name()) return prepare_rebalance(group, now, out);

  // The assignment stands: the new process takes over its predecessor's without a rebalance.
  record_group(group, out);
  bool leads = group.is_leader(new_id);
  wire::JoinGroupResponse response;
  response.member_id = new_id;
  response.generation_id = group.generation();
  response.protocol_name = group.protocol_name();
  response.protocol_type = group.protocol_type();
  if (info.api_version >= 9) {  // KIP-814: the leader learns the members, but is not to assign again
    if (leads) response.members = group.members_for_leader();
    response.leader = group.leader().value_or("");
    response.skip_assignment = leads;
  } else {
    response.leader = old_leader;  // so that a leader that came back does not assign
  }
  answer_join(group, member, std::move(response), out, true);
}

}  // namespace milena::group
