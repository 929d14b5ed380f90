/// Groups::Impl: the machine behind groups.h. `durable` is what the log says; `soft` is what Kafka never
/// records: live classic groups with who waits for what, and timers. Steps read both, change `soft` and put
/// records and replies into `out`; `durable` changes in replay alone. Internal to the room.
///
/// A classic group is live from the first step that needs it (loaded from its record) on; `soft.groups` may
/// be missing any group without members at any time.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "group/classic_group.h"
#include "group/durable.h"
#include "group/groups.h"
#include "group/timers.h"

namespace milena::group {

struct Groups::Impl {
  struct SoftState {
    std::map<std::string, std::unique_ptr<ClassicGroup>, std::less<>> groups;
    TimerTable timers;
    /// Groups by the earliest wall time (milliseconds) at which something of them may expire.
    std::set<std::pair<std::int64_t, std::string>> expiry_queue;
    std::map<std::string, std::int64_t, std::less<>> expiry_of;
  };

  Impl(GroupOptions o, MemberIdSource ids) : options(std::move(o)), member_ids(std::move(ids)) {}

  // ---- finding groups (coordinator.cc)
  /// The live classic group, loaded if it was recorded; null if there is none or it is not classic.
  ClassicGroup* find_classic(std::string_view group_id);
  /// The same for reads: `scratch` holds the group when it is not live.
  const ClassicGroup* peek_classic(std::string_view group_id, std::unique_ptr<ClassicGroup>& scratch) const;
  /// Kafka's type of the group, if anything is known of it.
  std::optional<GroupType> type_of(std::string_view group_id) const;
  void forget(std::string_view group_id);
  void note_expiry(const std::string& group_id, std::int64_t when_ms);
  void record_group(const ClassicGroup& group, Effects& out) const;
  void record_tombstones(const std::string& group_id, Effects& out) const;

  // ---- join (join.cc)
  void join(const wire::JoinGroupRequest& request, const RequestInfo& info, Now now, Effects& out);
  void join_classic(const wire::JoinGroupRequest& request, const RequestInfo& info, Now now, Effects& out);
  void join_new_member(ClassicGroup& group, const wire::JoinGroupRequest& request, const RequestInfo& info, Now now,
                       Effects& out);
  void join_existing_member(ClassicGroup& group, const wire::JoinGroupRequest& request, const RequestInfo& info,
                            Now now, Effects& out);
  void add_member(ClassicGroup& group, const wire::JoinGroupRequest& request, const RequestInfo& info,
                  const std::string& member_id, Now now, Effects& out);
  void update_member(ClassicGroup& group, ClassicMember& member, const wire::JoinGroupRequest& request,
                     const RequestInfo& info, Now now, Effects& out);
  void replace_static_member(ClassicGroup& group, const wire::JoinGroupRequest& request, const RequestInfo& info,
                             const std::string& old_id, const std::string& new_id, Now now, Effects& out);
  bool accepts_joining_member(const ClassicGroup& group, std::string_view member_id) const;

  // ---- rebalance (rebalance.cc)
  void rebalance_or_complete_join(ClassicGroup& group, Now now, Effects& out);
  void prepare_rebalance(ClassicGroup& group, Now now, Effects& out);
  void complete_join_if_ready(ClassicGroup& group, Now now, Effects& out);
  void complete_join(ClassicGroup& group, Now now, Effects& out);
  void extend_initial_delay(ClassicGroup& group, Now now, Effects& out);
  void expire_session(const TimerKey& key, Now now, Effects& out);
  void expire_pending_sync(ClassicGroup& group, Now now, Effects& out);
  /// Answers everybody who waits for an assignment, and starts their sessions.
  void propagate_assignment(ClassicGroup& group, wire::ErrorCode code, Now now, Effects& out);
  void reset_assignment(ClassicGroup& group, wire::ErrorCode code, Now now, Effects& out);
  void restart_session(const ClassicGroup& group, const ClassicMember& member, Instant now);
  void answer_join(ClassicGroup& group, ClassicMember& member, wire::JoinGroupResponse response, Effects& out,
                   bool after_commit = false);

  // ---- sync, heartbeat, leave (sync.cc, leave.cc)
  void sync(const wire::SyncGroupRequest& request, const RequestInfo& info, Now now, Effects& out);
  void accept_assignment(ClassicGroup& group, const wire::SyncGroupRequest& request, Now now, Effects& out);
  wire::ErrorCode heartbeat(const wire::HeartbeatRequest& request, Now now);
  void leave(const wire::LeaveGroupRequest& request, const RequestInfo& info, Now now, Effects& out);
  wire::ErrorCode leave_one(ClassicGroup& group, const wire::LeaveGroupRequest::MemberIdentity& identity,
                            Effects& out);

  // ---- offsets (offset_commit.cc, offset_expiry.cc)
  wire::ErrorCode validate_commit(const std::string& group_id, const std::string& member_id,
                                  const std::optional<std::string>& group_instance_id, std::int32_t generation,
                                  bool transactional, std::int16_t api_version, Now now);
  /// Of a group of another protocol, by what its records say of the member.
  wire::ErrorCode validate_other_commit(const DurableGroup& group, const std::string& member_id,
                                        std::int32_t member_epoch, bool transactional,
                                        std::int16_t api_version) const;
  /// NONE, UNKNOWN_MEMBER_ID or STALE_MEMBER_EPOCH.
  wire::ErrorCode check_member_epoch(const DurableGroup& group, std::string_view member_id,
                                     std::int32_t member_epoch) const;
  bool is_subscribed(const std::string& group_id, std::string_view topic) const;
  void expire_group_offsets(const std::string& group_id, Now now, Effects& out);

  // ---- life (coordinator.cc)
  void loaded(Now now, Effects& out);
  void advance(Now now, Effects& out);
  void append_failed(Effects& failed, wire::ErrorCode error, Now now, Effects& out);
  void unload(Effects& out);
  void check_invariants() const;

  GroupOptions options;
  MemberIdSource member_ids;
  DurableState durable;
  SoftState soft;
  bool is_loaded = false;
};

inline TimerKey session_key(const ClassicGroup& group, const std::string& member_id) {
  return {TimerKind::session, group.group_id(), member_id};
}
inline TimerKey join_key(const ClassicGroup& group) { return {TimerKind::join, group.group_id(), ""}; }
inline TimerKey initial_delay_key(const ClassicGroup& group) {
  return {TimerKind::initial_delay, group.group_id(), ""};
}
inline TimerKey sync_key(const ClassicGroup& group) { return {TimerKind::sync, group.group_id(), ""}; }

}  // namespace milena::group
