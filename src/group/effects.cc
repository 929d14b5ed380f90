#include "group/effects.h"

#include <iterator>
#include <utility>

namespace milena::group {
namespace {

using wire::to_int16;

void set(wire::JoinGroupResponse& response, std::int16_t code) {
  wire::JoinGroupResponse error;
  error.member_id = std::move(response.member_id);
  error.error_code = code;
  response = std::move(error);
}

void set(wire::SyncGroupResponse& response, std::int16_t code) {
  response = {};
  response.error_code = code;
}

void set(wire::HeartbeatResponse& response, std::int16_t code) { response.error_code = code; }

void set(wire::LeaveGroupResponse& response, std::int16_t code) {
  response.error_code = code;
  response.members.clear();
}

template <class TopicsResponse>
void set_each_partition(TopicsResponse& response, std::int16_t code) {
  for (auto& topic : response.topics) {
    for (auto& partition : topic.partitions) partition.error_code = code;
  }
}

void set(wire::OffsetCommitResponse& response, std::int16_t code) { set_each_partition(response, code); }
void set(wire::TxnOffsetCommitResponse& response, std::int16_t code) { set_each_partition(response, code); }

void set(wire::OffsetDeleteResponse& response, std::int16_t code) {
  response.error_code = code;
  response.topics.clear();
}

void set(wire::DeleteGroupsResponse& response, std::int16_t code) {
  for (auto& result : response.results) {
    if (result.error_code == 0) result.error_code = code;
  }
}

}  // namespace

void Effects::append(Effects&& other) {
  records.insert(records.end(), std::make_move_iterator(other.records.begin()),
                 std::make_move_iterator(other.records.end()));
  replies.insert(replies.end(), std::make_move_iterator(other.replies.begin()),
                 std::make_move_iterator(other.replies.end()));
}

void set_error(Reply& reply, wire::ErrorCode code) {
  reply.after_commit = false;
  std::visit([&](auto& response) { set(response, to_int16(code)); }, reply.body);
}

}  // namespace milena::group
