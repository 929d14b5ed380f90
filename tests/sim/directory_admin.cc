#include "directory_admin.h"

#include <fmt/format.h>

#include "wire/apis/alter_replica_log_dirs.h"
#include "wire/apis/describe_log_dirs.h"

namespace milena::sim {
namespace {

using wire::ErrorCode;

struct DirectoryAdmin {
  Clients* clients = nullptr;
  std::vector<std::string> directories;
  ConnectionPtr connection;
  // The latest move that has begun.
  std::string partition;
  std::string target;
};

struct Places {
  std::map<std::string, std::string> now;  // directory by partition
  int unfinished = 0;
};

io::Task<std::optional<Places>> describe(Clients* clients, client::Connection* connection) {
  wire::DescribeLogDirsRequest request;
  request.topics = std::nullopt;
  CallOptions options = random_version(*clients, 1, 5);
  auto answer = co_await connection->call<wire::DescribeLogDirsApi>(std::move(request), options);
  if (answer.failed() || answer->error_code != 0) co_return std::nullopt;
  Places places;
  for (const auto& directory : answer->results) {
    if (directory.error_code != 0) co_return std::nullopt;
    for (const auto& topic : directory.topics) {
      for (const auto& partition : topic.partitions) {
        if (partition.is_future_key) {
          ++places.unfinished;
          continue;
        }
        std::string name = fmt::format("{}-{}", topic.name, partition.partition_index);
        auto [at, fresh] = places.now.emplace(name, directory.log_dir);
        if (!fresh)
          clients->history.violation(fmt::format("{} lies in {} and in {}", name, at->second, directory.log_dir));
      }
    }
  }
  co_return std::optional<Places>(std::move(places));
}

io::Task<void> begin_move(DirectoryAdmin* self) {
  Clients* clients = self->clients;
  const auto& topics = clients->history.topics;
  std::size_t drawn = clients->random.below(topics.size() + 1);
  std::string topic = drawn == topics.size() ? "__consumer_offsets" : topics[drawn].name;
  std::int32_t partitions = drawn == topics.size() ? 3 : topics[drawn].partitions;
  auto index = static_cast<std::int32_t>(clients->random.below(static_cast<std::uint64_t>(partitions)));
  wire::AlterReplicaLogDirsRequest request;
  auto& directory = request.dirs.emplace_back();
  directory.path = self->directories[clients->random.below(self->directories.size())];
  self->target = directory.path;
  self->partition = fmt::format("{}-{}", topic, index);
  auto& one = directory.topics.emplace_back();
  one.name = topic;
  one.partitions.push_back(index);
  CallOptions options = random_version(*clients, 1, 2);
  auto answer = co_await self->connection->call<wire::AlterReplicaLogDirsApi>(std::move(request), options);
  if (answer.failed()) co_return;
  auto error = static_cast<ErrorCode>(answer->results.at(0).partitions.at(0).error_code);
  switch (error) {
    case ErrorCode::NONE:
      clients->history.count("client.move_begun");
      co_return;
    case ErrorCode::KAFKA_STORAGE_ERROR:
    case ErrorCode::REPLICA_NOT_AVAILABLE:
    case ErrorCode::NOT_LEADER_OR_FOLLOWER:
    case ErrorCode::UNKNOWN_TOPIC_OR_PARTITION:  // __consumer_offsets, before it is made
      self->partition.clear();
      co_return;
    default:
      clients->history.violation(
          fmt::format("{}: a move to {} is answered with {}", self->partition, self->target, wire::name(error)));
  }
}

io::Task<void> look(DirectoryAdmin* self) {
  auto places = co_await describe(self->clients, self->connection.get());
  if (!places.has_value() || self->partition.empty()) co_return;
  auto found = places->now.find(self->partition);
  if (found == places->now.end() || found->second != self->target) co_return;
  self->clients->history.count("client.log_moved");
  self->partition.clear();
}

}  // namespace

io::Task<void> run_directory_admin(Clients* clients, std::vector<std::string> directories) {
  DirectoryAdmin self{clients, std::move(directories), nullptr, "", ""};
  ++clients->running;
  while (!clients->stopping) {
    co_await pause_up_to(clients, 1s);
    co_await pass_gate(clients);
    if (self.connection == nullptr || !self.connection->is_open()) {
      self.connection = co_await connect(clients, "directory-admin");
      continue;
    }
    if (clients->random.one_in(2)) {
      co_await begin_move(&self);
    } else {
      co_await look(&self);
    }
  }
  --clients->running;
  clients->changed.notify_all();
}

io::Task<std::optional<int>> count_unfinished_moves(Clients* clients) {
  ConnectionPtr connection = co_await connect(clients, "directory-reader");
  auto places = co_await describe(clients, connection.get());
  if (!places.has_value()) co_return std::nullopt;
  co_return places->unfinished;
}

}  // namespace milena::sim
