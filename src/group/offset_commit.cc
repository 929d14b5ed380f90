// OffsetCommit, TxnOffsetCommit and OffsetDelete.
#include "base/mutant.h"
#include "group/coordinator.h"
#include "wire/messages/consumer_group_current_member_assignment_value.h"
#include "wire/messages/consumer_group_member_metadata_value.h"
#include "wire/reader.h"

namespace milena::group {
namespace {

using wire::ErrorCode;

/// The length Java would see: UTF-16 units.
std::size_t java_length(std::string_view utf8) {
  std::size_t length = 0;
  for (unsigned char c : utf8) length += (c & 0xc0) == 0x80 ? 0 : c >= 0xf0 ? 2 : 1;
  return length;
}

/// A record's value, if it is of a version this release knows.
template <class Message>
std::optional<Message> parse(const GroupRecord& record) {
  if (!record.value.has_value()) return std::nullopt;
  wire::Reader reader(*record.value);
  std::int16_t version = reader.read_int16();
  Message message;
  if (version < Message::kMinVersion || version > Message::kMaxVersion) return std::nullopt;
  if (!reader.ok() || !message.decode(reader, version) || !reader.ok()) return std::nullopt;
  return message;
}

const GroupRecord* find_member_record(const DurableGroup& group, std::int16_t type, std::string_view member_id) {
  for (const auto& [key, record] : group.other_records) {
    if (record_type(record) == type && member_id_of(record) == member_id) return &record;
  }
  return nullptr;
}

/// Records for the partitions of one request, and their part of the answer. `TopicId`: of a topic.
template <class RequestTopic, class ResponseTopic, class TopicIdOf>
void commit_topic(const RequestTopic& topic, ResponseTopic& answer, const std::string& group_id,
                  std::int64_t expire_timestamp, const GroupOptions& options, Now now, TopicIdOf topic_id,
                  Effects& out) {
  answer.name = topic.name;
  for (const auto& partition : topic.partitions) {
    auto& result = answer.partitions.emplace_back();
    result.partition_index = partition.partition_index;
    std::string metadata = partition.committed_metadata.value_or("");
    if (java_length(metadata) > static_cast<std::size_t>(options.offset_metadata_max_bytes)) {
      result.error_code = wire::to_int16(ErrorCode::OFFSET_METADATA_TOO_LARGE);
      continue;
    }
    wire::OffsetCommitValue value;
    value.offset = partition.committed_offset;
    value.leader_epoch = partition.committed_leader_epoch;
    value.metadata = std::move(metadata);
    value.commit_timestamp = now.wall.value();
    value.expire_timestamp = expire_timestamp;
    value.topic_id = topic_id(topic);
    out.records.push_back(
        make_offset_record(group_id, topic.name, PartitionId(partition.partition_index), value));
  }
}

/// The answer of a request that is refused as a whole: the error at every partition.
template <class Response, class Request>
Response refused(const Request& request, ErrorCode code) {
  Response response;
  for (const auto& topic : request.topics) {
    auto& answer = response.topics.emplace_back();
    answer.name = topic.name;
    if constexpr (requires { answer.topic_id; }) answer.topic_id = topic.topic_id;
    for (const auto& partition : topic.partitions) {
      auto& result = answer.partitions.emplace_back();
      result.partition_index = partition.partition_index;
      result.error_code = wire::to_int16(code);
    }
  }
  return response;
}

}  // namespace

ErrorCode Groups::Impl::check_member_epoch(const DurableGroup& group, std::string_view member_id,
                                           std::int32_t member_epoch) const {
  if (find_member_record(group, kConsumerGroupMemberMetadata, member_id) == nullptr) {
    return ErrorCode::UNKNOWN_MEMBER_ID;
  }
  const GroupRecord* record = find_member_record(group, kConsumerGroupCurrentMemberAssignment, member_id);
  if (record == nullptr) return ErrorCode::STALE_MEMBER_EPOCH;
  auto assignment = parse<wire::ConsumerGroupCurrentMemberAssignmentValue>(*record);
  return assignment && assignment->member_epoch == member_epoch ? ErrorCode::NONE : ErrorCode::STALE_MEMBER_EPOCH;
}

ErrorCode Groups::Impl::validate_other_commit(const DurableGroup& group, const std::string& member_id,
                                              std::int32_t member_epoch, bool transactional,
                                              std::int16_t api_version) const {
  if (group.type() == GroupType::share) return ErrorCode::GROUP_ID_NOT_FOUND;
  if (member_epoch < 0 && !group.other_has_members()) return ErrorCode::NONE;  // an administrator's
  if (transactional && member_epoch < 0 && member_id.empty()) return ErrorCode::NONE;
  if (group.type() != GroupType::consumer) return ErrorCode::UNKNOWN_MEMBER_ID;
  ErrorCode code = check_member_epoch(group, member_id, member_epoch);
  if (code != ErrorCode::STALE_MEMBER_EPOCH) return code;
  if (transactional) return ErrorCode::ILLEGAL_GENERATION;
  return api_version >= 9 ? code : ErrorCode::UNSUPPORTED_VERSION;
}

ErrorCode Groups::Impl::validate_commit(const std::string& group_id, const std::string& member_id,
                                        const std::optional<std::string>& group_instance_id,
                                        std::int32_t generation, bool transactional, std::int16_t api_version,
                                        Now now) {
  std::optional<GroupType> type = type_of(group_id);
  if (!type) {
    // Without a generation it is a simple consumer: the group comes into being with its first commit.
    if (generation < 0) return ErrorCode::NONE;
    return !transactional && api_version >= 9 ? ErrorCode::GROUP_ID_NOT_FOUND : ErrorCode::ILLEGAL_GENERATION;
  }
  if (*type != GroupType::classic) {
    return validate_other_commit(*durable.find(group_id), member_id, generation, transactional, api_version);
  }
  ClassicGroup& group = *find_classic(group_id);
  if (generation < 0 && group.is(GroupState::empty)) return ErrorCode::NONE;
  if (generation >= 0 || !member_id.empty() || group_instance_id) {
    ErrorCode valid = group.validate_member(member_id, group_instance_id);
    if (valid != ErrorCode::NONE) return valid;
    if (generation != group.generation() && !MILENA_MUTANT("any-generation")) return ErrorCode::ILLEGAL_GENERATION;
  } else if (!transactional && !group.is(GroupState::empty)) {
    return ErrorCode::UNKNOWN_MEMBER_ID;
  }
  if (transactional) return ErrorCode::NONE;
  if (group.is(GroupState::completing_rebalance)) return ErrorCode::REBALANCE_IN_PROGRESS;
  // A commit is a sign of life.
  const ClassicMember* member = group.find(member_id);
  if (member != nullptr) restart_session(group, *member, now.instant);
  return ErrorCode::NONE;
}

Effects Groups::offset_commit(const wire::OffsetCommitRequest& request, const RequestInfo& info, Now now) {
  Effects out;
  ErrorCode code = impl_->validate_commit(request.group_id, request.member_id, request.group_instance_id,
                                          request.generation_id_or_member_epoch, false, info.api_version, now);
  if (code != ErrorCode::NONE) {
    out.replies.push_back({info.token, false, refused<wire::OffsetCommitResponse>(request, code)});
    return out;
  }
  std::int64_t expire = request.retention_time_ms == -1 ? -1 : now.wall.value() + request.retention_time_ms;
  wire::OffsetCommitResponse response;
  for (const auto& topic : request.topics) {
    auto& answer = response.topics.emplace_back();
    answer.topic_id = topic.topic_id;
    commit_topic(topic, answer, request.group_id, expire, impl_->options, now,
                 [](const auto& t) { return t.topic_id; }, out);
  }
  bool waits = !out.records.empty();
  out.replies.push_back({info.token, waits, std::move(response)});
  return out;
}

Effects Groups::txn_offset_commit(const wire::TxnOffsetCommitRequest& request, const RequestInfo& info, Now now) {
  Effects out;
  ErrorCode code = request.group_id.empty()
                       ? ErrorCode::INVALID_GROUP_ID
                       : impl_->validate_commit(request.group_id, request.member_id, request.group_instance_id,
                                                request.generation_id, true, info.api_version, now);
  if (code != ErrorCode::NONE) {
    out.replies.push_back({info.token, false, refused<wire::TxnOffsetCommitResponse>(request, code)});
    return out;
  }
  wire::TxnOffsetCommitResponse response;
  for (const auto& topic : request.topics) {
    commit_topic(topic, response.topics.emplace_back(), request.group_id, -1, impl_->options, now,
                 [](const auto&) { return Uuid(); }, out);
  }
  bool waits = !out.records.empty();
  out.replies.push_back({info.token, waits, std::move(response)});
  return out;
}

bool Groups::Impl::is_subscribed(const std::string& group_id, std::string_view topic) const {
  std::unique_ptr<ClassicGroup> scratch;
  if (const ClassicGroup* group = peek_classic(group_id, scratch)) return group->is_subscribed_to(topic);
  const DurableGroup* stored = durable.find(group_id);
  if (stored == nullptr || stored->type() != GroupType::consumer) return stored != nullptr && stored->other_has_members();
  for (const auto& [key, record] : stored->other_records) {
    if (record_type(record) != kConsumerGroupMemberMetadata) continue;
    auto member = parse<wire::ConsumerGroupMemberMetadataValue>(record);
    if (!member || !member->subscribed_topic_regex.value_or("").empty()) return true;  // who knows: keep
    for (const std::string& name : member->subscribed_topic_names) {
      if (name == topic) return true;
    }
  }
  return false;
}

Effects Groups::offset_delete(const wire::OffsetDeleteRequest& request, const RequestInfo& info, Now) {
  Effects out;
  wire::OffsetDeleteResponse response;
  std::optional<GroupType> type = impl_->type_of(request.group_id);
  ErrorCode code = ErrorCode::NONE;
  if (request.group_id.empty()) {
    code = ErrorCode::INVALID_GROUP_ID;
  } else if (!type || *type == GroupType::share) {
    code = ErrorCode::GROUP_ID_NOT_FOUND;
  } else if (*type == GroupType::classic) {
    const ClassicGroup& group = *impl_->find_classic(request.group_id);
    if (!group.is(GroupState::empty) && !group.uses_consumer_protocol()) code = ErrorCode::NON_EMPTY_GROUP;
  }
  if (code != ErrorCode::NONE) {
    response.error_code = wire::to_int16(code);
    out.replies.push_back({info.token, false, std::move(response)});
    return out;
  }
  const DurableGroup* stored = impl_->durable.find(request.group_id);
  for (const auto& topic : request.topics) {
    auto& answer = response.topics.emplace_back();
    answer.name = topic.name;
    bool subscribed = impl_->is_subscribed(request.group_id, topic.name);
    for (const auto& partition : topic.partitions) {
      auto& result = answer.partitions.emplace_back();
      result.partition_index = partition.partition_index;
      if (subscribed) {
        result.error_code = wire::to_int16(ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC);
      } else if (stored != nullptr && (stored->find(topic.name, partition.partition_index) != nullptr ||
                                       stored->has_pending(topic.name, partition.partition_index))) {
        out.records.push_back(
            make_offset_tombstone(request.group_id, topic.name, PartitionId(partition.partition_index)));
      }
    }
  }
  bool waits = !out.records.empty();
  out.replies.push_back({info.token, waits, std::move(response)});
  return out;
}

}  // namespace milena::group
