#include "broker/handlers/offset_fetch.h"

#include <utility>

#include "broker/group_request.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Request = OffsetFetchHandler::Api::Request;
using Response = OffsetFetchHandler::Api::Response;
using AskedGroup = Request::OffsetFetchRequestGroup;
using Group = Response::OffsetFetchResponseGroup;
using Topic = Response::OffsetFetchResponseTopics;
using Partition = Response::OffsetFetchResponsePartitions;

constexpr std::int16_t kTopLevelErrorVersion = 2;
constexpr std::int16_t kManyGroupsVersion = 8;
constexpr std::int16_t kTopicIdVersion = 10;

Topic failed_topic(const Request::OffsetFetchRequestTopics& asked, ErrorCode error) {
  Topic topic;
  topic.name = asked.name;
  topic.topic_id = asked.topic_id;
  for (std::int32_t index : asked.partition_indexes) {
    Partition partition;
    partition.partition_index = index;
    partition.committed_offset = -1;
    partition.error_code = wire::to_int16(error);
    topic.partitions.push_back(std::move(partition));
  }
  return topic;
}

// Names for the ids that are known; the topics of the others leave the request.
std::vector<Topic> take_out_unknown(const image::Image& image, AskedGroup& asked) {
  std::vector<Topic> unknown;
  if (!asked.topics.has_value()) return unknown;
  for (auto& topic : *asked.topics) {
    const image::Topic* found = image.topic(topic.topic_id);
    if (found != nullptr) topic.name = found->name;
    else unknown.push_back(failed_topic(topic, ErrorCode::UNKNOWN_TOPIC_ID));
  }
  std::erase_if(*asked.topics, [](const auto& topic) { return topic.name.empty(); });
  return unknown;
}

// All offsets of a group, for a client that knows topics by id: topics that are gone are left out.
void add_topic_ids(const image::Image& image, Group& group) {
  for (Topic& topic : group.topics) {
    if (!topic.topic_id.is_zero()) continue;
    const image::Topic* found = image.topic(topic.name);
    if (found != nullptr) topic.topic_id = found->id;
  }
  std::erase_if(group.topics, [](const Topic& topic) { return topic.topic_id.is_zero(); });
}

io::Task<Group> fetch_group(RequestContext context, AskedGroup asked, bool require_stable) {
  bool by_id = context.api_version >= kTopicIdVersion;
  std::vector<Topic> unknown;
  if (by_id) unknown = take_out_unknown(*context.image, asked);
  auto read = [asked, require_stable](const group::Groups& groups) {
    return groups.offset_fetch(asked, require_stable);
  };
  auto answer = co_await read_group<Group>(context, asked.group_id, std::move(read));
  Group group;
  if (answer.failed()) {
    group.group_id = asked.group_id;
    group.error_code = wire::to_int16(answer.error());
    co_return group;
  }
  group = std::move(*answer);
  if (group.error_code != 0) co_return group;
  if (by_id && !asked.topics.has_value()) add_topic_ids(*context.image, group);
  for (Topic& topic : unknown) group.topics.push_back(std::move(topic));
  co_return group;
}

// The one group of a request before v8.
AskedGroup only_group(Request& request) {
  AskedGroup group;
  group.group_id = std::move(request.group_id);
  group.topics.reset();
  if (!request.topics.has_value()) return group;
  group.topics.emplace();
  for (auto& topic : *request.topics) {
    auto& to = group.topics->emplace_back();
    to.name = std::move(topic.name);
    to.partition_indexes = std::move(topic.partition_indexes);
  }
  return group;
}

Response only_group_answer(const AskedGroup& asked, Group group, std::int16_t version) {
  Response response;
  if (group.error_code != 0 && version < kTopLevelErrorVersion && asked.topics.has_value()) {
    // No place for an error but the partitions.
    group.topics.clear();
    for (const auto& topic : *asked.topics) {
      group.topics.push_back(failed_topic(topic, static_cast<ErrorCode>(group.error_code)));
    }
  }
  response.error_code = group.error_code;
  for (Topic& topic : group.topics) {
    auto& to = response.topics.emplace_back();
    to.name = std::move(topic.name);
    for (Partition& partition : topic.partitions) {
      auto& one = to.partitions.emplace_back();
      one.partition_index = partition.partition_index;
      one.committed_offset = partition.committed_offset;
      one.committed_leader_epoch = partition.committed_leader_epoch;
      one.metadata = std::move(partition.metadata);
      one.error_code = partition.error_code;
    }
  }
  return response;
}

}  // namespace

io::Task<Response> OffsetFetchHandler::handle(RequestContext context, Request request) {
  if (context.api_version < kManyGroupsVersion) {
    AskedGroup asked = only_group(request);
    Group group = co_await fetch_group(context, asked, request.require_stable);
    co_return only_group_answer(asked, std::move(group), context.api_version);
  }
  Response response;
  for (const AskedGroup& asked : request.groups) {
    Group group = co_await fetch_group(context, asked, request.require_stable);
    response.groups.push_back(std::move(group));
  }
  co_return response;
}

const HandlerEntry kOffsetFetch = make_handler<OffsetFetchHandler>();

}  // namespace milena::broker
