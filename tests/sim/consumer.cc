#include "consumer.h"

#include <fmt/format.h>

#include "fetcher.h"
#include "reader.h"
#include "wire/apis/heartbeat.h"
#include "wire/apis/join_group.h"
#include "wire/apis/leave_group.h"
#include "wire/apis/offset_commit.h"
#include "wire/apis/sync_group.h"

namespace milena::sim {
namespace {

using wire::ErrorCode;

struct Consumer {
  Consumer(Clients* own, std::string group_id, std::string name)
      : clients(own),
        group(std::move(group_id)),
        client_id(std::move(name)),
        is_static(own->random.one_in(2)),
        fetcher(own, own->random.one_in(2)) {}

  std::optional<std::string> instance() const {
    return is_static ? std::optional<std::string>(client_id) : std::nullopt;
  }

  Clients* clients;
  std::string group;
  std::string client_id;
  bool is_static;  // a member that keeps its place by its group.instance.id (KIP-345)
  ConnectionPtr connection;
  std::string member_id;
  std::int32_t generation = -1;
  int losses = 0;  // Clients::losses when it got its share: the generation may come again in a later life
  bool joined = false;
  Fetcher fetcher;
  // Of a static member that forgot who it was: its former self.
  std::string former_id;
  std::int32_t former_generation = -1;
  int former_losses = 0;
  std::vector<PartitionRef> former_share;
};

// An assignment is a list of "topic index:partition," in text: the broker does not look into it.
std::string encode_assignment(const std::vector<PartitionRef>& partitions) {
  std::string text;
  for (PartitionRef one : partitions) text += fmt::format("{}:{},", one.topic, one.partition);
  return text;
}

std::vector<PartitionRef> decode_assignment(std::string_view text) {
  std::vector<PartitionRef> partitions;
  while (!text.empty()) {
    std::size_t colon = text.find(':');
    std::size_t comma = text.find(',');
    if (colon == std::string_view::npos || comma == std::string_view::npos) break;
    PartitionRef one;
    one.topic = static_cast<std::size_t>(std::stoi(std::string(text.substr(0, colon))));
    one.partition = std::stoi(std::string(text.substr(colon + 1, comma - colon - 1)));
    partitions.push_back(one);
    text.remove_prefix(comma + 1);
  }
  return partitions;
}

std::vector<wire::SyncGroupRequest::SyncGroupRequestAssignment> share_out(
    const Clients& clients, const wire::JoinGroupResponse& joined) {
  std::vector<std::vector<PartitionRef>> shares(joined.members.size());
  std::size_t next = 0;
  const auto& topics = clients.history.topics;
  for (std::size_t i = 0; i < topics.size(); ++i) {
    for (std::int32_t p = 0; p < topics[i].partitions; ++p) shares[next++ % shares.size()].push_back({i, p});
  }
  std::vector<wire::SyncGroupRequest::SyncGroupRequestAssignment> assignments;
  for (std::size_t i = 0; i < joined.members.size(); ++i) {
    wire::SyncGroupRequest::SyncGroupRequestAssignment one;
    one.member_id = joined.members[i].member_id;
    one.assignment = Bytes::copy(encode_assignment(shares[i]));
    assignments.push_back(std::move(one));
  }
  return assignments;
}

// A static member came back under a new member id. In the same generation it has what it had, also after a
// restart of the broker, and whoever still acts under the old id is fenced.
io::Task<bool> check_return(Consumer* self, const std::vector<PartitionRef>* assigned) {
  std::string former = std::exchange(self->former_id, "");
  if (former.empty() || former == self->member_id) co_return true;
  Clients& clients = *self->clients;
  clients.history.count("client.static_return");
  bool same = self->generation == self->former_generation && clients.losses == self->former_losses;
  if (same && *assigned != self->former_share) {
    clients.history.violation(fmt::format("group {} generation {}: {} came back and got another share",
                                          self->group, self->generation, self->client_id));
  }
  wire::OffsetCommitRequest request;
  request.group_id = self->group;
  request.generation_id_or_member_epoch = self->generation;
  request.member_id = former;
  request.group_instance_id = self->client_id;
  wire::OffsetCommitRequest::OffsetCommitRequestTopic topic;
  topic.name = clients.history.topics[0].name;
  wire::OffsetCommitRequest::OffsetCommitRequestPartition partition;
  partition.committed_offset = 1'000'000'000;
  topic.partitions.push_back(std::move(partition));
  request.topics.push_back(std::move(topic));
  CallOptions options = random_version(clients, 7, 9);
  options.min_version = 7;
  auto answer = co_await self->connection->call<wire::OffsetCommitApi>(std::move(request), options);
  if (answer.failed()) co_return false;
  auto error = static_cast<ErrorCode>(answer->topics.at(0).partitions.at(0).error_code);
  switch (error) {
    case ErrorCode::FENCED_INSTANCE_ID:
      clients.history.count("client.fenced");
      co_return true;
    case ErrorCode::UNKNOWN_MEMBER_ID:  // its session has ended meanwhile
    case ErrorCode::NOT_COORDINATOR:
    case ErrorCode::COORDINATOR_LOAD_IN_PROGRESS:
      co_return true;
    default:
      clients.history.violation(fmt::format("group {}: the former self of {} is answered with {}",
                                            self->group, self->client_id, wire::name(error)));
      co_return true;
  }
}

io::Task<bool> join(Consumer* self) {
  wire::JoinGroupRequest request;
  request.group_id = self->group;
  request.session_timeout_ms = 3000;
  request.rebalance_timeout_ms = 3000;
  request.member_id = self->member_id;
  request.group_instance_id = self->instance();
  request.protocol_type = "consumer";
  wire::JoinGroupRequest::JoinGroupRequestProtocol protocol;
  protocol.name = "simulated";
  protocol.metadata = Bytes::copy(std::string_view("all"));
  request.protocols.push_back(std::move(protocol));
  CallOptions options = random_version(*self->clients, self->is_static ? 5 : 1, 9);
  if (self->is_static) options.min_version = 5;
  options.timeout = 10s;
  auto joined = co_await self->connection->call<wire::JoinGroupApi>(std::move(request), options);
  if (joined.failed()) co_return false;
  if (joined->error_code != 0) {
    auto error = static_cast<ErrorCode>(joined->error_code);
    self->member_id = error == ErrorCode::MEMBER_ID_REQUIRED ? joined->member_id : std::string();
    co_return error == ErrorCode::MEMBER_ID_REQUIRED;
  }
  self->member_id = joined->member_id;
  self->generation = joined->generation_id;
  wire::SyncGroupRequest sync;
  sync.group_id = self->group;
  sync.generation_id = self->generation;
  sync.member_id = self->member_id;
  sync.group_instance_id = self->instance();
  sync.protocol_type = "consumer";
  sync.protocol_name = "simulated";
  if (joined->leader == self->member_id) sync.assignments = share_out(*self->clients, *joined);
  options = random_version(*self->clients, 3, 5);
  options.min_version = 3;
  options.timeout = 10s;
  auto synced = co_await self->connection->call<wire::SyncGroupApi>(std::move(sync), options);
  if (synced.failed() || synced->error_code != 0) co_return false;
  self->losses = self->clients->losses;
  std::vector<PartitionRef> assigned = decode_assignment(synced->assignment.text());
  for (PartitionRef one : assigned) {
    self->clients->history.assigned(self->group, self->generation, one, self->client_id);
  }
  bool back = co_await check_return(self, &assigned);
  if (!back) co_return false;
  auto committed = co_await committed_offsets(self->clients, self->group);
  if (!committed.has_value()) co_return false;
  self->fetcher.positions.clear();
  for (PartitionRef one : assigned)
    self->fetcher.positions[one] = std::max<std::int64_t>(0, (*committed)[one]);
  self->joined = true;
  co_return true;
}

io::Task<bool> heartbeat(Consumer* self) {
  wire::HeartbeatRequest request;
  request.group_id = self->group;
  request.generation_id = self->generation;
  request.member_id = self->member_id;
  request.group_instance_id = self->instance();
  CallOptions options = random_version(*self->clients, 3, 4);
  if (!self->is_static) options = random_version(*self->clients, 0, 4);
  auto answer = co_await self->connection->call<wire::HeartbeatApi>(std::move(request), options);
  if (answer.failed()) co_return false;
  auto error = static_cast<ErrorCode>(answer->error_code);
  if (error == ErrorCode::UNKNOWN_MEMBER_ID) self->member_id.clear();
  if (error != ErrorCode::NONE) self->joined = false;
  co_return true;
}

io::Task<bool> commit(Consumer* self) {
  Clients& clients = *self->clients;
  wire::OffsetCommitRequest request;
  request.group_id = self->group;
  request.generation_id_or_member_epoch = self->generation;
  request.member_id = self->member_id;
  request.group_instance_id = self->instance();
  std::map<PartitionRef, std::int64_t> offsets = self->fetcher.positions;
  for (const auto& [where, position] : offsets) {
    const SimTopic& topic = clients.history.topics[where.topic];
    if (request.topics.empty() || request.topics.back().name != topic.name) {
      wire::OffsetCommitRequest::OffsetCommitRequestTopic one;
      one.name = topic.name;
      one.topic_id = topic.id;
      request.topics.push_back(std::move(one));
    }
    wire::OffsetCommitRequest::OffsetCommitRequestPartition partition;
    partition.partition_index = where.partition;
    partition.committed_offset = position;
    request.topics.back().partitions.push_back(std::move(partition));
    clients.history.maybe_committed(self->group, where, position);
  }
  if (request.topics.empty()) co_return true;
  CallOptions options = random_version(clients, self->is_static ? 7 : 2, 9);
  auto answer = co_await self->connection->call<wire::OffsetCommitApi>(std::move(request), options);
  if (answer.failed()) co_return false;
  for (const auto& topic : answer->topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.error_code != 0) self->joined = false;
      if (static_cast<ErrorCode>(partition.error_code) == ErrorCode::UNKNOWN_MEMBER_ID)
        self->member_id.clear();
      if (partition.error_code != 0) continue;
      for (const auto& [where, position] : offsets) {
        if (clients.history.topics[where.topic].name != topic.name ||
            where.partition != partition.partition_index)
          continue;
        clients.history.committed(self->group, where, position);
      }
    }
  }
  co_return true;
}

