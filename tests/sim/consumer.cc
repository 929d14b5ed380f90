#include "consumer.h"

#include <fmt/format.h>

#include "reader.h"
#include "wire/apis/fetch.h"
#include "wire/apis/find_coordinator.h"
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
      : clients(own), group(std::move(group_id)), client_id(std::move(name)) {}

  Clients* clients;
  std::string group;
  std::string client_id;
  ConnectionPtr connection;
  std::string member_id;
  std::int32_t generation = -1;
  bool joined = false;
  std::map<PartitionRef, std::int64_t> positions;
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

io::Task<bool> find_coordinator(Consumer* self) {
  wire::FindCoordinatorRequest request;
  request.key = self->group;
  request.coordinator_keys.push_back(self->group);
  CallOptions options = random_version(*self->clients, 0, 6);
  auto answer = co_await self->connection->call<wire::FindCoordinatorApi>(std::move(request), options);
  if (answer.failed() || answer->error_code != 0) co_return false;
  if (!answer->coordinators.empty() && answer->coordinators[0].error_code != 0) co_return false;
  co_return true;
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

io::Task<bool> join(Consumer* self) {
  wire::JoinGroupRequest request;
  request.group_id = self->group;
  request.session_timeout_ms = 3000;
  request.rebalance_timeout_ms = 3000;
  request.member_id = self->member_id;
  request.protocol_type = "consumer";
  wire::JoinGroupRequest::JoinGroupRequestProtocol protocol;
  protocol.name = "simulated";
  protocol.metadata = Bytes::copy(std::string_view("all"));
  request.protocols.push_back(std::move(protocol));
  CallOptions options = random_version(*self->clients, 1, 9);
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
  sync.protocol_type = "consumer";
  sync.protocol_name = "simulated";
  if (joined->leader == self->member_id) sync.assignments = share_out(*self->clients, *joined);
  options = random_version(*self->clients, 0, 5);
  options.timeout = 10s;
  auto synced = co_await self->connection->call<wire::SyncGroupApi>(std::move(sync), options);
  if (synced.failed() || synced->error_code != 0) co_return false;
  std::vector<PartitionRef> assigned = decode_assignment(synced->assignment.text());
  auto committed = co_await committed_offsets(self->clients, self->group);
  if (!committed.has_value()) co_return false;
  self->positions.clear();
  for (PartitionRef one : assigned) self->positions[one] = std::max<std::int64_t>(0, (*committed)[one]);
  self->joined = true;
  co_return true;
}

void take_partition(Consumer& self, PartitionRef where, const wire::FetchResponse::PartitionData& data) {
  Clients& clients = *self.clients;
  std::int64_t& position = self.positions[where];
  auto error = static_cast<ErrorCode>(data.error_code);
  if (error == ErrorCode::OFFSET_OUT_OF_RANGE) {
    if (clients.history.topics[where.topic].durable) {
      clients.history.violation(
          fmt::format("{}: offset {} is out of range", clients.history.name(where), position));
    }
    position = 0;
    return;
  }
  if (error != ErrorCode::NONE || !data.records.has_value()) return;
  History::Log records;
  if (!take_records(clients.history, where, *data.records, position, records) || records.empty()) return;
  if (records.front().first != position) {
    clients.history.violation(fmt::format("{}: asked for offset {}, got {}", clients.history.name(where),
                                          position, records.front().first));
  }
  for (const auto& [offset, item] : records) clients.history.consumed(where, offset, item);
  position = records.back().first + 1;
}

io::Task<bool> fetch(Consumer* self) {
  Clients& clients = *self->clients;
  wire::FetchRequest request;
  request.max_wait_ms = static_cast<std::int32_t>(clients.random.between(0, 300));
  request.min_bytes = 1;
  request.max_bytes = static_cast<std::int32_t>(clients.random.between(1, 200'000));
  for (const auto& [where, position] : self->positions) {
    const SimTopic& topic = clients.history.topics[where.topic];
    if (request.topics.empty() || request.topics.back().topic != topic.name) {
      wire::FetchRequest::FetchTopic one;
      one.topic = topic.name;
      one.topic_id = topic.id;
      request.topics.push_back(std::move(one));
    }
    wire::FetchRequest::FetchPartition partition;
    partition.partition = where.partition;
    partition.fetch_offset = position;
    partition.partition_max_bytes = static_cast<std::int32_t>(clients.random.between(1, 100'000));
    request.topics.back().partitions.push_back(std::move(partition));
  }
  if (request.topics.empty()) {
    co_await pause_up_to(self->clients, 300ms);
    co_return true;
  }
  CallOptions options = random_version(clients, 4, 18);
  auto answer = co_await self->connection->call<wire::FetchApi>(std::move(request), options);
  if (answer.failed() || answer->error_code != 0) co_return false;
  for (const auto& topic : answer->responses) {
    for (std::size_t i = 0; i < clients.history.topics.size(); ++i) {
      const SimTopic& known = clients.history.topics[i];
      if (topic.topic != known.name && topic.topic_id != known.id) continue;
      for (const auto& data : topic.partitions) take_partition(*self, {i, data.partition_index}, data);
    }
  }
  co_return true;
}

io::Task<bool> heartbeat(Consumer* self) {
  wire::HeartbeatRequest request;
  request.group_id = self->group;
  request.generation_id = self->generation;
  request.member_id = self->member_id;
  CallOptions options = random_version(*self->clients, 0, 4);
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
  std::map<PartitionRef, std::int64_t> offsets = self->positions;
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
  CallOptions options = random_version(clients, 2, 9);
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

io::Task<void> leave(Consumer* self) {
  wire::LeaveGroupRequest request;
  request.group_id = self->group;
  request.member_id = self->member_id;
  wire::LeaveGroupRequest::MemberIdentity member;
  member.member_id = self->member_id;
  request.members.push_back(std::move(member));
  CallOptions options = random_version(*self->clients, 0, 5);
  (void)co_await self->connection->call<wire::LeaveGroupApi>(std::move(request), options);
}

// One request's worth of work. False: the connection is not to be used again.
io::Task<bool> step(Consumer* self) {
  if (!self->joined) {
    bool found = co_await find_coordinator(self);
    if (!found) co_return false;
    co_await pass_gate(self->clients);
    co_return co_await join(self);
  }
  switch (self->clients->random.below(4)) {
    case 0:
      co_return co_await heartbeat(self);
    case 1:
      co_return co_await commit(self);
    default:
      co_return co_await fetch(self);
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
