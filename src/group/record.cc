#include "group/record.h"

#include "base/check.h"
#include "base/endian.h"
#include "wire/messages/group_metadata_key.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace milena::group {
namespace {

constexpr std::int16_t kGroupValueVersion = 3;
constexpr std::int16_t kOffsetValueVersion = 4;
constexpr std::int16_t kExpiringOffsetValueVersion = 1;

/// An int16 (record type or value version), then the message.
template <class Message>
Bytes encode(std::int16_t head, const Message& message, std::int16_t version) {
  wire::Writer writer;
  writer.write_int16(head);
  message.encode(writer, version);
  return writer.to_bytes();
}

Bytes group_key(std::string_view group_id) {
  wire::GroupMetadataKey key;
  key.group = group_id;
  return encode(kGroupMetadata, key, 0);
}

Bytes offset_key(std::string_view group_id, std::string_view topic, PartitionId partition) {
  wire::OffsetCommitKey key;
  key.group = group_id;
  key.topic = topic;
  key.partition = partition.value();
  return encode(kOffsetCommit, key, 0);
}

template <class Message>
Result<Message, RecordError> parse_value(const GroupRecord& record) {
  CHECK(record.value.has_value());
  wire::Reader reader(*record.value);
  std::int16_t version = reader.read_int16();
  if (!reader.ok()) return Err(RecordError::malformed_value);
  if (version < Message::kMinVersion || version > Message::kMaxVersion) {
    return Err(RecordError::unsupported_value_version);
  }
  Message message;
  if (!message.decode(reader, version) || !reader.ok()) return Err(RecordError::malformed_value);
  return message;
}

}  // namespace

std::string_view name(RecordError error) {
  switch (error) {
    case RecordError::malformed_key: return "malformed key";
    case RecordError::malformed_value: return "malformed value";
    case RecordError::unsupported_value_version: return "unsupported value version";
  }
  return "unknown";
}

std::optional<std::int16_t> record_type(const GroupRecord& record) {
  if (record.key.size() < 2) return std::nullopt;
  return load_be<std::int16_t>(record.key.data());
}

std::optional<GroupType> group_type_of(std::int16_t type) {
  if (type == kGroupMetadata) return GroupType::classic;
  if ((type >= 3 && type <= 8) || type == 16) return GroupType::consumer;
  if (type >= 10 && type <= 15) return GroupType::share;
  if (type >= 17 && type <= 23) return GroupType::streams;
  return std::nullopt;
}

std::optional<std::string> group_id_of(const GroupRecord& record) {
  std::optional<std::int16_t> type = record_type(record);
  if (!type) return std::nullopt;
  if (*type != kOffsetCommit && *type != kLegacyOffsetCommit && !group_type_of(*type)) return std::nullopt;
  wire::Reader reader(record.key);
  reader.read_int16();
  std::string group_id = reader.read_string(false);
  if (!reader.ok()) return std::nullopt;
  return group_id;
}

std::optional<std::string> member_id_of(const GroupRecord& record) {
  wire::Reader reader(record.key);
  reader.read_int16();
  reader.read_string(false);
  std::string member_id = reader.read_string(false);
  if (!reader.ok()) return std::nullopt;
  return member_id;
}

GroupRecord make_group_record(std::string_view group_id, const wire::GroupMetadataValue& value) {
  return {group_key(group_id), encode(kGroupValueVersion, value, kGroupValueVersion)};
}

GroupRecord make_group_tombstone(std::string_view group_id) { return {group_key(group_id), std::nullopt}; }

GroupRecord make_offset_record(std::string_view group_id, std::string_view topic, PartitionId partition,
                               const wire::OffsetCommitValue& value) {
  std::int16_t version = value.expire_timestamp == -1 ? kOffsetValueVersion : kExpiringOffsetValueVersion;
  return {offset_key(group_id, topic, partition), encode(version, value, version)};
}

GroupRecord make_offset_tombstone(std::string_view group_id, std::string_view topic, PartitionId partition) {
  return {offset_key(group_id, topic, partition), std::nullopt};
}

Result<wire::OffsetCommitKey, RecordError> parse_offset_key(const GroupRecord& record) {
  wire::Reader reader(record.key);
  reader.read_int16();
  wire::OffsetCommitKey key;
  if (!key.decode(reader, 0) || !reader.ok()) return Err(RecordError::malformed_key);
  return key;
}

Result<wire::OffsetCommitValue, RecordError> parse_offset_value(const GroupRecord& record) {
  return parse_value<wire::OffsetCommitValue>(record);
}

Result<wire::GroupMetadataValue, RecordError> parse_group_value(const GroupRecord& record) {
  return parse_value<wire::GroupMetadataValue>(record);
}

}  // namespace milena::group
