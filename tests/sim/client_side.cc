#include "client_side.h"

#include <algorithm>
#include <iterator>

namespace milena::sim {

io::Task<void> pass_gate(Clients* clients) {
  while (!clients->open) co_await clients->changed.wait();
}

io::Task<void> pause_up_to(Clients* clients, Duration limit) {
  Duration length(clients->random.between(0, limit.count() * clients->pace));
  co_await io::sleep_for(clients->loop, length);
}

io::Task<ConnectionPtr> connect(Clients* clients, std::string client_id) {
  client::ConnectionOptions options;
  options.client_id = std::move(client_id);
  options.connect_timeout = 2s;
  options.request_timeout = 4s;
  io::Endpoint to{kBrokerHost, kBrokerPort};
  while (true) {
    co_await pass_gate(clients);
    auto opened = co_await client::Connection::open(&clients->loop, to, options);
    if (opened.has_value()) co_return std::move(*opened);
    co_await pause_up_to(clients, 200ms);
  }
}

wire::ProduceRequest produce_request(std::int16_t acks, const SimTopic& topic, std::int32_t partition,
                                     Bytes batch) {
  wire::ProduceRequest request;
  request.acks = acks;
  request.timeout_ms = 3000;
  add_batch(request, topic, partition, std::move(batch));
  return request;
}

void add_batch(wire::ProduceRequest& request, const SimTopic& topic, std::int32_t partition, Bytes batch) {
  auto found = std::ranges::find(request.topic_data, topic.name, &wire::ProduceRequest::TopicProduceData::name);
  if (found == request.topic_data.end()) {
    wire::ProduceRequest::TopicProduceData& data = request.topic_data.emplace_back();
    data.name = topic.name;
    data.topic_id = topic.id;
    found = std::prev(request.topic_data.end());
  }
  wire::ProduceRequest::PartitionProduceData& one = found->partition_data.emplace_back();
  one.index = partition;
  one.records = std::move(batch);
}

const wire::ProduceResponse::PartitionProduceResponse* find_partition(const wire::ProduceResponse& response,
                                                                      const SimTopic& topic,
                                                                      std::int32_t partition) {
  for (const auto& one : response.responses) {
    if (one.name != topic.name && one.topic_id != topic.id) continue;
    for (const auto& result : one.partition_responses) {
      if (result.index == partition) return &result;
    }
  }
  return nullptr;
}

const wire::ProduceResponse::PartitionProduceResponse& produced(const wire::ProduceResponse& response) {
  return response.responses.at(0).partition_responses.at(0);
}

CallOptions random_version(Clients& clients, std::int16_t low, std::int16_t high) {
  CallOptions options;
  options.max_version = static_cast<std::int16_t>(clients.random.between(low, high));
  return options;
}

}  // namespace milena::sim
