/// A coordinator with a log in memory, for tests: what each step records is replayed at once, what it
/// replies is kept by token. Time moves only by `tick`.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "group/groups.h"

namespace milena::group {

/// A JoinGroup in short.
struct Join {
  std::string group = "g";
  std::string member_id = {};
  std::optional<std::string> instance = {};
  std::vector<std::string> protocols = {"range"};
  std::string protocol_type = "consumer";
  std::int32_t session_ms = 10000;
  std::int32_t rebalance_ms = 60000;
  std::int16_t version = 9;
};

class TestShard {
 public:
  explicit TestShard(GroupOptions options = {}, std::uint64_t seed = 1)
      : random_(seed), groups_(std::move(options), [this] { return Uuid{random_.next(), random_.next()}; }) {}

  Groups& groups() { return groups_; }
  Now now() const { return now_; }
  const std::vector<std::pair<GroupRecord, ProducerId>>& log() const { return log_; }

  /// As a driver does it. Returns how many records there were.
  std::size_t apply(Effects effects, ProducerId producer_id = kNoProducer) {
    for (const GroupRecord& record : effects.records) {
      EXPECT_FALSE(groups_.replay(record, Offset(static_cast<std::int64_t>(log_.size())), producer_id).failed());
      log_.emplace_back(record, producer_id);
    }
    for (Reply& reply : effects.replies) {
      EXPECT_FALSE(replies_.contains(reply.token)) << "answered twice: " << reply.token;
      replies_.emplace(reply.token, std::move(reply));
    }
    groups_.check_invariants();
    return effects.records.size();
  }
  void load() { apply(groups_.loaded(now_)); }
  /// Moves time on and does what came due.
  void tick(Duration by) {
    now_.instant = now_.instant + by;
    now_.wall += to_ms(by);
    apply(groups_.advance(now_));
  }

  RequestInfo info(std::int16_t api_version) {
    return {.token = ++token_, .api_version = api_version, .client_id = "client", .client_host = "/10.0.0.1"};
  }
  bool answered(RequestToken token) const { return replies_.contains(token); }
  bool after_commit(RequestToken token) const { return replies_.at(token).after_commit; }
  std::size_t reply_count() const { return replies_.size(); }
  template <class Response>
  const Response& reply(RequestToken token) const {
    EXPECT_TRUE(answered(token)) << token;
    return std::get<Response>(replies_.at(token).body);
  }

  // Requests in short; each returns the request's token.
  RequestToken join(const Join& j) {
    wire::JoinGroupRequest request;
    request.group_id = j.group;
    request.member_id = j.member_id;
    request.group_instance_id = j.instance;
    request.protocol_type = j.protocol_type;
    request.session_timeout_ms = j.session_ms;
    request.rebalance_timeout_ms = j.rebalance_ms;
    for (const std::string& p : j.protocols) request.protocols.push_back({p, Bytes::copy("meta-" + p)});
    RequestInfo i = info(j.version);
    apply(groups_.join_group(request, i, now_));
    return i.token;
  }
  const wire::JoinGroupResponse& joined(RequestToken token) const { return reply<wire::JoinGroupResponse>(token); }

  RequestToken sync(const std::string& member_id, std::int32_t generation,
                    std::vector<std::pair<std::string, std::string>> assignments = {}, std::string group = "g",
                    std::optional<std::string> instance = {}, std::int16_t version = 5) {
    wire::SyncGroupRequest request;
    request.group_id = std::move(group);
    request.member_id = member_id;
    request.generation_id = generation;
    request.group_instance_id = std::move(instance);
    for (auto& [id, bytes] : assignments) request.assignments.push_back({id, Bytes::copy(bytes)});
    RequestInfo i = info(version);
    apply(groups_.sync_group(request, i, now_));
    return i.token;
  }
  const wire::SyncGroupResponse& synced(RequestToken token) const { return reply<wire::SyncGroupResponse>(token); }

  wire::ErrorCode heartbeat(const std::string& member_id, std::int32_t generation, std::string group = "g",
                            std::optional<std::string> instance = {}) {
    wire::HeartbeatRequest request;
    request.group_id = std::move(group);
    request.member_id = member_id;
    request.generation_id = generation;
    request.group_instance_id = std::move(instance);
    RequestInfo i = info(4);
    apply(groups_.heartbeat(request, i, now_));
    return wire::error_code_from(reply<wire::HeartbeatResponse>(i.token).error_code);
  }

