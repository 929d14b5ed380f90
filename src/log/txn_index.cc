#include "log/txn_index.h"

#include <fmt/format.h>

#include "base/endian.h"

namespace milena::log {

LogResult<std::vector<AbortedTransaction>> parse_txn_index(std::string_view file, Offset base_offset) {
  auto corrupt = [](std::string_view why) {
    return Err(LogError{LogErrorKind::kCorrupt, fmt::format("transaction index: {}", why)});
  };
  if (file.size() % kTxnEntrySize != 0) return corrupt("not a whole number of entries");
  std::vector<AbortedTransaction> entries(file.size() / kTxnEntrySize);
  const auto* at = reinterpret_cast<const std::uint8_t*>(file.data());
  Offset last = base_offset - 1;
  for (AbortedTransaction& entry : entries) {
    if (load_be<std::int16_t>(at) != 0) return corrupt("an entry is not of version 0");
    entry.producer_id = ProducerId(load_be<std::int64_t>(at + 2));
    entry.first_offset = Offset(load_be<std::int64_t>(at + 10));
    entry.last_offset = Offset(load_be<std::int64_t>(at + 18));
    entry.last_stable_offset = Offset(load_be<std::int64_t>(at + 26));
    if (entry.last_offset <= last || entry.first_offset > entry.last_offset)
      return corrupt("entries do not ascend");
    last = entry.last_offset;
    at += kTxnEntrySize;
  }
  return entries;
}

std::string format_txn_index(const std::vector<AbortedTransaction>& entries) {
  std::string file(entries.size() * kTxnEntrySize, '\0');
  auto* at = reinterpret_cast<std::uint8_t*>(file.data());
  for (const AbortedTransaction& entry : entries) {
    store_be<std::int16_t>(at, 0);
    store_be<std::int64_t>(at + 2, entry.producer_id.value());
    store_be<std::int64_t>(at + 10, entry.first_offset.value());
    store_be<std::int64_t>(at + 18, entry.last_offset.value());
    store_be<std::int64_t>(at + 26, entry.last_stable_offset.value());
    at += kTxnEntrySize;
  }
  return file;
}

}  // namespace milena::log
