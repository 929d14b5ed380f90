#include "fetcher.h"

#include <fmt/format.h>

#include <set>

#include "reader.h"
#include "wire/apis/fetch.h"

namespace milena::sim {
namespace {

using wire::ErrorCode;

constexpr std::int32_t kEnough = 200'000;  // bytes: more than any batch here

void add_partition(wire::FetchRequest& request, const History& history, PartitionRef where,
                   std::int64_t position, std::int32_t max_bytes) {
  const SimTopic& topic = history.topics[where.topic];
  if (request.topics.empty() || request.topics.back().topic != topic.name) {
    wire::FetchRequest::FetchTopic one;
    one.topic = topic.name;
    one.topic_id = topic.id;
    request.topics.push_back(std::move(one));
  }
  wire::FetchRequest::FetchPartition partition;
  partition.partition = where.partition;
  partition.fetch_offset = position;
  partition.partition_max_bytes = max_bytes;
  request.topics.back().partitions.push_back(std::move(partition));
}

void forget_partition(wire::FetchRequest& request, const History& history, PartitionRef where) {
  const SimTopic& topic = history.topics[where.topic];
  wire::FetchRequest::ForgottenTopic one;
  one.topic = topic.name;
  one.topic_id = topic.id;
  one.partitions.push_back(where.partition);
  request.forgotten_topics_data.push_back(std::move(one));
}

io::Task<bool> take_partition(Fetcher* self, PartitionRef where,
                              const wire::FetchResponse::PartitionData* data) {
  History& history = self->clients->history;
  auto error = static_cast<ErrorCode>(data->error_code);
  if (error == ErrorCode::OFFSET_OUT_OF_RANGE) {
    auto earliest = co_await earliest_offset(self->clients, self->connection.get(), where);
    std::int64_t& position = self->positions[where];
    bool expired = earliest.has_value() && position < *earliest;
    if (earliest.has_value() && !expired && history.topics[where.topic].durable)
      history.violation(fmt::format("{}: offset {} is out of range", history.name(where), position));
    position = earliest.value_or(0);
    co_return earliest.has_value();
  }
  if (error != ErrorCode::NONE || !data->records.has_value()) co_return true;
  std::int64_t& position = self->positions[where];
  History::Log records;
  if (!take_records(history, where, *data->records, position, records) || records.empty()) co_return true;
  if (records.front().first != position) {
    history.violation(
        fmt::format("{}: asked for offset {}, got {}", history.name(where), position, records.front().first));
  }
  for (const auto& [offset, item] : records) history.consumed(where, offset, item);
  position = records.back().first + 1;
  co_return true;
}

// Takes all partitions of an answer; `seen` are those that it named.
io::Task<bool> take_answer(Fetcher* self, const wire::FetchResponse* answer, std::set<PartitionRef>* seen) {
  const auto& topics = self->clients->history.topics;
  for (const auto& topic : answer->responses) {
    for (std::size_t i = 0; i < topics.size(); ++i) {
      if (topic.topic != topics[i].name && topic.topic_id != topics[i].id) continue;
      for (const auto& data : topic.partitions) {
        PartitionRef where{i, data.partition_index};
        seen->insert(where);
        bool fine = !self->positions.contains(where) || co_await take_partition(self, where, &data);
        if (!fine) co_return false;
      }
    }
  }
  co_return true;
}

io::Task<bool> fetch_plainly(Fetcher* self) {
  Clients& clients = *self->clients;
  wire::FetchRequest request;
  request.max_wait_ms = static_cast<std::int32_t>(clients.random.between(0, 300));
  request.min_bytes = 1;
  request.max_bytes = static_cast<std::int32_t>(clients.random.between(1, kEnough));
  for (const auto& [where, position] : self->positions) {
    auto max_bytes = static_cast<std::int32_t>(clients.random.between(1, 100'000));
    add_partition(request, clients.history, where, position, max_bytes);
  }
  CallOptions options = random_version(clients, 4, 18);
  auto answer = co_await self->connection->call<wire::FetchApi>(std::move(request), options);
  if (answer.failed() || answer->error_code != 0) co_return false;
  std::set<PartitionRef> seen;
  co_return co_await take_answer(self, &*answer, &seen);
}

// Can anything be read there, without the session?
io::Task<bool> has_data(Fetcher* self, PartitionRef where) {
  wire::FetchRequest request;
  request.max_bytes = kEnough;
  add_partition(request, self->clients->history, where, self->positions[where], kEnough);
  auto answer = co_await self->connection->call<wire::FetchApi>(std::move(request), self->version);
  if (answer.failed() || answer->error_code != 0 || answer->responses.empty()) co_return false;
  const auto& data = answer->responses[0].partitions.at(0);
  co_return data.error_code == 0 && data.records.has_value() && !data.records->empty();
}

wire::FetchRequest session_request(Fetcher& self) {
  Clients& clients = *self.clients;
  wire::FetchRequest request;
  request.max_wait_ms = static_cast<std::int32_t>(clients.random.between(0, 300));
  request.min_bytes = 1;
  request.max_bytes = 16 << 20;  // no partition is left out for want of room
  request.session_id = self.session_id;
  request.session_epoch = self.session_epoch;
  for (const auto& [where, position] : self.positions) {
    auto told = self.known.find(where);
    if (told != self.known.end() && told->second == position) continue;
    add_partition(request, clients.history, where, position, kEnough);
  }
  for (const auto& [where, position] : self.known) {
    if (!self.positions.contains(where)) forget_partition(request, clients.history, where);
  }
  return request;
}

io::Task<bool> fetch_in_session(Fetcher* self) {
  Clients& clients = *self->clients;
  if (self->session_id == 0) {
    self->version = random_version(clients, 7, 18);
    self->version.min_version = 7;
    self->session_epoch = 0;
    self->known.clear();
  }
  std::optional<PartitionRef> must_have;
  if (self->session_id != 0 && clients.random.one_in(8)) {
    auto drawn = self->positions.begin();
    std::advance(drawn, clients.random.below(self->positions.size()));
    PartitionRef where = drawn->first;
    bool readable = co_await has_data(self, where);
    if (readable) must_have = where;
  }
  auto request = session_request(*self);
  auto asked = self->positions;
  auto answer = co_await self->connection->call<wire::FetchApi>(std::move(request), self->version);
  if (answer.failed() || answer->error_code != 0) {
    if (answer.has_value() &&
        static_cast<ErrorCode>(answer->error_code) == ErrorCode::INVALID_FETCH_SESSION_EPOCH)
      clients.history.violation(fmt::format("a fetch session is not at epoch {}", self->session_epoch));
    self->session_id = 0;  // the next one begins a session
    co_return answer.has_value();
  }
  clients.history.count(self->session_id == 0 ? "client.session_begun" : "client.session_fetch");
  self->session_id = answer->session_id;
  self->session_epoch = self->session_epoch == INT32_MAX ? 1 : self->session_epoch + 1;
  self->known = std::move(asked);
  std::set<PartitionRef> seen;
  bool fine = co_await take_answer(self, &*answer, &seen);
  if (must_have.has_value() && fine) {
    clients.history.count("client.session_checked");
    if (!seen.contains(*must_have)) {
      clients.history.violation(fmt::format("{}: a fetch session leaves out offset {}, which can be read",
                                            clients.history.name(*must_have), self->positions[*must_have]));
    }
  }
  co_return fine;
}

}  // namespace

io::Task<bool> fetch(Fetcher* self) {
  if (self->positions.empty()) {
    co_await pause_up_to(self->clients, 300ms);
    co_return true;
  }
  if (self->sessions) co_return co_await fetch_in_session(self);
  co_return co_await fetch_plainly(self);
}

}  // namespace milena::sim
