/// Reader: takes Kafka's primitive types from the front of a block of untrusted bytes.
///
/// Failure is sticky: the first value that is cut short or malformed makes `ok()` false for good and every
/// later read returns zero or empty, so that a decoder reads a whole message and asks once. A length or
/// count is compared with the bytes that are left before anything is allocated for it.
///
/// `compact` chooses the form of lengths: unsigned varint of length + 1 (flexible versions, KIP-482), or
/// int16/int32 with -1 for null. Strings are not checked for UTF-8, as in Kafka: the bytes are kept.
///
/// Ownership: `read_bytes` returns slices of the input's block, which stays alive with them.
/// Threads: for one thread.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/endian.h"
#include "base/uuid.h"
#include "wire/tagged_fields.h"

namespace milena::wire {

class Reader {
 public:
  explicit Reader(Bytes input)
      : input_(std::move(input)), at_(input_.data()), end_(input_.data() + input_.size()) {}

  bool ok() const { return !failed_; }
  /// Marks the input as malformed; nothing can be read any more.
  void fail() {
    failed_ = true;
    at_ = end_;
  }
  std::size_t remaining() const { return static_cast<std::size_t>(end_ - at_); }
  std::size_t position() const { return static_cast<std::size_t>(at_ - input_.data()); }
  /// True when everything was read and nothing was wrong.
  bool finished() const { return ok() && at_ == end_; }

  template <std::integral T>
  T read_int() {
    if (remaining() < sizeof(T)) [[unlikely]] {
      fail();
      return 0;
    }
    T value = load_be<T>(at_);
    at_ += sizeof(T);
    return value;
  }
  std::int8_t read_int8() { return read_int<std::int8_t>(); }
  std::int16_t read_int16() { return read_int<std::int16_t>(); }
  std::int32_t read_int32() { return read_int<std::int32_t>(); }
  std::int64_t read_int64() { return read_int<std::int64_t>(); }
  std::uint16_t read_uint16() { return read_int<std::uint16_t>(); }
  std::uint32_t read_uint32() { return read_int<std::uint32_t>(); }
  bool read_bool() { return read_int8() != 0; }
  double read_float64();
  Uuid read_uuid();
  /// At most 5 bytes, value below 2^32.
  std::uint32_t read_uvarint();

  std::string read_string(bool compact);
  /// Null is an error unless `null_allowed`.
  std::optional<std::string> read_nullable_string(bool compact, bool null_allowed = true);
  /// For bytes and records: a slice of the input.
  Bytes read_bytes(bool compact);
  std::optional<Bytes> read_nullable_bytes(bool compact, bool null_allowed = true);
  /// The next `count` bytes without a length in front.
  Bytes read_raw(std::size_t count);

  /// The element count of an array, -1 for null. A count whose elements (at least `min_element_size` >= 1
  /// bytes each) cannot be in the input is an error.
  std::int32_t read_array_count(bool compact, std::size_t min_element_size);
  /// How many elements of `element_size` bytes of memory to reserve for `count` announced ones: never more
  /// memory than there is input left, a few elements aside.
  std::size_t reserve_count(std::int32_t count, std::size_t element_size) const {
    return std::min(static_cast<std::size_t>(count), std::max<std::size_t>(remaining() / element_size, 8));
  }

  template <std::integral T>
  void read_int_array(std::vector<T>& out, std::int32_t count) {
    out.resize(static_cast<std::size_t>(count));  // the count was compared with the input
    for (T& value : out) value = read_int<T>();
  }
  void read_string_array(std::vector<std::string>& out, std::int32_t count, bool compact);
  void read_uuid_array(std::vector<Uuid>& out, std::int32_t count);

  /// Tagged fields (KIP-482). `read_tag_count`, then for each: `read_tag(previous)`, which insists on
  /// ascending tags, and `enter_tag()`, which narrows the reader to the field's bytes; `leave_tag` insists
  /// that all of them were read.
  std::uint32_t read_tag_count();
  std::uint32_t read_tag(std::int64_t& previous);
  const std::uint8_t* enter_tag();
  void leave_tag(const std::uint8_t* outer_end);
  /// The field's bytes as they are: skipped, or kept in `fields`.
  void skip_tag();
  void keep_tag(std::uint32_t tag, UnknownTaggedFields& fields);
  /// A whole section of tagged fields none of which is known.
  void skip_tags();
  void keep_tags(UnknownTaggedFields& fields);

 private:
  /// Length in front of a string (int16 when not compact) or bytes (int32); -1 for null.
  std::int64_t read_length(bool compact, bool wide);

  Bytes input_;
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  bool failed_ = false;
};

}  // namespace milena::wire
