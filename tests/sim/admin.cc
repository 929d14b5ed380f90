#include "admin.h"

#include <fmt/format.h>

#include "wire/apis/create_topics.h"
#include "wire/apis/delete_topics.h"

namespace milena::sim {
namespace {

using wire::ErrorCode;

wire::CreateTopicsRequest create_request(const SimTopic& topic, const Overrides& configs) {
  wire::CreateTopicsRequest request;
  request.timeout_ms = 5000;
  wire::CreateTopicsRequest::CreatableTopic one;
  one.name = topic.name;
  one.num_partitions = topic.partitions;
  one.replication_factor = 1;
  Overrides all = configs;
  if (topic.name.starts_with("__")) all.emplace_back("cleanup.policy", "compact");
  if (topic.durable) all.emplace_back("flush.messages", "1");
  for (const auto& [key, value] : all) {
    wire::CreateTopicsRequest::CreatableTopicConfig config;
    config.name = key;
    config.value = value;
    one.configs.push_back(std::move(config));
  }
  request.topics.push_back(std::move(one));
  return request;
}

}  // namespace

io::Task<void> create_topics(Clients* clients, Overrides configs, bool* done) {
  ConnectionPtr connection;
  std::vector<SimTopic*> wanted;
  for (SimTopic& topic : clients->history.topics) wanted.push_back(&topic);
  SimTopic offsets;
  offsets.name = "__consumer_offsets";
  offsets.partitions = 3;
  offsets.durable = true;
  if (clients->history.durable_offsets) wanted.push_back(&offsets);
  for (SimTopic* one : wanted) {
    SimTopic& topic = *one;
    while (topic.id.is_zero()) {
      if (connection == nullptr || !connection->is_open()) connection = co_await connect(clients, "setup");
      wire::CreateTopicsRequest request = create_request(topic, configs);
      CallOptions options;
      options.min_version = 7;
      auto answer = co_await connection->call<wire::CreateTopicsApi>(std::move(request), options);
      if (answer.failed()) continue;
      if (answer->topics.at(0).error_code == 0) {
        topic.id = answer->topics[0].topic_id;
        clients->history.topic_created(topic.name);
        continue;
      }
      clients->history.violation(fmt::format("topic {} could not be created: {} {}", topic.name,
                                             wire::name(static_cast<ErrorCode>(answer->topics[0].error_code)),
                                             answer->topics[0].error_message.value_or("")));
      co_return;
    }
  }
  *done = true;
}

io::Task<void> run_admin(Clients* clients) {
  ++clients->running;
  ConnectionPtr connection;
  std::vector<std::string> mine;
  int next = 0;
  while (!clients->stopping) {
    co_await pause_up_to(clients, 2s);
    co_await pass_gate(clients);
    if (connection == nullptr || !connection->is_open()) {
      connection = co_await connect(clients, "admin");
      continue;
    }
    if (mine.size() < 3 || clients->random.one_in(3)) {
      SimTopic topic;
      topic.name = fmt::format("extra-{}", next++);
      topic.partitions = static_cast<std::int32_t>(clients->random.between(1, 3));
      topic.durable = clients->random.one_in(2);
      wire::CreateTopicsRequest request = create_request(topic, {});
      CallOptions options = random_version(*clients, 2, 7);
      auto answer = co_await connection->call<wire::CreateTopicsApi>(std::move(request), options);
      if (answer.failed() || answer->topics.at(0).error_code != 0) continue;
      clients->history.topic_created(topic.name);
      mine.push_back(topic.name);
    } else {
      std::string name = mine[clients->random.below(mine.size())];
      std::erase(mine, name);
      clients->history.topic_unsure(name);
      wire::DeleteTopicsRequest request;
      request.timeout_ms = 5000;
      request.topic_names.push_back(name);
      wire::DeleteTopicsRequest::DeleteTopicState state;
      state.name = name;
      request.topics.push_back(std::move(state));
      CallOptions options = random_version(*clients, 1, 6);
      auto answer = co_await connection->call<wire::DeleteTopicsApi>(std::move(request), options);
      if (answer.failed() || answer->responses.at(0).error_code != 0) continue;
      clients->history.topic_deleted(name);
    }
  }
  --clients->running;
  clients->changed.notify_all();
}

}  // namespace milena::sim