io::Task<bool> leave(Consumer* self) {
  wire::LeaveGroupRequest request;
  request.group_id = self->group;
  request.member_id = self->member_id;
  wire::LeaveGroupRequest::MemberIdentity member;
  // A static member is taken out by an administrator, who may not know its member id.
  if (!self->is_static || self->clients->random.one_in(2)) member.member_id = self->member_id;
  member.group_instance_id = self->instance();
  request.members.push_back(std::move(member));
  CallOptions options = random_version(*self->clients, self->is_static ? 3 : 0, 5);
  self->member_id.clear();
  self->joined = false;
  auto answer = co_await self->connection->call<wire::LeaveGroupApi>(std::move(request), options);
  if (answer.failed()) co_return false;
  bool done = answer->error_code == 0 && (answer->members.empty() || answer->members[0].error_code == 0);
  if (done) self->clients->history.count("client.member_left");
  co_return true;
}

// The process of a static member ends and another takes its place, which knows its instance id and no member
// id.
void forget_itself(Consumer& self) {
  self.former_id = std::exchange(self.member_id, "");
  self.former_generation = self.generation;
  self.former_losses = self.losses;
  self.former_share.clear();
  for (const auto& [where, position] : self.fetcher.positions) self.former_share.push_back(where);
  self.joined = false;
}

