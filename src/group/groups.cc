#include "group/groups.h"

#include <utility>

#include "group/coordinator.h"

namespace milena::group {

Groups::Groups(GroupOptions options, MemberIdSource member_ids)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(member_ids))) {}
Groups::~Groups() = default;

Result<void, RecordError> Groups::replay(const GroupRecord& record, Offset offset, ProducerId producer_id) {
  TRY_ASSIGN(std::string group_id, impl_->durable.replay(record, offset, producer_id));
  // What has just been stored or removed may be the first thing of its group to expire, or the last.
  if (impl_->is_loaded && !group_id.empty()) impl_->note_expiry(group_id, 0);
  return {};
}

void Groups::replay_end_transaction(ProducerId producer_id, bool committed) {
  for (const std::string& group_id : impl_->durable.replay_end_transaction(producer_id, committed)) {
    if (impl_->is_loaded) impl_->note_expiry(group_id, 0);
  }
}

Effects Groups::loaded(Now now) {
  Effects out;
  impl_->loaded(now, out);
  return out;
}

Effects Groups::join_group(const wire::JoinGroupRequest& request, const RequestInfo& info, Now now) {
  Effects out;
  impl_->join(request, info, now, out);
  return out;
}

Effects Groups::sync_group(const wire::SyncGroupRequest& request, const RequestInfo& info, Now now) {
  Effects out;
  impl_->sync(request, info, now, out);
  return out;
}

Effects Groups::heartbeat(const wire::HeartbeatRequest& request, const RequestInfo& info, Now now) {
  Effects out;
  wire::HeartbeatResponse response;
  response.error_code = wire::to_int16(impl_->heartbeat(request, now));
  out.replies.push_back({info.token, false, std::move(response)});
  return out;
}

Effects Groups::leave_group(const wire::LeaveGroupRequest& request, const RequestInfo& info, Now now) {
  Effects out;
  impl_->leave(request, info, now, out);
  return out;
}

Effects Groups::advance(Now now) {
  Effects out;
  impl_->advance(now, out);
  return out;
}

Instant Groups::next_deadline() const { return impl_->soft.timers.next_deadline(); }

Effects Groups::append_failed(Effects failed, wire::ErrorCode error, Now now) {
  Effects out;
  impl_->append_failed(failed, error, now, out);
  return out;
}

Effects Groups::unload() {
  Effects out;
  impl_->unload(out);
  return out;
}

void Groups::check_invariants() const { impl_->check_invariants(); }
std::string Groups::dump_durable() const { return impl_->durable.dump(); }

std::size_t Groups::group_count() const {
  std::size_t count = impl_->durable.groups().size();
  for (const auto& [group_id, group] : impl_->soft.groups) count += impl_->durable.find(group_id) == nullptr;
  return count;
}

}  // namespace milena::group
