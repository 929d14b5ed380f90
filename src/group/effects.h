/// What a step of the coordinator asks its driver to do, and what a request brings along.
///
/// The driver's duty, in this order: append `records` to the shard's log as one batch; call
/// Groups::replay for each; send each reply when its wait is over. If the batch cannot be appended, nothing
/// is replayed and Groups::append_failed turns the Effects into those that answer the error.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "group/record.h"
#include "wire/error_code.h"
#include "wire/messages/delete_groups_response.h"
#include "wire/messages/heartbeat_response.h"
#include "wire/messages/join_group_response.h"
#include "wire/messages/leave_group_response.h"
#include "wire/messages/offset_commit_response.h"
#include "wire/messages/offset_delete_response.h"
#include "wire/messages/sync_group_response.h"
#include "wire/messages/txn_offset_commit_response.h"

namespace milena::group {

/// Names a request until it is answered. The driver's own number, unique while the request is open.
using RequestToken = std::uint64_t;

struct RequestInfo {
  RequestToken token = 0;
  std::int16_t api_version = 0;
  std::string client_id;
  std::string client_host;  // as Kafka prints it: "/10.0.0.1"
};

/// The time of a step: monotonic for sessions and timers, wall clock for what is written into records.
struct Now {
  Instant instant;
  Timestamp wall = kNoTimestamp;
};

using ReplyBody = std::variant<wire::JoinGroupResponse, wire::SyncGroupResponse, wire::HeartbeatResponse,
                               wire::LeaveGroupResponse, wire::OffsetCommitResponse, wire::TxnOffsetCommitResponse,
                               wire::OffsetDeleteResponse, wire::DeleteGroupsResponse>;

struct Reply {
  RequestToken token = 0;
  /// True: send once the log is committed up to its end as of now, this Effects' own records included (at
  /// once if it already is): the reply tells of state that these or earlier records brought about.
  /// False: send at once; always so for errors.
  bool after_commit = false;
  ReplyBody body;
};

struct Effects {
  std::vector<GroupRecord> records;
  std::vector<Reply> replies;
  bool empty() const { return records.empty() && replies.empty(); }
  void append(Effects&& other);
};

/// Turns a reply into the error `code`, at every level where its API reports one; for replies that a driver
/// still holds back when the partition's leadership is lost.
void set_error(Reply& reply, wire::ErrorCode code);

}  // namespace milena::group
