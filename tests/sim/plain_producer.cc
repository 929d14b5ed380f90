#include "plain_producer.h"

#include <fmt/format.h>

#include "io/when_all.h"
#include "wire/apis/produce.h"
#include "wire/batch_builder.h"

namespace milena::sim {
namespace {

struct PlainProducer {
  Clients* clients = nullptr;
  std::uint32_t sender = 0;
  std::vector<PartitionRef> partitions;
  ConnectionPtr connection;
  std::uint64_t number = 1;
};

struct PlainBatch {
  PartitionRef where;
  std::vector<Item> items;
};

Bytes encode(PlainProducer& self, const PlainBatch& batch) {
  Random& random = self.clients->random;
  wire::BatchOptions options;
  if (random.one_in(3)) options.codec = static_cast<wire::Codec>(random.below(wire::kCodecs));
  wire::BatchBuilder builder(options);
  for (const Item& item : batch.items) {
    self.clients->history.sent(batch.where, item);
    builder.append(self.clients->loop.wall_now(), std::nullopt, as_bytes(encode_item(item)));
  }
  return builder.build();
}

// A request to some of the partitions. Its failure closes the connection.
io::Task<void> send_one(PlainProducer* self) {
  Clients* clients = self->clients;
  History& history = clients->history;
  std::vector<PlainBatch> batches;
  wire::ProduceRequest request;
  request.acks = 1;
  request.timeout_ms = 3000;
  for (PartitionRef where : self->partitions) {
    if (!batches.empty() && clients->random.one_in(2)) continue;
    PlainBatch& batch = batches.emplace_back();
    batch.where = where;
    for (auto count = clients->random.between(1, 6); count > 0; --count)
      batch.items.push_back({self->sender, self->number++});
    add_batch(request, history.topics[where.topic], where.partition, encode(*self, batch));
  }
  CallOptions options = random_version(*clients, 3, 13);
  ConnectionPtr connection = self->connection;
  auto answer = co_await connection->call<wire::ProduceApi>(std::move(request), options);
  if (answer.failed()) {
    connection->close();
    co_return;
  }
  for (const PlainBatch& batch : batches) {
    const SimTopic& topic = history.topics[batch.where.topic];
    const auto* result = find_partition(*answer, topic, batch.where.partition);
    if (result == nullptr || result->error_code != 0) continue;
    std::int64_t offset = result->base_offset;
    for (const Item& item : batch.items) history.acknowledged(batch.where, offset++, item);
    history.count("client.acks_one");
    if (topic.durable) history.count("client.acks_one_durable");
  }
}

}  // namespace

io::Task<void> run_plain_producer(Clients* clients, std::uint32_t sender, std::vector<PartitionRef> partitions) {
  ++clients->running;
  PlainProducer self{clients, sender, std::move(partitions), nullptr, 1};
  while (!clients->stopping) {
    co_await pass_gate(clients);
    if (self.connection == nullptr || !self.connection->is_open()) {
      self.connection = co_await connect(clients, fmt::format("plain-producer-{}", sender));
      continue;
    }
    std::vector<io::Task<void>> calls;
    for (auto count = clients->random.between(1, 3); count > 0; --count) calls.push_back(send_one(&self));
    co_await io::when_all(clients->loop, std::move(calls));
    co_await pause_up_to(clients, 200ms);
  }
  --clients->running;
  clients->changed.notify_all();
}

}  // namespace milena::sim
