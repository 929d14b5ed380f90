// LeaveGroup.
#include "group/coordinator.h"

namespace milena::group {

using wire::ErrorCode;

void Groups::Impl::leave(const wire::LeaveGroupRequest& request, const RequestInfo& info, Now now, Effects& out) {
  wire::LeaveGroupResponse response;
  std::vector<wire::LeaveGroupRequest::MemberIdentity> leaving = request.members;
  if (info.api_version < 3) {
    leaving.clear();
    leaving.emplace_back().member_id = request.member_id;
  }
  ClassicGroup* group = find_classic(request.group_id);
  bool left = false;
  if (request.group_id.empty()) {
    response.error_code = wire::to_int16(ErrorCode::INVALID_GROUP_ID);
    leaving.clear();
  }
  for (const auto& identity : leaving) {
    ErrorCode code = group == nullptr ? ErrorCode::UNKNOWN_MEMBER_ID : leave_one(*group, identity, out);
    left |= code == ErrorCode::NONE;
    auto& result = response.members.emplace_back();
    result.member_id = identity.member_id;
    result.group_instance_id = identity.group_instance_id;
    result.error_code = wire::to_int16(code);
  }
  if (info.api_version < 3 && !response.members.empty()) {
    response.error_code = response.members.front().error_code;
    response.members.clear();
  }
  if (left) {
    if (group->is(GroupState::preparing_rebalance)) {
      complete_join_if_ready(*group, now, out);
    } else if (group->can_rebalance() && !group->is(GroupState::empty)) {
      prepare_rebalance(*group, now, out);
    }
  }
  out.replies.push_back({info.token, !out.records.empty(), std::move(response)});
}

ErrorCode Groups::Impl::leave_one(ClassicGroup& group, const wire::LeaveGroupRequest::MemberIdentity& identity,
                                  Effects& out) {
  std::string member_id = identity.member_id;
  if (member_id.empty()) {
    // An operator removes a static member by its instance id alone.
    const std::string* present =
        identity.group_instance_id ? group.static_member_id(*identity.group_instance_id) : nullptr;
    if (present == nullptr) return ErrorCode::UNKNOWN_MEMBER_ID;
    member_id = *present;
  } else if (group.pending_join().contains(member_id)) {
    soft.timers.cancel(session_key(group, member_id));
    group.remove(member_id);
    return ErrorCode::NONE;
  } else {
    ErrorCode valid = group.validate_member(member_id, identity.group_instance_id);
    if (valid != ErrorCode::NONE) return valid;
  }
  ClassicMember& member = *group.find(member_id);
  soft.timers.cancel(session_key(group, member_id));
  wire::JoinGroupResponse gone;
  gone.error_code = wire::to_int16(ErrorCode::UNKNOWN_MEMBER_ID);
  answer_join(group, member, std::move(gone), out);
  if (member.awaiting_sync) {
    wire::SyncGroupResponse gone_sync;
    gone_sync.error_code = wire::to_int16(ErrorCode::UNKNOWN_MEMBER_ID);
    out.replies.push_back({member.awaiting_sync->token, false, std::move(gone_sync)});
  }
  group.remove(member_id);
  return ErrorCode::NONE;
}

}  // namespace milena::group
