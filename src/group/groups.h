/// Groups: the group coordinator of one partition of `__consumer_offsets`, as a pure machine.
///
/// A request becomes records and replies (see effects.h); durable state changes in `replay` alone, which
/// loading, following one's own appends, and tests share. What Kafka does not persist (members that are
/// joining, parked requests, sessions) is a separate part, ClassicGroups, empty after a failover.
///
/// Life: construct; `replay` the whole log; `loaded(now)`; then requests and `advance`; `unload()` when the
/// partition's leadership goes, after which the object is thrown away. Losing leadership never rolls back in
/// place: the next leader, even if it is this node again, starts from a new object.
///
/// A request that cannot be answered yet (JoinGroup until the rebalance completes, SyncGroup until the
/// leader's assignment is there) is parked; a later Effects answers it under its token. A parked request
/// that its connection gave up on needs no call: its reply is to be dropped.
///
/// Checked by the caller: that this node leads the group's partition, authorization, that topics exist. Group ids
/// that are empty are refused here as Kafka does (INVALID_GROUP_ID), per request type.
///
/// Semantics: Apache Kafka 4.3.1, classic protocol; KIP-62, 134 (initial delay), 345 (static members), 394
/// (member id required), 429 (cooperative: opaque here), 447 (stable offsets), 559, 800, 814 (skip assignment).
///
/// Threads: one loop. No I/O, clock or randomness inside. Cost: O(members of the group) per rebalance step,
/// O(log timers) per timer; nothing is proportional to the number of groups but list_groups.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "base/uuid.h"
#include "group/effects.h"
#include "group/options.h"
#include "group/record.h"
#include "wire/error_code.h"
#include "wire/messages/delete_groups_request.h"
#include "wire/messages/describe_groups_response.h"
#include "wire/messages/heartbeat_request.h"
#include "wire/messages/join_group_request.h"
#include "wire/messages/leave_group_request.h"
#include "wire/messages/list_groups_response.h"
#include "wire/messages/offset_commit_request.h"
#include "wire/messages/offset_delete_request.h"
#include "wire/messages/offset_fetch_request.h"
#include "wire/messages/offset_fetch_response.h"
#include "wire/messages/sync_group_request.h"
#include "wire/messages/txn_offset_commit_request.h"

namespace milena::group {

/// Draws the random part of a new member's id.
using MemberIdSource = std::function<Uuid()>;

class Groups {
 public:
  Groups(GroupOptions options, MemberIdSource member_ids);
  ~Groups();
  Groups(const Groups&) = delete;
  Groups& operator=(const Groups&) = delete;

  // ---- durable state -------------------------------------------------------------------------------
  /// Applies one record of the log: while loading, and for each record of an Effects right after its append.
  /// `producer_id` is that of the record's batch if the batch is transactional, else kNoProducer: such
  /// offset commits stay pending until replay_end_transaction.
  /// Errors: a record that cannot be read changes nothing.
  Result<void, RecordError> replay(const GroupRecord& record, Offset offset, ProducerId producer_id = kNoProducer);
  /// Applies a transaction's end marker: its pending offsets become visible or vanish.
  void replay_end_transaction(ProducerId producer_id, bool committed);
  /// The log is read: sessions of the members found begin now; groups above group.max.size rebalance.
  Effects loaded(Now now);

  // ---- classic membership --------------------------------------------------------------------------
  /// Keys 11, 14, 12, 13 of the protocol. Errors are in the reply, never elsewhere.
  Effects join_group(const wire::JoinGroupRequest& request, const RequestInfo& info, Now now);
  Effects sync_group(const wire::SyncGroupRequest& request, const RequestInfo& info, Now now);
  Effects heartbeat(const wire::HeartbeatRequest& request, const RequestInfo& info, Now now);
  Effects leave_group(const wire::LeaveGroupRequest& request, const RequestInfo& info, Now now);

  // ---- offsets -------------------------------------------------------------------------------------
  /// Topics are named in `request` whatever its version: for v10 the caller fills in the names of the topic
  /// ids it knows, and takes topics it does not know out. The reply repeats names and ids.
  Effects offset_commit(const wire::OffsetCommitRequest& request, const RequestInfo& info, Now now);
  /// The records must be appended as a transactional batch of the request's producer, and replayed with it.
  Effects txn_offset_commit(const wire::TxnOffsetCommitRequest& request, const RequestInfo& info, Now now);
  /// `subscribed` topics of running consumer groups are refused (GROUP_SUBSCRIBED_TO_TOPIC).
  Effects offset_delete(const wire::OffsetDeleteRequest& request, const RequestInfo& info, Now now);
  /// One group of an OffsetFetch; requests before v8 are to be brought into this form. Topics absent: all of
  /// them, named (and with the topic id of the commit, if it had one). Topics that are asked for by id come
  /// with their names filled in.
  /// For this and all reads below: send the answer once the log is committed up to its present end.
  wire::OffsetFetchResponse::OffsetFetchResponseGroup offset_fetch(
      const wire::OffsetFetchRequest::OffsetFetchRequestGroup& request, bool require_stable) const;

  // ---- administration ------------------------------------------------------------------------------
  std::vector<wire::ListGroupsResponse::ListedGroup> list_groups(std::span<const std::string> states_filter,
                                                                 std::span<const std::string> types_filter) const;
  /// A group that is not there, or is not classic, is described as Dead; from v6 with GROUP_ID_NOT_FOUND.
  wire::DescribeGroupsResponse::DescribedGroup describe_group(std::string_view group_id,
                                                              std::int16_t api_version) const;
  /// Of the request's groups, those of this shard. The reply has a result for each.
  Effects delete_groups(const wire::DeleteGroupsRequest& request, const RequestInfo& info);

  // ---- time ----------------------------------------------------------------------------------------
  /// Does what is due: sessions, rebalances, initial delays, pending members and syncs.
  Effects advance(Now now);
  /// When advance wants to be called next; Instant::never() if nothing is running.
  Instant next_deadline() const;
  /// Offsets past offsets.retention.minutes go, and empty groups left without offsets (KIP-211). To be
  /// called each offsets.retention.check.interval.ms; looks only at groups with something due.
  /// If its records cannot be appended, the next call looks at those groups again.
  Effects expire_offsets(Now now);
  /// Takes away what was committed for topics that are no more, pending or not, in groups of every kind. Commits
  /// that name another topic id under the same name stay. The groups go with the next expire_offsets. Before
  /// `loaded` the call is too early: keep it until then.
  Effects topics_deleted(const std::map<Uuid, std::string>& topics);

  // ---- failure -------------------------------------------------------------------------------------
  /// `failed` could not be appended: nothing of it was replayed. Its replies become errors (`error` as
  /// clients of this API know it: a log's UNKNOWN_TOPIC_OR_PARTITION, NOT_ENOUGH_REPLICAS or
  /// REQUEST_TIMED_OUT is COORDINATOR_NOT_AVAILABLE, NOT_LEADER_OR_FOLLOWER or KAFKA_STORAGE_ERROR is
  /// NOT_COORDINATOR, ...), and groups whose assignment is not stored rebalance.
  Effects append_failed(Effects failed, wire::ErrorCode error, Now now);
  /// Leadership is lost: every parked request is answered NOT_COORDINATOR.
  Effects unload();

  // ---- for tests -----------------------------------------------------------------------------------
  /// CHECKs what must hold between durable and soft state.
  void check_invariants() const;
  /// The durable state as text, the same for equal states: what replay alone brings about.
  std::string dump_durable() const;
  std::size_t group_count() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace milena::group
