#include "plain_producer.h"

#include <fmt/format.h>

#include "wire/apis/produce.h"
#include "wire/batch_builder.h"

namespace milena::sim {
namespace {

using wire::ErrorCode;

// False: the connection is not to be used again.
io::Task<bool> send_batch(Clients* clients, client::Connection* connection, PartitionRef where,
                          const std::vector<Item>* items) {
  const SimTopic& topic = clients->history.topics[where.topic];
  wire::BatchBuilder builder{wire::BatchOptions{}};
  for (const Item& item : *items) {
    clients->history.sent(where, item);
    builder.append(clients->loop.wall_now(), std::nullopt, as_bytes(encode_item(item)));
  }
  auto request = produce_request(1, topic, where.partition, builder.build());
  CallOptions options = random_version(*clients, 3, 13);
  auto answer = co_await connection->call<wire::ProduceApi>(std::move(request), options);
  if (answer.failed()) co_return false;
  const auto& result = produced(*answer);
  if (result.error_code != 0) co_return true;
  std::int64_t offset = result.base_offset;
  for (const Item& item : *items) clients->history.acknowledged(where, offset++, item);
  clients->history.count("client.acks_one");
  if (topic.durable) clients->history.count("client.acks_one_durable");
  co_return true;
}

}  // namespace

io::Task<void> run_plain_producer(Clients* clients, std::uint32_t sender, PartitionRef where) {
  ++clients->running;
  ConnectionPtr connection;
  std::uint64_t number = 1;
  while (!clients->stopping) {
    co_await pass_gate(clients);
    if (connection == nullptr || !connection->is_open()) {
      connection = co_await connect(clients, fmt::format("plain-producer-{}", sender));
      continue;
    }
    std::vector<Item> items;
    for (auto count = clients->random.between(1, 6); count > 0; --count) items.push_back({sender, number++});
    bool fine = co_await send_batch(clients, connection.get(), where, &items);
    if (!fine) connection->close();
    co_await pause_up_to(clients, 200ms);
  }
  --clients->running;
  clients->changed.notify_all();
}

}  // namespace milena::sim
