// SyncGroup and Heartbeat.
#include <map>

#include "group/coordinator.h"

namespace milena::group {
namespace {

using wire::ErrorCode;

void refuse(const RequestInfo& info, ErrorCode code, Effects& out) {
  wire::SyncGroupResponse response;
  response.error_code = wire::to_int16(code);
  out.replies.push_back({info.token, false, std::move(response)});
}

ErrorCode validate(const ClassicGroup& group, const wire::SyncGroupRequest& request) {
  ErrorCode valid = group.validate_member(request.member_id, request.group_instance_id);
  if (valid != ErrorCode::NONE) return valid;
  if (request.generation_id != group.generation()) return ErrorCode::ILLEGAL_GENERATION;
  // KIP-559: from v5 clients say what they believe was chosen.
  auto differs = [](const std::optional<std::string>& said, const std::optional<std::string>& is) {
    return said && said != is;
  };
  if (differs(request.protocol_type, group.protocol_type()) || differs(request.protocol_name, group.protocol_name())) {
    return ErrorCode::INCONSISTENT_GROUP_PROTOCOL;
  }
  return ErrorCode::NONE;
}

}  // namespace

void Groups::Impl::sync(const wire::SyncGroupRequest& request, const RequestInfo& info, Now now, Effects& out) {
  if (request.group_id.empty()) return refuse(info, ErrorCode::INVALID_GROUP_ID, out);
  ClassicGroup* group = find_classic(request.group_id);
  if (group == nullptr || group->is(GroupState::empty)) return refuse(info, ErrorCode::UNKNOWN_MEMBER_ID, out);
  ErrorCode valid = validate(*group, request);
  if (valid != ErrorCode::NONE) return refuse(info, valid, out);
  if (group->is(GroupState::preparing_rebalance)) return refuse(info, ErrorCode::REBALANCE_IN_PROGRESS, out);

  ClassicMember& member = *group->find(request.member_id);
  group->pending_sync().erase(request.member_id);
  if (group->pending_sync().empty()) soft.timers.cancel(sync_key(*group));

  if (group->is(GroupState::stable)) {
    wire::SyncGroupResponse response;
    response.protocol_type = group->protocol_type();
    response.protocol_name = group->protocol_name();
    response.assignment = member.assignment;
    out.replies.push_back({info.token, true, std::move(response)});
    restart_session(*group, member, now.instant);
    return;
  }
  if (member.awaiting_sync) {  // from a connection that the member gave up
    RequestInfo older{.token = member.awaiting_sync->token, .api_version = 0, .client_id = "", .client_host = ""};
    refuse(older, ErrorCode::REBALANCE_IN_PROGRESS, out);
  }
  member.awaiting_sync = ParkedRequest{info.token, info.api_version};
  if (group->is_leader(request.member_id)) accept_assignment(*group, request, now, out);
}

void Groups::Impl::accept_assignment(ClassicGroup& group, const wire::SyncGroupRequest& request, Now now,
                                     Effects& out) {
  std::map<std::string_view, const Bytes*> given;
  for (const auto& assignment : request.assignments) given[assignment.member_id] = &assignment.assignment;
  for (auto& [id, member] : group.members()) {
    auto at = given.find(id);
    member.assignment = at == given.end() ? Bytes() : Bytes::copy(at->second->view());
  }
  record_group(group, out);  // with the time at which the join phase ended, as Kafka records it
  propagate_assignment(group, ErrorCode::NONE, now, out);
  group.transition_to(GroupState::stable, now.wall);
}

ErrorCode Groups::Impl::heartbeat(const wire::HeartbeatRequest& request, Now now) {
  if (request.group_id.empty()) return ErrorCode::INVALID_GROUP_ID;
  ClassicGroup* group = find_classic(request.group_id);
  if (group == nullptr) return ErrorCode::UNKNOWN_MEMBER_ID;
  ErrorCode valid = group->validate_member(request.member_id, request.group_instance_id);
  if (valid != ErrorCode::NONE) return valid;
  if (request.generation_id != group->generation()) return ErrorCode::ILLEGAL_GENERATION;
  switch (group->state()) {
    case GroupState::empty:
    case GroupState::dead:
      return ErrorCode::UNKNOWN_MEMBER_ID;
    case GroupState::preparing_rebalance:
      restart_session(*group, *group->find(request.member_id), now.instant);
      return ErrorCode::REBALANCE_IN_PROGRESS;
    case GroupState::completing_rebalance:
    case GroupState::stable:
      break;
  }
  restart_session(*group, *group->find(request.member_id), now.instant);
  return ErrorCode::NONE;
}

}  // namespace milena::group
