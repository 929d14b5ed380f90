// What a coordinator knows of a group: members and assignment, committed offsets.
#include <fmt/format.h>

#include "cli/group.h"
#include "cli/topic.h"
#include "wire/apis/consumer_group_describe.h"
#include "wire/apis/describe_groups.h"
#include "wire/apis/offset_fetch.h"
#include "wire/messages/consumer_protocol_assignment.h"

namespace milena::cli {
namespace {

Failure unknown_group(const std::string& group) {
  return {Exit::kNotFound, fmt::format("group '{}' does not exist", group), {}, "milena group list"};
}

// The partitions in a classic member's assignment. It is written by clients: anything else gives none.
std::vector<TopicPartition> classic_assignment(const Bytes& bytes) {
  std::vector<TopicPartition> partitions;
  wire::Reader reader(bytes);
  std::int16_t version = reader.read_int16();
  if (!reader.ok() || version < 0) return partitions;
  wire::ConsumerProtocolAssignment assignment;
  assignment.decode(reader, std::min(version, wire::ConsumerProtocolAssignment::kMaxVersion));
  if (!reader.ok()) return partitions;
  for (const auto& topic : assignment.assigned_partitions)
    for (std::int32_t partition : topic.partitions) partitions.emplace_back(topic.topic, partition);
  return partitions;
}

io::Task<Outcome<GroupDescription>> describe_consumer_group(client::ConnectionPtr coordinator,
                                                            std::string group) {
  std::string what = fmt::format("cannot describe group '{}'", group);
  wire::ConsumerGroupDescribeRequest request;
  request.group_ids.push_back(group);
  if (coordinator->choose<wire::ConsumerGroupDescribeApi>().failed()) co_return Err(unknown_group(group));
  auto response = co_await coordinator->call<wire::ConsumerGroupDescribeApi>(std::move(request));
  if (response.failed()) co_return Err(client_failure(what, response.error()));
  for (const auto& found : response->groups) {
    wire::ErrorCode code = wire::error_code_from(found.error_code);
    if (code == wire::ErrorCode::GROUP_ID_NOT_FOUND) co_return Err(unknown_group(group));
    if (code != wire::ErrorCode::NONE)
      co_return Err(broker_failure(what, code, found.error_message.value_or("")));
    GroupDescription description;
    description.group = group;
    description.state = found.group_state;
    description.type = "consumer";
    description.protocol = found.assignor_name;
    for (const auto& member : found.members) {
      auto& entry = description.members.emplace_back();
      entry.member_id = member.member_id;
      entry.instance_id = member.instance_id.value_or("");
      entry.client_id = member.client_id;
      entry.host = member.client_host;
      for (const auto& topic : member.assignment.topic_partitions)
        for (std::int32_t partition : topic.partitions)
          entry.assignment.emplace_back(topic.topic_name, partition);
    }
    co_return description;
  }
  co_return Err(unknown_group(group));
}

}  // namespace

io::Task<bool> worth_another_try(Session* session, wire::ErrorCode code, Instant begin) {
  bool passing = code == wire::ErrorCode::COORDINATOR_LOAD_IN_PROGRESS ||
                 code == wire::ErrorCode::NOT_COORDINATOR ||
                 code == wire::ErrorCode::COORDINATOR_NOT_AVAILABLE;
  io::Loop& loop = session->cluster().loop();
  if (!passing || loop.now() - begin >= from_ms(session->timeout_ms())) co_return false;
  co_await io::sleep_for(loop, 50ms);
  co_return true;
}

io::Task<client::ClientResult<client::ConnectionPtr>> ready_coordinator(Session* session, std::string group) {
  Instant begin = session->cluster().loop().now();
  while (true) {
    auto coordinator = co_await session->cluster().coordinator(client::CoordinatorType::kGroup, group);
    if (coordinator.failed()) co_return coordinator;
    wire::DescribeGroupsRequest request;
    request.groups.push_back(group);
    auto response = co_await (*coordinator)->call<wire::DescribeGroupsApi>(std::move(request));
    if (response.failed()) co_return Err(response.error());
    wire::ErrorCode code = wire::ErrorCode::NONE;
    if (!response->groups.empty()) code = wire::error_code_from(response->groups[0].error_code);
    bool again = co_await worth_another_try(session, code, begin);
    if (!again) co_return coordinator;
    session->cluster().forget_coordinator(client::CoordinatorType::kGroup, group);
  }
}

io::Task<Outcome<GroupDescription>> describe_group(Session* session, std::string group) {
  std::string what = fmt::format("cannot describe group '{}'", group);
  auto coordinator = co_await ready_coordinator(session, group);
  if (coordinator.failed()) co_return Err(client_failure(what, coordinator.error()));
  wire::DescribeGroupsRequest request;
  request.groups.push_back(group);
  auto response = co_await (*coordinator)->call<wire::DescribeGroupsApi>(std::move(request));
  if (response.failed()) co_return Err(client_failure(what, response.error()));
  for (const auto& found : response->groups) {
    wire::ErrorCode code = wire::error_code_from(found.error_code);
    // A group of the new protocol, or none at all: only the other API knows.
    if (code == wire::ErrorCode::GROUP_ID_NOT_FOUND || found.group_state == "Dead") break;
    if (code != wire::ErrorCode::NONE)
      co_return Err(broker_failure(what, code, found.error_message.value_or("")));
    GroupDescription description;
    description.group = group;
    description.state = found.group_state;
    description.type = "classic";
    description.protocol = found.protocol_data;
    for (const auto& member : found.members) {
      auto& entry = description.members.emplace_back();
      entry.member_id = member.member_id;
      entry.instance_id = member.group_instance_id.value_or("");
      entry.client_id = member.client_id;
      entry.host = member.client_host;
      if (found.protocol_type == "consumer") entry.assignment = classic_assignment(member.member_assignment);
    }
    co_return description;
  }
  auto other = co_await describe_consumer_group(*coordinator, group);
  co_return other;
}

io::Task<Outcome<std::map<TopicPartition, std::int64_t>>> committed_offsets(Session* session,
                                                                            std::string group) {
  std::string what = fmt::format("cannot read the offsets of group '{}'", group);
  auto coordinator = co_await ready_coordinator(session, group);
  if (coordinator.failed()) co_return Err(client_failure(what, coordinator.error()));
  wire::OffsetFetchRequest request;
  request.group_id = group;
  request.topics.reset();
  auto& asked = request.groups.emplace_back();
  asked.group_id = group;
  asked.topics.reset();
  client::CallOptions call;
  call.min_version = 2;  // the first that can ask for all topics
  call.max_version = 9;  // the last that names topics
  auto response = co_await (*coordinator)->call<wire::OffsetFetchApi>(std::move(request), call);
  if (response.failed()) co_return Err(client_failure(what, response.error()));
  std::map<TopicPartition, std::int64_t> offsets;
  auto keep = [&offsets](const auto& topics) {
    for (const auto& topic : topics)
      for (const auto& partition : topic.partitions)
        if (partition.error_code == 0 && partition.committed_offset >= 0)
          offsets[{topic.name, partition.partition_index}] = partition.committed_offset;
  };
  std::int16_t code = response->error_code;
  keep(response->topics);
  for (const auto& found : response->groups) {
    code = found.error_code;
    keep(found.topics);
  }
  if (code != 0) co_return Err(broker_failure(what, wire::error_code_from(code), ""));
  co_return offsets;
}

io::Task<std::map<TopicPartition, std::int64_t>> offsets_at(Session* session,
                                                            std::vector<TopicPartition> partitions,
                                                            std::int64_t timestamp) {
  std::map<std::string, std::vector<std::int32_t>> by_topic;
  for (const auto& [topic, partition] : partitions) by_topic[topic].push_back(partition);
  std::map<TopicPartition, std::int64_t> offsets;
  for (auto& [topic, ids] : by_topic) {
    std::string name = topic;
    auto found = co_await list_offsets(session, std::move(name), std::move(ids), timestamp);
    if (found.failed()) {
      session->context().terminal.talk(
          fmt::format("warning: no offsets of '{}': {}\n", topic, found.error().message));
      continue;
    }
    for (auto [partition, offset] : *found) offsets[{topic, partition}] = offset;
  }
  co_return offsets;
}

}  // namespace milena::cli
