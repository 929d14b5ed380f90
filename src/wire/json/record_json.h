/// Persisted records as JSON: what is in `__cluster_metadata`, in the coordinators' topics and in control records, by
/// the names of Kafka's schemas. The form is that of Kafka's own JSON converters; bytes are base64.
///
/// The table comes from schemas/ (tools/wire_record_json.py). Library `milena_wire_json`. Threads: any.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace milena::wire {

enum class RecordPart : std::uint8_t { kMessage, kKey, kValue };

/// One type of message that is persisted.
struct RecordType {
  std::string_view name;    // "TopicRecord"
  std::string_view family;  // file of schemas/: "metadata", "group", "transaction", "share", "client", "raft", "storage"
  RecordPart part;
  std::int16_t key;  // its number within family and part; -1: it has none
  std::int16_t low;  // versions
  std::int16_t high;
  /// Nothing: the bytes are not exactly one such message. REQUIRES: a version in range.
  std::optional<nlohmann::ordered_json> (*decode)(Bytes bytes, std::int16_t version);
};

std::span<const RecordType> record_types();
/// Null: there is none of that number.
const RecordType* find_record_type(std::string_view family, RecordPart part, std::int16_t key);
const RecordType* find_record_type(std::string_view name);

/// {"type": "TopicRecord", "version": 0, "data": {...}} of the value of a record of `__cluster_metadata`.
/// Errors: a sentence.
nlohmann::ordered_json metadata_record_json(const Bytes& frame, std::string* error);
/// Key or value of a record of a coordinator's topic: {"type": ..., "version": ..., "data": ...}. `family`: "group",
/// "transaction" or "share"; a value's type is its key's. Errors: a sentence.
nlohmann::ordered_json coordinator_key_json(std::string_view family, const Bytes& key, std::string* error);
nlohmann::ordered_json coordinator_value_json(std::string_view family, std::int16_t type, const Bytes& value,
                                              std::string* error);

/// Base64 with padding, RFC 4648.
std::string base64(ByteView bytes);

}  // namespace milena::wire
