/// The transaction index of a segment, `<base offset>.txnindex`: one entry for each aborted transaction whose
/// marker lies in the segment (KIP-98). 34 bytes, big-endian:
///   0 version i16 = 0 | 2 producer id i64 | 10 first offset i64 | 18 last offset (marker) i64
///   26 last stable offset once the marker was written i64
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "log/error.h"

namespace milena::log {

struct AbortedTransaction {
  ProducerId producer_id = kNoProducer;
  Offset first_offset{0};
  Offset last_offset{0};
  Offset last_stable_offset{0};
  bool operator==(const AbortedTransaction&) const = default;
};

inline constexpr std::size_t kTxnEntrySize = 34;

/// Errors: kCorrupt (length, version, entries not in order of markers or outside the segment).
LogResult<std::vector<AbortedTransaction>> parse_txn_index(std::string_view file, Offset base_offset);
std::string format_txn_index(const std::vector<AbortedTransaction>& entries);

}  // namespace milena::log
