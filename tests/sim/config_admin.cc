#include "config_admin.h"

#include <fmt/format.h>

#include "wire/apis/create_topics.h"
#include "wire/apis/describe_configs.h"
#include "wire/apis/incremental_alter_configs.h"
#include "wire/apis/produce.h"
#include "wire/batch_builder.h"

namespace milena::sim {
namespace {

using wire::ErrorCode;

constexpr const char* kOwnTopic = "limited";
constexpr std::int8_t kTopicResource = 2;
constexpr std::size_t kSmallRecord = 100;
constexpr std::size_t kBigRecord = 20'000;
constexpr std::int64_t kOverhead = 200;  // of a batch with one record, at most
constexpr int kTries = 40;  // a configuration reaches what acts on it soon after it is acknowledged

struct ConfigAdmin {
  explicit ConfigAdmin(Clients* own) : clients(own) {}

  Clients* clients;
  ConnectionPtr connection;
  bool made = false;
  std::optional<std::int64_t> limit;  // max.message.bytes, where it is known
  std::optional<std::size_t> kept;    // the topic whose retention was changed last, if that is known
  std::int64_t retention = -1;
  // A change without an answer may yet come into force until the broker's next life. Before that none is
  // known.
  int sure_from = 0;
};

// Notes the outcome of a change that was sent in `life`; true: its value is in force and stays so.
bool in_force(ConfigAdmin& self, std::optional<ErrorCode> done, int life) {
  if (!done.has_value()) self.sure_from = self.clients->lives + 1;
  return done == ErrorCode::NONE && life >= self.sure_from;
}

// Nothing: no answer.
io::Task<std::optional<ErrorCode>> alter(ConfigAdmin* self, std::string topic, std::string key,
                                         std::int64_t value) {
  wire::IncrementalAlterConfigsRequest request;
  wire::IncrementalAlterConfigsRequest::AlterConfigsResource resource;
  resource.resource_type = kTopicResource;
  resource.resource_name = std::move(topic);
  wire::IncrementalAlterConfigsRequest::AlterableConfig config;
  config.name = std::move(key);
  config.value = std::to_string(value);
  resource.configs.push_back(std::move(config));
  request.resources.push_back(std::move(resource));
  CallOptions options = random_version(*self->clients, 0, 1);
  auto answer =
      co_await self->connection->call<wire::IncrementalAlterConfigsApi>(std::move(request), options);
  if (answer.failed()) co_return std::nullopt;
  co_return static_cast<ErrorCode>(answer->responses.at(0).error_code);
}

io::Task<void> check_described(ConfigAdmin* self, std::string topic, std::string key, std::int64_t expected) {
  wire::DescribeConfigsRequest request;
  wire::DescribeConfigsRequest::DescribeConfigsResource resource;
  resource.resource_type = kTopicResource;
  resource.resource_name = topic;
  resource.configuration_keys.emplace().push_back(key);
  request.resources.push_back(std::move(resource));
  CallOptions options = random_version(*self->clients, 1, 4);
  std::string value;
  for (int i = 0; i < kTries && value != std::to_string(expected); ++i) {
    if (i > 0) co_await io::sleep_for(self->clients->loop, 100ms);
    co_await pass_gate(self->clients);
    auto answer = co_await self->connection->call<wire::DescribeConfigsApi>(request, options);
    if (answer.failed() || answer->results.at(0).error_code != 0) co_return;
    const auto& configs = answer->results[0].configs;
    value = configs.empty() ? "nothing" : configs[0].value.value_or("null");
  }
  self->clients->history.count("client.config_described");
  if (value == std::to_string(expected)) co_return;
  self->clients->history.violation(
      fmt::format("topic {}: {} was set to {}, and is {}", topic, key, expected, value));
}

io::Task<std::optional<ErrorCode>> produce(ConfigAdmin* self, std::size_t size) {
  wire::BatchBuilder builder{wire::BatchOptions{}};
  std::string value(size, 'v');
  builder.append(self->clients->loop.wall_now(), std::nullopt, as_bytes(value));
  SimTopic topic;
  topic.name = kOwnTopic;
  auto request = produce_request(-1, topic, 0, builder.build());
  CallOptions options = random_version(*self->clients, 3, 12);
  auto answer = co_await self->connection->call<wire::ProduceApi>(std::move(request), options);
  if (answer.failed()) co_return std::nullopt;
  co_return static_cast<ErrorCode>(produced(*answer).error_code);
}

// A record that is too large is refused, a smaller one is not, soon.
io::Task<void> check_limit(ConfigAdmin* self) {
  Clients* clients = self->clients;
  std::size_t size = clients->random.one_in(3) ? kSmallRecord : kBigRecord;
  bool fits = *self->limit > static_cast<std::int64_t>(size) + kOverhead;
  ErrorCode expected = fits ? ErrorCode::NONE : ErrorCode::MESSAGE_TOO_LARGE;
  std::optional<ErrorCode> got;
  for (int i = 0; i < kTries; ++i) {
    co_await pass_gate(clients);
    got = co_await produce(self, size);
    bool judged = got == ErrorCode::NONE || got == ErrorCode::MESSAGE_TOO_LARGE;
    if (!judged) co_return;  // no answer, or the broker has other troubles
    if (got == expected) break;
    co_await io::sleep_for(clients->loop, 100ms);
  }
  clients->history.count("client.limit_checked");
  if (got == expected) co_return;
  clients->history.violation(fmt::format("max.message.bytes is {}: a record of {} bytes is answered with {}",
                                         *self->limit, size, wire::name(*got)));
}

io::Task<void> change_limit(ConfigAdmin* self) {
  static constexpr std::int64_t kLimits[] = {1'000, 50'000, 1'048'588};
  std::int64_t value = kLimits[self->clients->random.below(std::size(kLimits))];
  self->limit.reset();
  int life = self->clients->lives;
  auto done = co_await alter(self, kOwnTopic, "max.message.bytes", value);
  if (in_force(*self, done, life)) self->limit = value;
}

io::Task<void> change_retention(ConfigAdmin* self) {
  Clients* clients = self->clients;
  std::vector<std::size_t> with_retention;
  for (std::size_t i = 0; i < clients->history.topics.size(); ++i) {
    if (clients->history.topics[i].retention_bytes >= 0) with_retention.push_back(i);
  }
  if (with_retention.empty()) co_return;
  std::size_t topic = with_retention[clients->random.below(with_retention.size())];
  std::string name = clients->history.topics[topic].name;
  std::int64_t segment = clients->history.topics[topic].segment_bytes;
  std::int64_t value = clients->random.one_in(4) ? -1 : segment * clients->random.between(1, 8);
  self->kept.reset();
  clients->history.retention_sent(topic, value);
  int life = clients->lives;
  auto done = co_await alter(self, name, "retention.bytes", value);
  if (!in_force(*self, done, life)) co_return;
  clients->history.retention_set(topic, value);
  clients->history.count("client.retention_altered");
  self->kept = topic;
  self->retention = value;
}

io::Task<void> make_topic(ConfigAdmin* self) {
  wire::CreateTopicsRequest request;
  request.timeout_ms = 5000;
  wire::CreateTopicsRequest::CreatableTopic one;
  one.name = kOwnTopic;
  one.num_partitions = 1;
  one.replication_factor = 1;
  request.topics.push_back(std::move(one));
  CallOptions options = random_version(*self->clients, 2, 7);
  auto answer = co_await self->connection->call<wire::CreateTopicsApi>(std::move(request), options);
  if (answer.failed()) co_return;
  auto error = static_cast<ErrorCode>(answer->topics.at(0).error_code);
  self->made = error == ErrorCode::NONE || error == ErrorCode::TOPIC_ALREADY_EXISTS;
}

io::Task<void> step(ConfigAdmin* self) {
  if (!self->made) co_return co_await make_topic(self);
  switch (self->clients->random.below(5)) {
    case 0:
      co_return co_await change_limit(self);
    case 1:
      co_return co_await change_retention(self);
    case 2:
      if (!self->limit.has_value()) co_return;
      co_return co_await check_described(self, kOwnTopic, "max.message.bytes", *self->limit);
    case 3:
      if (!self->kept.has_value()) co_return;
      co_return co_await check_described(self, self->clients->history.topics[*self->kept].name,
                                         "retention.bytes", self->retention);
    default:
      if (self->limit.has_value()) co_await check_limit(self);
  }
}

}  // namespace

io::Task<void> run_config_admin(Clients* clients) {
  ConfigAdmin self(clients);
  ++clients->running;
  while (!clients->stopping) {
    co_await pause_up_to(clients, 600ms);
    co_await pass_gate(clients);
    if (self.connection == nullptr || !self.connection->is_open()) {
      self.connection = co_await connect(clients, "config-admin");
      continue;
    }
    co_await step(&self);
  }
  --clients->running;
  clients->changed.notify_all();
}

}  // namespace milena::sim
