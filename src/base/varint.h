/// Variable-length integers: unsigned LEB128 and zigzag, as in Protocol Buffers and Kafka's record format.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace milena {

inline constexpr std::size_t kMaxVarintBytes32 = 5;
inline constexpr std::size_t kMaxVarintBytes64 = 10;

constexpr std::uint32_t zigzag(std::int32_t v) {
  return (static_cast<std::uint32_t>(v) << 1) ^ static_cast<std::uint32_t>(v >> 31);
}
constexpr std::uint64_t zigzag(std::int64_t v) {
  return (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63);
}
constexpr std::int32_t unzigzag(std::uint32_t v) {
  return static_cast<std::int32_t>(v >> 1) ^ -static_cast<std::int32_t>(v & 1);
}
constexpr std::int64_t unzigzag(std::uint64_t v) {
  return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1);
}

/// Bytes that `v` takes as unsigned varint, 1 to 10.
constexpr std::size_t uvarint_size(std::uint64_t v) {
  return (static_cast<std::size_t>(std::bit_width(v | 1)) + 6) / 7;
}
constexpr std::size_t varint_size(std::int64_t v) { return uvarint_size(zigzag(v)); }

/// Writes `v` at `out` (room for uvarint_size(v) bytes); returns the bytes written.
inline std::size_t put_uvarint(std::uint8_t* out, std::uint64_t v) {
  std::size_t n = 0;
  while (v >= 0x80) {
    out[n++] = static_cast<std::uint8_t>(v) | 0x80;
    v >>= 7;
  }
  out[n++] = static_cast<std::uint8_t>(v);
  return n;
}

/// Reads an unsigned varint of at most `max_bytes` from the front of `in`. Returns the bytes read;
/// 0: cut short, or longer than `max_bytes`.
inline std::size_t get_uvarint(ByteView in, std::uint64_t& value, std::size_t max_bytes = kMaxVarintBytes64) {
  std::uint64_t v = 0;
  std::size_t limit = in.size() < max_bytes ? in.size() : max_bytes;
  for (std::size_t i = 0; i < limit; ++i) {
    v |= static_cast<std::uint64_t>(in[i] & 0x7f) << (7 * i);
    if ((in[i] & 0x80) == 0) {
      value = v;
      return i + 1;
    }
  }
  return 0;
}

}  // namespace milena
