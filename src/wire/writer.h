/// Writer: puts Kafka's primitive types at the end of a growing block.
///
/// Record data goes out without being copied: `write_bytes` keeps a reference to content of kSpliceMin bytes
/// and more, and `finish()` returns the message as pieces for a gathering write: ranges of
/// the Writer's own block and the referenced slices, in order. `to_bytes()` copies into one block instead.
///
/// `compact` chooses the form of lengths, as in reader.h. A string too long for its int16 length (32767
/// bytes) is written as empty and makes `ok()` false, as does a null where the version has none: the caller
/// must not send the message.
///
/// Ownership: pieces keep their blocks alive; the Writer may go before them. Threads: for one thread.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/endian.h"
#include "base/uuid.h"
#include "wire/tagged_fields.h"

namespace milena::wire {

class Writer {
 public:
  /// Content at least this long is referenced, not copied.
  static constexpr std::size_t kSpliceMin = 1024;

  explicit Writer(std::size_t capacity = 256) : buffer_(capacity) {}

  bool ok() const { return !failed_; }
  /// Marks the message as one that its version cannot express.
  void fail() { failed_ = true; }
  /// Bytes of the message so far, referenced ones included.
  std::size_t size() const { return buffer_.size() + spliced_size_; }

  template <std::integral T>
  void write_int(T value) {
    std::size_t at = buffer_.size();
    buffer_.resize(at + sizeof(T));
    store_be<T>(buffer_.data() + at, value);
  }
  void write_int8(std::int8_t value) { write_int(value); }
  void write_int16(std::int16_t value) { write_int(value); }
  void write_int32(std::int32_t value) { write_int(value); }
  void write_int64(std::int64_t value) { write_int(value); }
  void write_uint16(std::uint16_t value) { write_int(value); }
  void write_uint32(std::uint32_t value) { write_int(value); }
  void write_bool(bool value) { buffer_.push_back(value ? 1 : 0); }
  void write_float64(double value);
  void write_uuid(const Uuid& value);
  void write_uvarint(std::uint32_t value);
  /// Copied, no length in front.
  void write_raw(ByteView bytes) { buffer_.append(bytes); }

  void write_string(std::string_view text, bool compact);
  void write_null_string(bool compact);
  void write_bytes(const Bytes& bytes, bool compact);
  void write_null_bytes(bool compact);
  /// Referenced or copied, no length in front.
  void splice(const Bytes& bytes);

  void write_array_count(std::size_t count, bool compact);
  void write_null_array(bool compact);

  /// The message as pieces; the Writer is empty afterwards.
  std::vector<Bytes> finish();
  /// The message in one block (no copy if nothing was referenced); the Writer is empty afterwards.
  Bytes to_bytes();

 private:
  friend class TagWriter;
  struct Splice {
    std::size_t at;  // position in buffer_ that the content goes before
    Bytes bytes;
  };
  /// Opens `count` bytes in the middle of buffer_, at `at`; content of splices behind it moves along.
  void open_gap(std::size_t at, std::size_t count);

  Buffer buffer_;
  std::vector<Splice> splices_;
  std::size_t spliced_size_ = 0;
  bool failed_ = false;
};

/// Writes one section of tagged fields. Known fields come between `begin` and `end` in ascending order of
/// tags; `unknown_below` writes the kept fields whose turn it is. The destructor does nothing: call finish().
class TagWriter {
 public:
  explicit TagWriter(Writer& writer, const UnknownTaggedFields* unknown = nullptr);
  void begin(std::uint32_t tag);
  void end();
  void finish();

 private:
  void write_unknown_below(std::uint64_t tag);
  Writer& writer_;
  const UnknownTaggedFields* unknown_;
  std::size_t next_unknown_ = 0;
  std::size_t count_at_;
  std::uint32_t count_ = 0;
  std::size_t field_at_ = 0;
  std::size_t field_start_ = 0;
};

}  // namespace milena::wire
