/// GroupRecord: one record of `__consumer_offsets`, key and value as bytes.
///
/// Both start with an int16, big-endian: in the key the record type (0, 1: offset commit; 2: classic group;
/// 3, 5-8, 16: KIP-848; 10-15: share; 17, 19-23: streams), in the value the version of the value's schema.
/// No value: a tombstone. The bytes are kept as they came, so records of unknown types and tagged fields of
/// newer releases are never lost.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "group/types.h"
#include "wire/messages/group_metadata_value.h"
#include "wire/messages/offset_commit_key.h"
#include "wire/messages/offset_commit_value.h"

namespace milena::group {

/// Record types: the first int16 of a key.
inline constexpr std::int16_t kLegacyOffsetCommit = 0;
inline constexpr std::int16_t kOffsetCommit = 1;
inline constexpr std::int16_t kGroupMetadata = 2;
inline constexpr std::int16_t kConsumerGroupMemberMetadata = 5;
inline constexpr std::int16_t kConsumerGroupCurrentMemberAssignment = 8;
inline constexpr std::int16_t kShareGroupMemberMetadata = 10;
inline constexpr std::int16_t kStreamsGroupMemberMetadata = 19;

struct GroupRecord {
  Bytes key;
  std::optional<Bytes> value;
  bool operator==(const GroupRecord&) const = default;
};

/// A record that cannot be read. The log's loader reports it and goes on or stops, as it sees fit.
enum class RecordError : std::uint8_t {
  malformed_key,
  malformed_value,
  unsupported_value_version,
};
std::string_view name(RecordError error);

/// The record type; empty when the key is shorter than two bytes.
std::optional<std::int16_t> record_type(const GroupRecord& record);
/// The kind of group that a record type belongs to. Empty: offset commits (any kind) and unknown types.
std::optional<GroupType> group_type_of(std::int16_t record_type);
/// The group id: the first field of every known key. Empty: unknown type or malformed.
std::optional<std::string> group_id_of(const GroupRecord& record);
/// The member id: the second field of keys that are about one member. Empty: malformed.
std::optional<std::string> member_id_of(const GroupRecord& record);

/// Records as Apache Kafka 4.3.1 writes them: value versions 3 for groups, 4 for offsets, 1 for offsets with
/// an expiry of their own (OffsetCommit v2 to v4).
GroupRecord make_group_record(std::string_view group_id, const wire::GroupMetadataValue& value);
GroupRecord make_group_tombstone(std::string_view group_id);
GroupRecord make_offset_record(std::string_view group_id, std::string_view topic, PartitionId partition,
                               const wire::OffsetCommitValue& value);
GroupRecord make_offset_tombstone(std::string_view group_id, std::string_view topic, PartitionId partition);

/// REQUIRES: record_type(record) is kOffsetCommit or kLegacyOffsetCommit.
Result<wire::OffsetCommitKey, RecordError> parse_offset_key(const GroupRecord& record);
/// REQUIRES: the record has a value.
Result<wire::OffsetCommitValue, RecordError> parse_offset_value(const GroupRecord& record);
Result<wire::GroupMetadataValue, RecordError> parse_group_value(const GroupRecord& record);

}  // namespace milena::group
