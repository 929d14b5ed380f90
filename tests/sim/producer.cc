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
  int life = 0;  // Clients::lives when it was first sent
  // Of the last attempt.
  bool answered = false;
  ErrorCode error = ErrorCode::NONE;
  std::int64_t base_offset = -1;
};

// What goes to one partition, in order.
struct Lane {
  PartitionRef where;
  std::int32_t next_sequence = 0;
  std::uint64_t next_number = 1;
  int life = 0;  // Clients::lives when the partition was last known to have all that was acknowledged
  std::deque<Batch> pending;
  std::size_t taken = 0;  // of those, into the requests of this round
};

struct Producer {
  Producer(Clients* own, std::uint32_t sender_id, const std::vector<PartitionRef>& partitions, int limit)
      : clients(own), sender(sender_id), in_flight(limit), lanes(partitions.size()) {
    for (std::size_t i = 0; i < lanes.size(); ++i) lanes[i].where = partitions[i];
  }
  std::size_t pending() const {
    std::size_t count = 0;
    for (const Lane& lane : lanes) count += lane.pending.size();
    return count;
  }

  Clients* clients;
  std::uint32_t sender;
  int in_flight;  // requests
  ConnectionPtr connection;
  std::int64_t id = -1;
  std::int16_t epoch = -1;
  std::vector<Lane> lanes;
};

void encode(Producer& self, Lane& lane, Batch& batch) {
  Random& random = self.clients->random;
  wire::BatchOptions options;
  options.codec =
      random.one_in(3) ? static_cast<wire::Codec>(random.below(wire::kCodecs)) : wire::Codec::kNone;
  options.producer_id = ProducerId(self.id);
  options.producer_epoch = self.epoch;
  options.base_sequence = batch.sequence = lane.next_sequence;
  wire::BatchBuilder builder(options);
  for (const Item& item : batch.items) {
    std::string key = std::to_string(item.number % 16);
    builder.append(self.clients->loop.wall_now(), as_bytes(key), as_bytes(encode_item(item)));
  }
  batch.bytes = builder.build();
  batch.life = self.clients->lives;
  lane.next_sequence += static_cast<std::int32_t>(batch.items.size());
}

void make_batch(Producer& self, Lane& lane) {
  Batch batch;
  auto count = static_cast<std::size_t>(self.clients->random.between(1, 12));
  for (std::size_t i = 0; i < count; ++i) {
    batch.items.push_back({self.sender, lane.next_number++});
    self.clients->history.sent(lane.where, batch.items.back());
  }
  encode(self, lane, batch);
  lane.pending.push_back(std::move(batch));
}

// New batches where there is room for them; with several partitions not in each.
void make_batches(Producer& self) {
  auto limit = static_cast<std::size_t>(self.in_flight);
  for (Lane& lane : self.lanes) {
    while (lane.pending.size() < limit && (self.lanes.size() == 1 || self.clients->random.one_in(2)))
      make_batch(self, lane);
  }
  if (self.pending() == 0) make_batch(self, self.lanes[self.clients->random.below(self.lanes.size())]);
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
  for (Lane& lane : self->lanes) {
    lane.next_sequence = 0;
    lane.life = self->clients->lives;
    for (Batch& batch : lane.pending) encode(*self, lane, batch);
  }
  co_return true;
}

// One request: at most one batch of each partition.
struct Shipment {
  std::vector<std::pair<Lane*, std::size_t>> batches;  // the n-th pending one
};

Shipment next_shipment(Producer& self) {
  Shipment shipment;
  for (Lane& lane : self.lanes) {
    if (lane.taken == lane.pending.size()) continue;
    if (!shipment.batches.empty() && self.clients->random.one_in(3)) continue;
    lane.pending[lane.taken].answered = false;
    shipment.batches.emplace_back(&lane, lane.taken++);
  }
  return shipment;
}

wire::ProduceRequest request_of(Producer& self, const Shipment& shipment) {
  wire::ProduceRequest request;
  request.acks = -1;
  request.timeout_ms = 3000;
  for (auto [lane, index] : shipment.batches) {
    // The broker may patch the memory of what it receives, never ours: the frame is a copy.
    add_batch(request, self.clients->history.topics[lane->where.topic], lane->where.partition,
              lane->pending[index].bytes);
  }
  if (shipment.batches.size() > 1) self.clients->history.count("client.several_partitions");
  return request;
}

