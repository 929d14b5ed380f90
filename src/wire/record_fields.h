/// Inner side of record.h: the fields of a record, read from untrusted bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/varint.h"
#include "wire/record.h"

namespace milena::wire {

/// Reads varints and fields from [at, end); after a failure everything reads as 0 and `failed` tells.
struct RecordFields {
  const std::uint8_t* at;
  const std::uint8_t* end;
  bool failed = false;

  std::size_t left() const { return static_cast<std::size_t>(end - at); }

  /// Three bytes and more, and what is cut short.
  std::uint64_t long_varint(std::size_t bytes_max) {
    std::uint64_t value = 0;
    std::size_t n = get_uvarint({at, left()}, value, bytes_max);
    if (n == 0) {
      failed = true;
      at = end;
      return 0;
    }
    at += n;
    return value;
  }
  std::uint64_t short_varint(std::size_t bytes_max) {
    if (left() >= 2) [[likely]] {
      std::uint32_t low = at[0];
      if (low < 0x80) {
        ++at;
        return low;
      }
      std::uint32_t high = at[1];
      if (high < 0x80) [[likely]] {
        at += 2;
        return (low & 0x7fU) | (high << 7);
      }
    }
    return long_varint(bytes_max);
  }
  std::int32_t varint() { return unzigzag(static_cast<std::uint32_t>(short_varint(kMaxVarintBytes32))); }
  std::int64_t varlong() { return unzigzag(short_varint(kMaxVarintBytes64)); }
  /// Length and bytes; nullopt for a negative length.
  std::optional<ByteView> field(bool& too_long) {
    std::int32_t length = varint();
    if (length < 0) return std::nullopt;
    if (static_cast<std::size_t>(length) > left()) [[unlikely]] {
      too_long = true;
      at = end;
      return std::nullopt;
    }
    ByteView bytes{at, static_cast<std::size_t>(length)};
    at += length;
    return bytes;
  }
};

/// The rest of a record behind its length, up to fields.end; not its offset and timestamp, which the batch decides.
std::optional<RecordError> read_record(RecordFields fields, RecordView& record);
std::optional<RecordError> read_headers(RecordFields& fields, HeadersView& headers);

/// What a batch adds to each of its records' deltas.
struct RecordBase {
  explicit RecordBase(const BatchView& batch);
  void apply(RecordView& record) const;
  Offset offset;
  Timestamp timestamp;
  std::optional<Timestamp> append_time;
};

}  // namespace milena::wire
