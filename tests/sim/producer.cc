#include "producer.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "io/when_all.h"
#include "reader.h"
#include "wire/apis/init_producer_id.h"
#include "wire/apis/produce.h"
#include "wire/batch_builder.h"

namespace milena::sim {
namespace {

using wire::ErrorCode;

struct Batch {
  std::vector<Item> items;
  std::int32_t sequence = 0;
  Bytes bytes;
  // Of the last attempt.
  bool answered = false;
  ErrorCode error = ErrorCode::NONE;
  std::int64_t base_offset = -1;
};

struct Producer {
  Producer(Clients* own, std::uint32_t sender_id, PartitionRef partition, int limit)
      : clients(own), sender(sender_id), where(partition), in_flight(limit) {}

  Clients* clients;
  std::uint32_t sender;
  PartitionRef where;
  int in_flight;
  ConnectionPtr connection;
  std::int64_t id = -1;
  std::int16_t epoch = -1;
  std::int32_t next_sequence = 0;
  std::uint64_t next_number = 1;
  std::deque<Batch> pending;
};

void encode(Producer& self, Batch& batch) {
  Random& random = self.clients->random;
  wire::BatchOptions options;
  options.codec =
      random.one_in(3) ? static_cast<wire::Codec>(random.below(wire::kCodecs)) : wire::Codec::kNone;
  options.producer_id = ProducerId(self.id);
  options.producer_epoch = self.epoch;
  options.base_sequence = batch.sequence = self.next_sequence;
  wire::BatchBuilder builder(options);
  for (const Item& item : batch.items) {
    std::string key = std::to_string(item.number % 16);
    builder.append(self.clients->loop.wall_now(), as_bytes(key), as_bytes(encode_item(item)));
  }
  batch.bytes = builder.build();
  self.next_sequence += static_cast<std::int32_t>(batch.items.size());
}

void make_batch(Producer& self) {
  Batch batch;
  auto count = static_cast<std::size_t>(self.clients->random.between(1, 12));
  for (std::size_t i = 0; i < count; ++i) {
    batch.items.push_back({self.sender, self.next_number++});
    self.clients->history.sent(self.where, batch.items.back());
  }
  encode(self, batch);
  self.pending.push_back(std::move(batch));
}

io::Task<bool> obtain_id(Producer* self) {
  wire::InitProducerIdRequest request;
  request.transactional_id = std::nullopt;
  request.transaction_timeout_ms = 60000;
  CallOptions options = random_version(*self->clients, 0, 5);
  auto answer = co_await self->connection->call<wire::InitProducerIdApi>(std::move(request), options);
  if (answer.failed() || answer->error_code != 0) co_return false;
  self->id = answer->producer_id;
  self->epoch = answer->producer_epoch;
  self->next_sequence = 0;
  for (Batch& batch : self->pending) encode(*self, batch);
  co_return true;
}

void acknowledge(Producer& self, const Batch& batch) {
  std::int64_t offset = batch.base_offset;
  for (const Item& item : batch.items) self.clients->history.acknowledged(self.where, offset++, item);
}

io::Task<void> send(Producer* self, Batch* batch) {
  const SimTopic& topic = self->clients->history.topics[self->where.topic];
  // The broker may patch the memory of what it receives, never ours: the frame is a copy.
  auto request = produce_request(-1, topic, self->where.partition, batch->bytes);
  CallOptions options = random_version(*self->clients, 9, 13);
  ConnectionPtr connection = self->connection;
  auto answer = co_await connection->call<wire::ProduceApi>(std::move(request), options);
  batch->answered = answer.has_value();
  if (answer.failed()) co_return;
  const auto& result = produced(*answer);
  batch->error = static_cast<ErrorCode>(result.error_code);
  batch->base_offset = result.base_offset;
  // Noted as it arrives: a batch beside it may be waiting for its answer still.
  if (batch->error == ErrorCode::NONE) acknowledge(*self, *batch);
}

// The sequences do not follow: what of ours is in the log stays, the rest goes out under a new producer id.
io::Task<void> start_again(Producer* self) {
  Clients* clients = self->clients;
  clients->history.sequence_refused(self->where, self->in_flight > 1);
  while (true) {
    co_await pass_gate(clients);
    auto log = co_await read_log(clients, self->where);
    if (!log.has_value()) {
      co_await pause_up_to(clients, 100ms);
      continue;
    }
    std::uint64_t newest = 0;
    for (const auto& [offset, item] : log->records) {
      if (item.sender == self->sender) newest = std::max(newest, item.number);
    }
    std::erase_if(self->pending,
                  [newest](const Batch& batch) { return batch.items.back().number <= newest; });
    break;
  }
  self->id = -1;
}

io::Task<void> send_pending(Producer* self) {
  std::vector<io::Task<void>> calls;
  auto count = std::min<std::size_t>(self->pending.size(), static_cast<std::size_t>(self->in_flight));
  for (std::size_t i = 0; i < count; ++i) {
    self->pending[i].answered = false;
    calls.push_back(send(self, &self->pending[i]));
  }
  co_await io::when_all(self->clients->loop, std::move(calls));
}

// What the answers say. Returns false if the connection is of no more use.
io::Task<bool> take_answers(Producer* self) {
  bool lost = false;
  bool refused = false;
  while (!self->pending.empty()) {
    Batch& batch = self->pending.front();
    if (!batch.answered) lost = true;
    if (!batch.answered || batch.error != ErrorCode::NONE) break;
    self->pending.pop_front();
    if (self->pending.empty() || !self->pending.front().answered) break;
  }
  if (!self->pending.empty() && self->pending.front().answered) {
    switch (self->pending.front().error) {
      case ErrorCode::NONE:
        break;
      case ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER:
      case ErrorCode::UNKNOWN_PRODUCER_ID:
      case ErrorCode::DUPLICATE_SEQUENCE_NUMBER:
        refused = true;
        break;
      case ErrorCode::NOT_LEADER_OR_FOLLOWER:
      case ErrorCode::KAFKA_STORAGE_ERROR:
      case ErrorCode::REQUEST_TIMED_OUT:
      case ErrorCode::LEADER_NOT_AVAILABLE:
      case ErrorCode::UNKNOWN_TOPIC_ID:
      case ErrorCode::UNKNOWN_TOPIC_OR_PARTITION:
        break;
      default:
        self->clients->history.violation(fmt::format("{}: a producer was told {}",
                                                     self->clients->history.name(self->where),
                                                     wire::name(self->pending.front().error)));
    }
  }
  if (refused) co_await start_again(self);
  co_return !lost;
}

}  // namespace

io::Task<void> run_producer(Clients* clients, std::uint32_t sender, PartitionRef where, int in_flight) {
  Producer self(clients, sender, where, in_flight);
  ++clients->running;
  while (!clients->stopping || !self.pending.empty()) {
    co_await pass_gate(clients);
    if (self.connection == nullptr || !self.connection->is_open()) {
      self.connection = co_await connect(clients, fmt::format("producer-{}", sender));
      continue;
    }
    if (self.id < 0) {
      bool obtained = co_await obtain_id(&self);
      if (!obtained) co_await pause_up_to(clients, 200ms);
      continue;
    }
    if (!clients->stopping) {
      while (self.pending.size() < static_cast<std::size_t>(in_flight)) make_batch(self);
    }
    if (self.pending.empty()) break;
    co_await send_pending(&self);
    std::size_t before = self.pending.size();
    bool fine = co_await take_answers(&self);
    if (!fine && self.connection->is_open() && clients->random.one_in(2)) self.connection->close();
    co_await pause_up_to(clients, self.pending.size() < before ? 100ms : 300ms);
  }
  --clients->running;
  clients->changed.notify_all();
}

}  // namespace milena::sim
