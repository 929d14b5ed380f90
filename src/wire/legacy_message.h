/// The message formats before the record batch: magic 0 (Kafka 0.8) and magic 1 (0.10, KIP-32). Read only:
/// segments that an older broker wrote are scanned, indexed, checked and served as they are.
///
/// Big-endian: 0 offset i64 | 8 size of all behind this field i32 | 12 CRC-32 (zlib's) u32 of bytes 16 to the
/// end |
///   16 magic i8 | 17 attributes i8 | [18 timestamp i64, magic 1] | key size i32, key | value size i32, value
/// attributes: 0-2 codec (no zstd), 3 timestamp type (magic 1). A size below 0 means null.
/// With a codec the value is a compressed sequence of such messages, the entry's offset is the last inner
/// one, and the inner offsets are absolute (magic 0) or count from 0 (magic 1, KIP-31); a magic 1 wrapper
/// whose type is log append time gives its timestamp to all inner messages.
///
/// Threads: values; LegacyReader owns the decompressed bytes its views point into.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/record_batch.h"

namespace milena::wire {

/// One entry of a legacy message set: a message, or a wrapper around compressed ones.
class LegacyEntryView {
 public:
  LegacyEntryView() = default;

  /// The entry at the front of `bytes`. Checks that its fields lie inside, not its CRC.
  /// Errors: kIncomplete, kTooSmall (also when a field reaches past the entry), kBadMagic (also for v2).
  static Result<LegacyEntryView, BatchError> parse(ByteView bytes);

  /// Offset of the message; of the last one inside for a wrapper.
  Offset offset() const { return Offset(load_be<std::int64_t>(data_)); }
  std::uint32_t crc() const { return load_be<std::uint32_t>(data_ + 12); }
  std::int8_t magic() const { return static_cast<std::int8_t>(data_[16]); }
  std::uint8_t attributes() const { return data_[17]; }
  int codec_id() const { return attributes() & 7; }
  bool compressed() const { return codec_id() != 0; }
  TimestampType timestamp_type() const {
    bool append_time = magic() == 1 && (attributes() & 8) != 0;
    return append_time ? TimestampType::kLogAppendTime : TimestampType::kCreateTime;
  }
  /// kNoTimestamp in magic 0. A wrapper has the largest of its messages.
  Timestamp timestamp() const {
    return magic() == 0 ? kNoTimestamp : Timestamp(load_be<std::int64_t>(data_ + 18));
  }
  std::optional<ByteView> key() const { return key_; }
  std::optional<ByteView> value() const { return value_; }
  bool crc_ok() const;
  std::size_t size() const { return size_; }
  ByteView bytes() const { return {data_, size_}; }

 private:
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  std::optional<ByteView> key_;
  std::optional<ByteView> value_;
};

struct LegacyRecordView {
  Offset offset{0};
  Timestamp timestamp = kNoTimestamp;
  TimestampType timestamp_type = TimestampType::kCreateTime;
  std::optional<ByteView> key;
  std::optional<ByteView> value;
};

enum class LegacyError : std::uint8_t {
  kBadCodec,    ///< zstd or an unassigned codec in a wrapper
  kDecompress,  ///< the wrapper's value does not decompress
  kTooLarge,    ///< it decompresses to more than the limit
  kNoMessages,  ///< a wrapper with a null value or nothing inside
  kBadMessage,  ///< an inner message is malformed, or compressed itself
  kBadOffset,   ///< the wrapper's offset is below its last inner offset
};
std::string_view describe(LegacyError error);

/// The messages of one entry.
class LegacyReader {
 public:
  /// Decompresses a wrapper, at most `bytes_max` bytes. The entry must outlive the reader.
  static Result<LegacyReader, LegacyError> open(const LegacyEntryView& entry, std::size_t bytes_max,
                                                CompressionScratch& scratch);

  /// False after the last message. open() has checked all of them: this cannot fail.
  [[nodiscard]] bool next(LegacyRecordView& record);
  /// Offset of the first message.
  Offset base_offset() const { return base_offset_; }
  std::int32_t count() const { return count_; }

 private:
  LegacyReader() = default;
  Result<void, LegacyError> check_inner();
  LegacyEntryView entry_;
  Buffer inner_;
  std::size_t at_ = 0;
  std::int64_t shift_ = 0;  // what inner offsets count from
  Offset base_offset_{0};
  std::int32_t count_ = 0;
  bool done_ = false;
};

}  // namespace milena::wire
