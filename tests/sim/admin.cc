#include "admin.h"

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <set>

#include "wire/apis/create_partitions.h"
#include "wire/apis/create_topics.h"
#include "wire/apis/delete_topics.h"
#include "wire/apis/produce.h"
#include "wire/batch_builder.h"

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
  if (topic.retention_bytes >= 0) {
    all.emplace_back("retention.bytes", std::to_string(topic.retention_bytes));
    all.emplace_back("file.delete.delay.ms", "1000");
  }
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

namespace {

constexpr std::size_t kExtraNames = 5;

struct Admin {
  explicit Admin(Clients* own) : clients(own) {}

  Clients* clients;
  ConnectionPtr connection;
  std::set<std::string> mine;  // topics that exist
  std::set<std::string> made;  // names that were used
  std::map<std::string, std::int32_t> partitions;
  // Which name each place has now. After a request without an answer, which may still be acted on, it gets
  // another.
  std::array<int, kExtraNames> suffix{};

  std::string name(std::size_t place) const { return fmt::format("extra-{}-{}", place, suffix[place]); }
  void give_up(const std::string& name_of) {
    for (std::size_t place = 0; place < kExtraNames; ++place) {
      if (name(place) == name_of) ++suffix[place];
    }
  }
};

// The offset that one record got; nothing: it was not acknowledged.
io::Task<std::optional<std::int64_t>> produce_one(Admin* self, std::string topic, std::int32_t partition,
                                                  bool* unsure) {
  wire::BatchBuilder builder{wire::BatchOptions{}};
  builder.append(self->clients->loop.wall_now(), std::nullopt, as_bytes(topic));
  SimTopic to;
  to.name = std::move(topic);
  auto request = produce_request(-1, to, partition, builder.build());
  CallOptions options = random_version(*self->clients, 3, 12);
  auto answer = co_await self->connection->call<wire::ProduceApi>(std::move(request), options);
  if (answer.failed()) {
    *unsure = true;
    co_return std::nullopt;
  }
  const auto& result = produced(*answer);
  *unsure = *unsure || static_cast<ErrorCode>(result.error_code) == ErrorCode::REQUEST_TIMED_OUT;
  if (result.error_code != 0) co_return std::nullopt;
  co_return result.base_offset;
}

// A new topic is empty, whatever its name held before. Some records are left in it.
io::Task<void> use_topic(Admin* self, std::string topic) {
  bool unsure = false;
  bool again = !self->made.insert(topic).second;
  std::int64_t expected = 0;
  for (auto count = self->clients->random.between(1, 12); count > 0; --count) {
    co_await pass_gate(self->clients);
    auto offset = co_await produce_one(self, topic, 0, &unsure);
    if (unsure) self->give_up(topic);  // the record may come late, into the next topic of the name
    if (unsure || !self->connection->is_open()) co_return;
    if (!offset.has_value()) {
      co_await pause_up_to(self->clients, 100ms);
      continue;
    }
    if (*offset != expected) {
      self->clients->history.violation(
          fmt::format("new topic {}: a record got offset {} where {} was next", topic, *offset, expected));
    }
    if (expected++ == 0 && again) self->clients->history.count("client.topic_again");
  }
}

io::Task<void> create_one(Admin* self) {
  Clients* clients = self->clients;
  SimTopic topic;
  topic.name = self->name(clients->random.below(kExtraNames));
  if (self->mine.contains(topic.name)) co_return;
  topic.partitions = static_cast<std::int32_t>(clients->random.between(1, 3));
  topic.durable = clients->random.one_in(2);
  clients->history.topic_wanted(topic.name);
  wire::CreateTopicsRequest request = create_request(topic, {});
  CallOptions options = random_version(*clients, 2, 7);
  auto answer = co_await self->connection->call<wire::CreateTopicsApi>(std::move(request), options);
  if (answer.failed() || answer->topics.at(0).error_code != 0) {
    self->give_up(topic.name);
    co_return;
  }
  clients->history.topic_created(topic.name);
  self->mine.insert(topic.name);
  self->partitions[topic.name] = topic.partitions;
  co_await use_topic(self, topic.name);
}

// One more partition, which is empty.
io::Task<void> grow_one(Admin* self) {
  Clients* clients = self->clients;
  auto drawn = self->mine.begin();
  std::advance(drawn, clients->random.below(self->mine.size()));
  std::string name = *drawn;
  std::int32_t count = self->partitions[name] + 1;
  wire::CreatePartitionsRequest request;
  request.timeout_ms = 5000;
  auto& topic = request.topics.emplace_back();
  topic.name = name;
  topic.count = count;
  topic.assignments = std::nullopt;
  CallOptions options = random_version(*clients, 0, 3);
  auto answer = co_await self->connection->call<wire::CreatePartitionsApi>(std::move(request), options);
  if (answer.failed() || answer->results.at(0).error_code != 0) {
    self->mine.erase(name);  // how many it has now is not known
    clients->history.topic_unsure(name);
    self->give_up(name);
    co_return;
  }
  self->partitions[name] = count;
  clients->history.count("client.partitions_added");
  bool unsure = false;
  co_await pass_gate(clients);
  auto offset = co_await produce_one(self, name, count - 1, &unsure);
  if (offset.value_or(0) != 0)
    clients->history.violation(fmt::format("new partition {}-{}: a record got offset {}", name, count - 1, *offset));
}

io::Task<void> delete_one(Admin* self) {
  Clients* clients = self->clients;
  auto drawn = self->mine.begin();
  std::advance(drawn, clients->random.below(self->mine.size()));
  std::string name = *drawn;
  self->mine.erase(drawn);
  clients->history.topic_unsure(name);
  wire::DeleteTopicsRequest request;
  request.timeout_ms = 5000;
  request.topic_names.push_back(name);
  wire::DeleteTopicsRequest::DeleteTopicState state;
  state.name = name;
  request.topics.push_back(std::move(state));
  CallOptions options = random_version(*clients, 1, 6);
  auto answer = co_await self->connection->call<wire::DeleteTopicsApi>(std::move(request), options);
  if (answer.failed() || answer->responses.at(0).error_code != 0) {
    self->give_up(name);
    co_return;
  }
  clients->history.topic_deleted(name);
}

}  // namespace

io::Task<void> run_admin(Clients* clients) {
  Admin self(clients);
  ++clients->running;
  while (!clients->stopping) {
    co_await pause_up_to(clients, 1500ms);
    co_await pass_gate(clients);
    if (self.connection == nullptr || !self.connection->is_open()) {
      self.connection = co_await connect(clients, "admin");
      continue;
    }
    if (self.mine.size() < 2 || clients->random.one_in(3)) {
      co_await create_one(&self);
    } else if (clients->random.one_in(3)) {
      co_await grow_one(&self);
    } else {
      co_await delete_one(&self);
    }
  }
  --clients->running;
  clients->changed.notify_all();
}

}  // namespace milena::sim
