// OffsetFetch.
#include "group/coordinator.h"

namespace milena::group {
namespace {

using wire::ErrorCode;
using Response = wire::OffsetFetchResponse;

Response::OffsetFetchResponsePartitions answer(std::int32_t partition, const CommittedOffset* committed,
                                               bool unstable) {
  Response::OffsetFetchResponsePartitions result;
  result.partition_index = partition;
  result.committed_offset = -1;
  result.metadata = "";
  if (unstable) {
    result.error_code = wire::to_int16(ErrorCode::UNSTABLE_OFFSET_COMMIT);
  } else if (committed != nullptr) {
    result.committed_offset = committed->offset;
    result.committed_leader_epoch = committed->leader_epoch;
    result.metadata = committed->metadata;
  }
  return result;
}

/// A commit for another topic of the same name is none.
bool of_other_topic(const CommittedOffset& committed, const Uuid& asked) {
  return !committed.topic_id.is_zero() && !asked.is_zero() && committed.topic_id != asked;
}

}  // namespace

Response::OffsetFetchResponseGroup Groups::offset_fetch(
    const wire::OffsetFetchRequest::OffsetFetchRequestGroup& request, bool require_stable) const {
  Response::OffsetFetchResponseGroup response;
  response.group_id = request.group_id;
  const DurableGroup* group = impl_->durable.find(request.group_id);
  if (group != nullptr && group->type() == GroupType::consumer && (request.member_id || request.member_epoch >= 0)) {
    ErrorCode code = impl_->check_member_epoch(*group, request.member_id.value_or(""), request.member_epoch);
    response.error_code = wire::to_int16(code);
    if (code != ErrorCode::NONE) return response;
  }
  auto unstable = [&](std::string_view topic, std::int32_t partition) {
    return require_stable && group != nullptr && group->has_pending(topic, partition);
  };
  if (request.topics) {
    for (const auto& topic : *request.topics) {
      auto& entry = response.topics.emplace_back();
      entry.name = topic.name;
      entry.topic_id = topic.topic_id;
      for (std::int32_t partition : topic.partition_indexes) {
        const CommittedOffset* committed = group == nullptr ? nullptr : group->find(topic.name, partition);
        if (committed != nullptr && of_other_topic(*committed, topic.topic_id)) committed = nullptr;
        entry.partitions.push_back(answer(partition, committed, unstable(topic.name, partition)));
      }
    }
    return response;
  }
  if (group == nullptr) return response;
  for (const auto& [topic, partitions] : group->offsets) {
    auto& entry = response.topics.emplace_back();
    entry.name = topic;
    for (const auto& [partition, committed] : partitions) {
      if (entry.topic_id.is_zero()) entry.topic_id = committed.topic_id;
      entry.partitions.push_back(answer(partition, &committed, unstable(topic, partition)));
    }
  }
  return response;
}

}  // namespace milena::group