  wire::LeaveGroupResponse leave(std::vector<std::pair<std::string, std::optional<std::string>>> members,
                                 std::string group = "g") {
    wire::LeaveGroupRequest request;
    request.group_id = std::move(group);
    for (auto& [id, instance] : members) {
      auto& identity = request.members.emplace_back();
      identity.member_id = id;
      identity.group_instance_id = instance;
    }
    RequestInfo i = info(5);
    apply(groups_.leave_group(request, i, now_));
    return reply<wire::LeaveGroupResponse>(i.token);
  }

  /// The error of the one partition.
  wire::ErrorCode commit(const std::string& member_id, std::int32_t generation, std::int64_t offset,
                         std::string group = "g", std::string topic = "t", std::int32_t partition = 0,
                         std::string metadata = "", std::int16_t version = 9, std::int64_t retention_ms = -1,
                         Uuid topic_id = {}) {
    wire::OffsetCommitRequest request;
    request.group_id = std::move(group);
    request.member_id = member_id;
    request.generation_id_or_member_epoch = generation;
    request.retention_time_ms = retention_ms;
    auto& t = request.topics.emplace_back();
    t.name = std::move(topic);
    t.topic_id = topic_id;
    auto& p = t.partitions.emplace_back();
    p.partition_index = partition;
    p.committed_offset = offset;
    p.committed_leader_epoch = 7;
    p.committed_metadata = std::move(metadata);
    RequestInfo i = info(version);
    apply(groups_.offset_commit(request, i, now_));
    return wire::error_code_from(reply<wire::OffsetCommitResponse>(i.token).topics.at(0).partitions.at(0).error_code);
  }

  wire::OffsetFetchResponse::OffsetFetchResponsePartitions fetch(std::string group = "g", std::string topic = "t",
                                                                 std::int32_t partition = 0, bool stable = false,
                                                                 Uuid topic_id = {}) {
    wire::OffsetFetchRequest::OffsetFetchRequestGroup request;
    request.group_id = std::move(group);
    auto& t = request.topics.emplace().emplace_back();
    t.name = std::move(topic);
    t.topic_id = topic_id;
    t.partition_indexes.push_back(partition);
    return groups_.offset_fetch(request, stable).topics.at(0).partitions.at(0);
  }

  std::string state(std::string group = "g") { return groups_.describe_group(group, 6).group_state; }

  /// A dynamic member that has its id: the second of the two joins is left parked.
  struct Member {
    std::string id;
    RequestToken token = 0;
  };
  Member join_dynamic(Join j = {}) {
    RequestToken first = join(j);
    EXPECT_EQ(joined(first).error_code, wire::to_int16(wire::ErrorCode::MEMBER_ID_REQUIRED));
    j.member_id = joined(first).member_id;
    return {j.member_id, join(j)};
  }
  /// A stable group of `count` dynamic members; the first is the leader. Assignment of each: "a-" + its id.
  std::vector<std::string> stable_group(std::size_t count, Join j = {}) {
    std::vector<Member> members;
    for (std::size_t i = 0; i < count; ++i) members.push_back(join_dynamic(j));
    tick(3s);
    while (!answered(members.at(0).token)) tick(3s);
    std::vector<std::string> ids{joined(members[0].token).leader};
    std::vector<std::pair<std::string, std::string>> assignments;
    for (const Member& m : members) {
      if (m.id != ids[0]) ids.push_back(m.id);
      assignments.emplace_back(m.id, "a-" + m.id);
    }
    std::int32_t generation = joined(members[0].token).generation_id;
    for (std::size_t i = count; i-- > 0;) {
      sync(ids[i], generation, i == 0 ? assignments : std::vector<std::pair<std::string, std::string>>{}, j.group);
    }
    return ids;
  }

 private:
  Random random_;
  Groups groups_;
  Now now_{Instant(1000s), Timestamp(1'700'000'000'000)};
  RequestToken token_ = 0;
  std::vector<std::pair<GroupRecord, ProducerId>> log_;
  std::map<RequestToken, Reply> replies_;
};

}  // namespace milena::group