io::Task<void> send(Producer* self, Shipment shipment) {
  auto request = request_of(*self, shipment);
  CallOptions options = random_version(*self->clients, 9, 13);
  ConnectionPtr connection = self->connection;
  auto answer = co_await connection->call<wire::ProduceApi>(std::move(request), options);
  if (answer.failed()) co_return;
  History& history = self->clients->history;
  for (auto [lane, index] : shipment.batches) {
    Batch& batch = lane->pending[index];
    const auto* result = find_partition(*answer, history.topics[lane->where.topic], lane->where.partition);
    if (result == nullptr) {
      history.violation(fmt::format("{}: not in the answer to a Produce request", history.name(lane->where)));
      continue;
    }
    batch.answered = true;
    batch.error = static_cast<ErrorCode>(result->error_code);
    batch.base_offset = result->base_offset;
    // Noted as it arrives: a batch beside it may be waiting for its answer still.
    if (batch.error != ErrorCode::NONE) continue;
    std::int64_t offset = batch.base_offset;
    for (const Item& item : batch.items) history.acknowledged(lane->where, offset++, item);
    lane->life = self->clients->lives;
  }
}

io::Task<void> send_pending(Producer* self) {
  std::vector<io::Task<void>> calls;
  for (Lane& lane : self->lanes) lane.taken = 0;
  for (int i = 0; i < self->in_flight; ++i) {
    Shipment shipment = next_shipment(*self);
    if (shipment.batches.empty()) break;
    calls.push_back(send(self, std::move(shipment)));
  }
  // What does not go out now has no answer either.
  for (Lane& lane : self->lanes) {
    for (std::size_t i = lane.taken; i < lane.pending.size(); ++i) lane.pending[i].answered = false;
  }
  if (calls.size() > 1) self->clients->history.count("client.overlapping_requests");
  co_await io::when_all(self->clients->loop, std::move(calls));
}

// The sequences do not follow: what of ours is in the logs stays, the rest goes out under a new producer id.
io::Task<void> start_again(Producer* self) {
  Clients* clients = self->clients;
  for (Lane& lane : self->lanes) {
    while (!lane.pending.empty()) {
      co_await pass_gate(clients);
      auto log = co_await read_log(clients, lane.where);
      if (!log.has_value()) {
        co_await pause_up_to(clients, 100ms);
        continue;
      }
      std::uint64_t newest = 0;
      for (const auto& [offset, item] : log->records) {
        if (item.sender == self->sender) newest = std::max(newest, item.number);
      }
      std::erase_if(lane.pending,
                    [newest](const Batch& batch) { return batch.items.back().number <= newest; });
      break;
    }
  }
  self->id = -1;
}

// Is the producer to go on under a new id?
bool judge_refusal(Producer& self, Lane& lane) {
  const Batch& batch = lane.pending.front();
  History& history = self.clients->history;
  switch (batch.error) {
    case ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER:
    case ErrorCode::UNKNOWN_PRODUCER_ID:
    case ErrorCode::DUPLICATE_SEQUENCE_NUMBER:
      if (batch.life == self.clients->lives && lane.life == self.clients->lives) {
        history.violation(fmt::format("{}: {} for sequence {} of producer {}, and all before it stand in the log",
                                      history.name(lane.where), wire::name(batch.error), batch.sequence, self.id));
      }
      history.sequence_refused(lane.where, self.in_flight > 1);
      return true;
    case ErrorCode::NONE:
    case ErrorCode::NOT_LEADER_OR_FOLLOWER:
    case ErrorCode::KAFKA_STORAGE_ERROR:
    case ErrorCode::REQUEST_TIMED_OUT:
    case ErrorCode::LEADER_NOT_AVAILABLE:
    case ErrorCode::UNKNOWN_TOPIC_ID:
    case ErrorCode::UNKNOWN_TOPIC_OR_PARTITION:
      return false;
    default:
      history.violation(
          fmt::format("{}: a producer was told {}", history.name(lane.where), wire::name(batch.error)));
      return false;
  }
}

// What the answers say. Returns false if the connection is of no more use.
io::Task<bool> take_answers(Producer* self) {
  bool lost = false;
  bool refused = false;
  for (Lane& lane : self->lanes) {
    for (std::size_t i = 0; i < lane.taken; ++i) lost = lost || !lane.pending[i].answered;
    while (!lane.pending.empty() && lane.pending.front().answered &&
           lane.pending.front().error == ErrorCode::NONE) {
      lane.pending.pop_front();
    }
    if (!lane.pending.empty() && lane.pending.front().answered)
      refused = judge_refusal(*self, lane) || refused;
  }
  if (refused) co_await start_again(self);
  co_return !lost;
}

}  // namespace

io::Task<void> run_producer(Clients* clients, std::uint32_t sender, std::vector<PartitionRef> partitions,
                            int in_flight) {
  Producer self(clients, sender, partitions, in_flight);
  ++clients->running;
  while (!clients->stopping || self.pending() > 0) {
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
    if (!clients->stopping) make_batches(self);
    if (self.pending() == 0) break;
    co_await send_pending(&self);
    std::size_t before = self.pending();
    bool fine = co_await take_answers(&self);
    if (!fine && self.connection->is_open() && clients->random.one_in(2)) self.connection->close();
    co_await pause_up_to(clients, self.pending() < before ? 100ms : 300ms);
  }
  --clients->running;
  clients->changed.notify_all();
}

}  // namespace milena::sim