// One request's worth of work. False: the connection is not to be used again.
io::Task<bool> step(Consumer* self) {
  if (!self->joined) {
    bool found = co_await find_coordinator(self->clients, self->connection.get(), self->group);
    if (!found) co_return false;
    co_await pass_gate(self->clients);
    co_return co_await join(self);
  }
  if (self->clients->random.one_in(100)) co_return co_await leave(self);
  if (self->is_static && self->clients->random.one_in(60)) {
    forget_itself(*self);
    co_return true;
  }
  switch (self->clients->random.below(4)) {
    case 0:
      co_return co_await heartbeat(self);
    case 1:
      co_return co_await commit(self);
    default:
      self->fetcher.connection = self->connection;
      co_return co_await fetch(&self->fetcher);
  }
}

}  // namespace

io::Task<void> run_consumer(Clients* clients, std::string group, int number) {
  std::string client_id = fmt::format("consumer-{}-{}", group, number);
  Consumer self(clients, std::move(group), std::move(client_id));
  ++clients->running;
  while (!clients->stopping) {
    co_await pass_gate(clients);
    if (self.connection == nullptr || !self.connection->is_open()) {
      self.connection = co_await connect(clients, self.client_id);
      continue;
    }
    bool fine = co_await step(&self);
    if (!fine) {
      self.connection->close();
      self.joined = false;
      co_await pause_up_to(clients, 500ms);
    }
    co_await pause_up_to(clients, 60ms);
  }
  if (self.connection != nullptr && self.connection->is_open() && !self.member_id.empty())
    co_await leave(&self);
  --clients->running;
  clients->changed.notify_all();
}

}  // namespace milena::sim
