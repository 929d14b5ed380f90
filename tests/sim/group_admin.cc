#include "group_admin.h"

#include <fmt/format.h>

#include <array>

#include "reader.h"
#include "wire/apis/delete_groups.h"
#include "wire/apis/offset_commit.h"

namespace milena::sim {
namespace {

using wire::ErrorCode;

constexpr std::size_t kGroups = 3;
constexpr PartitionRef kPartition{0, 0};

// What is known of a group's offset for kPartition.
struct Lone {
  std::int64_t offset = -1;  // -1: none
  bool unsure = false;       // a request without an answer, or a loss
  int losses = 0;            // Clients::losses when it was noted
};

struct GroupAdmin {
  Clients* clients = nullptr;
  ConnectionPtr connection;
  std::array<Lone, kGroups> groups;
  std::array<int, kGroups> suffix{};

  std::string name(std::size_t i) const { return fmt::format("lone-{}-{}", i, suffix[i]); }
  // Its late requests may still arrive: the name is not used again.
  void give_up(std::size_t i) {
    ++suffix[i];
    groups[i] = Lone{};
  }
};

io::Task<void> commit(GroupAdmin* self, std::size_t i) {
  Clients* clients = self->clients;
  std::int64_t offset = clients->random.between(0, 1'000'000);
  wire::OffsetCommitRequest request;
  request.group_id = self->name(i);
  auto& topic = request.topics.emplace_back();
  topic.name = clients->history.topics[kPartition.topic].name;
  topic.topic_id = clients->history.topics[kPartition.topic].id;
  auto& partition = topic.partitions.emplace_back();
  partition.partition_index = kPartition.partition;
  partition.committed_offset = offset;
  CallOptions options = random_version(*clients, 2, 9);
  auto answer = co_await self->connection->call<wire::OffsetCommitApi>(std::move(request), options);
  if (answer.failed()) co_return self->give_up(i);
  auto error = static_cast<ErrorCode>(answer->topics.at(0).partitions.at(0).error_code);
  if (error == ErrorCode::NONE) {
    self->groups[i] = {offset, false, clients->losses};
    clients->history.count("client.lone_commit");
  } else if (error == ErrorCode::REQUEST_TIMED_OUT || error == ErrorCode::COORDINATOR_NOT_AVAILABLE ||
             error == ErrorCode::NOT_COORDINATOR || error == ErrorCode::UNKNOWN_SERVER_ERROR) {
    self->give_up(i);  // the outcome is not known
  }
}

io::Task<void> remove(GroupAdmin* self, std::size_t i) {
  Clients* clients = self->clients;
  wire::DeleteGroupsRequest request;
  request.groups_names.push_back(self->name(i));
  CallOptions options = random_version(*clients, 0, 2);
  bool known = self->groups[i].offset >= 0 && self->groups[i].losses == clients->losses;
  auto answer = co_await self->connection->call<wire::DeleteGroupsApi>(std::move(request), options);
  if (answer.failed()) co_return self->give_up(i);
  auto error = static_cast<ErrorCode>(answer->results.at(0).error_code);
  if (error == ErrorCode::NONE) {
    self->groups[i] = {-1, false, clients->losses};
    clients->history.count("client.group_deleted");
  } else if (error == ErrorCode::GROUP_ID_NOT_FOUND) {
    if (known && self->groups[i].losses == clients->losses)
      clients->history.violation(fmt::format("group {} has an offset, and is not found", self->name(i)));
  } else if (error == ErrorCode::NON_EMPTY_GROUP) {
    clients->history.violation(fmt::format("group {} has no members, and is not empty", self->name(i)));
  } else {
    self->give_up(i);
  }
}

io::Task<void> check(GroupAdmin* self, std::size_t i) {
  Clients* clients = self->clients;
  Lone expected = self->groups[i];
  auto offsets = co_await committed_offsets(clients, self->name(i));
  if (!offsets.has_value() || expected.losses != clients->losses) co_return;
  std::int64_t found = (*offsets)[kPartition];
  clients->history.count("client.lone_checked");
  if (found != expected.offset)
    clients->history.violation(fmt::format("group {}: its offset is {}, and {} was committed", self->name(i), found,
                                           expected.offset));
}

}  // namespace

io::Task<void> run_group_admin(Clients* clients) {
  GroupAdmin self;
  self.clients = clients;
  ++clients->running;
  while (!clients->stopping) {
    co_await pause_up_to(clients, 700ms);
    co_await pass_gate(clients);
    if (self.connection == nullptr || !self.connection->is_open()) {
      self.connection = co_await connect(clients, "group-admin");
      continue;
    }
    std::size_t i = clients->random.below(kGroups);
    if (self.groups[i].losses != clients->losses && !clients->history.durable_offsets) self.give_up(i);
    self.groups[i].losses = clients->losses;
    switch (clients->random.below(4)) {
      case 0:
        co_await remove(&self, i);
        break;
      case 1:
        co_await check(&self, i);
        break;
      default:
        co_await commit(&self, i);
    }
  }
  --clients->running;
  clients->changed.notify_all();
}

}  // namespace milena::sim
