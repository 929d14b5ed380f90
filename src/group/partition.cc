#include "group/partition.h"

#include <cmath>

#include "base/check.h"

namespace milena::group {
namespace {

constexpr std::uint32_t kReplacement = 0xfffd;

/// Takes one code point from the front of `text`. Malformed input: U+FFFD for the longest prefix that could
/// have begun a character (what Java's decoder does).
std::uint32_t take_code_point(std::string_view& text) {
  auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  std::uint8_t first = byte(0);
  if (first < 0x80) {
    text.remove_prefix(1);
    return first;
  }
  std::size_t length = first >= 0xc2 && first <= 0xdf ? 2 : first >= 0xe0 && first <= 0xef ? 3
                       : first >= 0xf0 && first <= 0xf4 ? 4 : 1;
  if (length == 1) {
    text.remove_prefix(1);
    return kReplacement;
  }
  std::uint32_t value = first & (0xff >> (length + 1));
  std::size_t i = 1;
  for (; i < length && i < text.size(); ++i) {
    std::uint8_t low = 0x80, high = 0xbf;
    if (i == 1 && first == 0xe0) low = 0xa0;
    if (i == 1 && first == 0xed) high = 0x9f;
    if (i == 1 && first == 0xf0) low = 0x90;
    if (i == 1 && first == 0xf4) high = 0x8f;
    if (byte(i) < low || byte(i) > high) break;
    value = value << 6 | (byte(i) & 0x3f);
  }
  text.remove_prefix(i);
  return i == length ? value : kReplacement;
}

}  // namespace

std::int32_t java_hash_code(std::string_view utf8) {
  std::uint32_t hash = 0;
  while (!utf8.empty()) {
    std::uint32_t c = take_code_point(utf8);
    if (c >= 0x10000) {
      hash = 31 * hash + (0xd800 + ((c - 0x10000) >> 10));
      hash = 31 * hash + (0xdc00 + ((c - 0x10000) & 0x3ff));
    } else {
      hash = 31 * hash + c;
    }
  }
  return static_cast<std::int32_t>(hash);
}

PartitionId partition_for(std::string_view group_id, std::int32_t partition_count) {
  CHECK(partition_count > 0, "{}", partition_count);
  std::int32_t hash = java_hash_code(group_id);
  if (hash == INT32_MIN) return PartitionId(0);  // has no absolute value
  return PartitionId(std::abs(hash) % partition_count);
}

}  // namespace milena::group
