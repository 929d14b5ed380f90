/// Rows of the generated tables `wire/api_table.h` (APIs) and `wire/record_table.h` (persisted records).
#pragma once

#include <cstdint>
#include <string_view>

namespace milena::wire {

/// Value of `flexible_from` for messages without flexible versions.
inline constexpr std::int16_t kNeverFlexible = 32767;

struct ApiInfo {
  std::int16_t key;
  std::string_view name;  // "Produce"
  std::int16_t min_version;
  std::int16_t max_version;
  std::int16_t flexible_from;  // first version with compact lengths and tagged fields
  bool broker;                 // served on broker listeners
  bool controller;             // served on controller listeners
  bool latest_unstable;        // max_version is served only when unstable versions are enabled

  constexpr std::int16_t request_header_version(std::int16_t version) const {
    return version >= flexible_from ? 2 : 1;
  }
  constexpr std::int16_t response_header_version(std::int16_t version) const {
    return version >= flexible_from && key != 18 ? 1 : 0;  // ApiVersions: KIP-511
  }
};

enum class RecordKind : std::uint8_t { kRecord, kKey, kValue };

struct RecordInfo {
  std::string_view family;  // "metadata", "group", "share", "transaction", "storage"
  RecordKind kind;          // kKey and kValue: the two sides of a coordinator's record
  std::int16_t key;         // the record's number
  std::string_view name;    // "PartitionRecord"
  std::int16_t min_version;
  std::int16_t max_version;
  std::int16_t flexible_from;
};

}  // namespace milena::wire
