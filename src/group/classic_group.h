/// ClassicGroup: the live, partly unrecorded side of a classic group: its state, members, who waits for what.
/// A passive structure with the bookkeeping that must stay consistent; what happens when is decided by the
/// coordinator (coordinator.h). Internal to the room. Threads: one loop.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "group/effects.h"
#include "group/types.h"
#include "wire/error_code.h"
#include "wire/messages/group_metadata_value.h"
#include "wire/messages/join_group_request.h"
#include "wire/messages/join_group_response.h"

namespace milena::group {

/// A request that waits for the group.
struct ParkedRequest {
  RequestToken token = 0;
  std::int16_t api_version = 0;
};

struct MemberProtocol {
  std::string name;
  Bytes metadata;
  bool operator==(const MemberProtocol&) const = default;
};

struct ClassicMember {
  std::string member_id;
  std::optional<std::string> group_instance_id;
  std::string client_id;
  std::string client_host;
  std::int32_t rebalance_timeout_ms = 0;
  std::int32_t session_timeout_ms = 0;
  std::vector<MemberProtocol> protocols;  // by preference
  Bytes assignment;
  bool is_new = false;  // not yet part of a generation
  std::optional<ParkedRequest> awaiting_join;
  std::optional<ParkedRequest> awaiting_sync;

  /// True while a parked request stands for the heartbeats.
  bool has_satisfied_heartbeat() const {
    return !is_new && (awaiting_join.has_value() || awaiting_sync.has_value());
  }
  /// Empty bytes when the member does not have the protocol.
  Bytes metadata(std::string_view protocol) const;
};

/// Copied, so that a member does not hold on to its request's buffer.
std::vector<MemberProtocol> copy_protocols(const wire::JoinGroupRequest& request);

class ClassicGroup {
 public:
  /// A group nobody knows yet.
  ClassicGroup(std::string group_id, Timestamp now);
  /// From what was recorded: Stable, or Empty without members.
  ClassicGroup(std::string group_id, const wire::GroupMetadataValue& value);

  const std::string& group_id() const { return group_id_; }
  GroupState state() const { return state_; }
  GroupState previous_state() const { return previous_state_; }
  bool is(GroupState state) const { return state_ == state; }
  std::int32_t generation() const { return generation_; }
  const std::optional<std::string>& protocol_type() const { return protocol_type_; }
  const std::optional<std::string>& protocol_name() const { return protocol_name_; }
  const std::optional<std::string>& leader() const { return leader_; }
  Timestamp state_timestamp() const { return state_timestamp_; }
  bool is_leader(std::string_view member_id) const { return leader_ == member_id; }
  bool can_rebalance() const { return state_ != GroupState::preparing_rebalance && state_ != GroupState::dead; }
  bool uses_consumer_protocol() const { return protocol_type_ == "consumer"; }
  /// Topics of a consumer group, unless a subscription cannot be read: then every topic counts.
  bool is_subscribed_to(std::string_view topic) const;
  bool subscriptions_known() const { return subscribed_topics_.has_value(); }

  std::map<std::string, ClassicMember, std::less<>>& members() { return members_; }
  const std::map<std::string, ClassicMember, std::less<>>& members() const { return members_; }
  ClassicMember* find(std::string_view member_id);
  const ClassicMember* find(std::string_view member_id) const;
  /// The member id of a static member; null if there is none.
  const std::string* static_member_id(std::string_view group_instance_id) const;
  std::int32_t awaiting_join_count() const { return awaiting_join_count_; }
  std::set<std::string, std::less<>>& pending_join() { return pending_join_; }
  const std::set<std::string, std::less<>>& pending_join() const { return pending_join_; }
  std::set<std::string, std::less<>>& pending_sync() { return pending_sync_; }
  bool all_members_joined() const {
    return pending_join_.empty() && static_cast<std::size_t>(awaiting_join_count_) == members_.size();
  }
  /// The longest of the members' rebalance timeouts.
  Duration rebalance_timeout() const;
  bool new_member_added = false;  // since the initial delay was last extended
  /// Of the first rebalance of an empty group: the delay that is running, and what may still be added.
  Duration initial_delay{0};
  Duration initial_delay_left{0};

  void transition_to(GroupState state, Timestamp now);
  void add(ClassicMember member, std::string_view protocol_type);
  void remove(std::string_view member_id);
  void update(ClassicMember& member, const wire::JoinGroupRequest& request, std::optional<ParkedRequest> join);
  void set_awaiting_join(ClassicMember& member, std::optional<ParkedRequest> join);
  /// The member under a new id; parked requests of the old one must have been answered.
  ClassicMember& rename_static(const std::string& old_id, const std::string& new_id);
  /// False: the leader and everybody else failed to join again. The leader is always one that joined.
  bool elect_joined_leader();
  /// The next generation: CompletingRebalance with the protocol of most votes, or Empty.
  void next_generation(Timestamp now);

  bool supports_protocols(const wire::JoinGroupRequest& request) const;
  /// REQUIRES: there are members.
  std::string select_protocol() const;
  /// NONE, UNKNOWN_MEMBER_ID or FENCED_INSTANCE_ID.
  wire::ErrorCode validate_member(std::string_view member_id,
                                  const std::optional<std::string>& group_instance_id) const;

  std::vector<wire::JoinGroupResponse::JoinGroupResponseMember> members_for_leader() const;
  /// What is recorded, with the given assignments (absent members: none).
  wire::GroupMetadataValue to_value() const;
  void check_invariants() const;

 private:
  void count_protocols(const ClassicMember& member, int delta);
  void compute_subscribed_topics();

  std::string group_id_;
  GroupState state_ = GroupState::empty;
  GroupState previous_state_ = GroupState::dead;
  Timestamp state_timestamp_ = kNoTimestamp;
  std::int32_t generation_ = 0;
  std::optional<std::string> protocol_type_;
  std::optional<std::string> protocol_name_;
  std::optional<std::string> leader_;
  std::map<std::string, ClassicMember, std::less<>> members_;
  std::map<std::string, std::string, std::less<>> static_members_;  // instance id -> member id
  std::set<std::string, std::less<>> pending_join_;  // ids handed out, not joined yet
  std::set<std::string, std::less<>> pending_sync_;  // in this generation, no SyncGroup yet
  std::map<std::string, std::int32_t, std::less<>> protocol_counts_;
  std::int32_t awaiting_join_count_ = 0;
  std::optional<std::set<std::string, std::less<>>> subscribed_topics_;
};

}  // namespace milena::group
