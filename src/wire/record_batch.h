/// The record batch, format v2 (KIP-98): what Produce carries, segments hold and Fetch returns.
///
/// Big-endian, 61 bytes of header, then the records (record.h), compressed as a whole or not:
///   0 base offset i64 | 8 length of all behind this field i32 | 12 partition leader epoch i32 | 16 magic i8
///   = 2 17 CRC-32C u32 of bytes 21 to the end | 21 attributes i16 | 23 last offset delta i32 27 base
///   timestamp i64 | 35 max timestamp i64 | 43 producer id i64 | 51 producer epoch i16 53 base sequence i32 |
///   57 number of records i32 | 61 records
/// attributes: 0-2 codec, 3 timestamp type, 4 transactional, 5 control, 6 delete horizon (base timestamp is
/// it). docs/formats/record-batch.md has the records and the older formats too.
///
/// BatchView borrows: it is a pointer into memory that its user keeps alive. No function here allocates.
/// Threads: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/endian.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "wire/compression.h"

namespace milena::wire {

/// Base offset and length: what stands before every entry of a log, whatever its format.
inline constexpr std::size_t kEntryPrefix = 12;
inline constexpr std::size_t kBatchHeader = 61;
inline constexpr std::int8_t kMagicV2 = 2;

enum class TimestampType : std::uint8_t { kCreateTime = 0, kLogAppendTime = 1 };

enum class BatchError : std::uint8_t {
  kIncomplete,    ///< the bytes end before the entry does; more may follow
  kTooSmall,      ///< the length field is smaller than any entry of that format
  kBadMagic,      ///< no known format
  kLegacyFormat,  ///< magic 0 or 1 where only v2 is read: see legacy_message.h
  kBadCrc,        ///< the checksum does not match
};
std::string_view describe(BatchError error);

/// Length of the entry at the front of `bytes`, of any format, prefix included: what Kafka calls the batch's
/// size in bytes. Errors: kIncomplete (under 17 bytes to look at), kTooSmall, kBadMagic. The entry itself
/// may still be cut short.
Result<std::size_t, BatchError> entry_size(ByteView bytes);

class BatchView {
 public:
  BatchView() = default;

  /// The batch at the front of `bytes`; what follows it is not looked at. The CRC is not checked.
  static Result<BatchView, BatchError> parse(ByteView bytes);

  Offset base_offset() const { return Offset(load<std::int64_t>(0)); }
  Epoch leader_epoch() const { return Epoch(load<std::int32_t>(12)); }
  std::uint32_t crc() const { return load<std::uint32_t>(17); }
  std::int16_t attributes() const { return load<std::int16_t>(21); }
  std::int32_t last_offset_delta() const { return load<std::int32_t>(23); }
  Offset last_offset() const { return advance(base_offset(), last_offset_delta()); }
  Offset next_offset() const { return advance(last_offset(), 1); }
  Timestamp base_timestamp() const { return Timestamp(load<std::int64_t>(27)); }
  Timestamp max_timestamp() const { return Timestamp(load<std::int64_t>(35)); }
  ProducerId producer_id() const { return ProducerId(load<std::int64_t>(43)); }
  std::int16_t producer_epoch() const { return load<std::int16_t>(51); }
  std::int32_t base_sequence() const { return load<std::int32_t>(53); }
  std::int32_t records_count() const { return load<std::int32_t>(57); }

  /// Three bits: 5 to 7 name no codec.
  int codec_id() const { return attributes() & 7; }
  std::optional<Codec> codec() const { return codec_of(codec_id()); }
  bool compressed() const { return codec_id() != 0; }
  TimestampType timestamp_type() const {
    return (attributes() & 8) == 0 ? TimestampType::kCreateTime : TimestampType::kLogAppendTime;
  }
  bool transactional() const { return (attributes() & 0x10) != 0; }
  bool control() const { return (attributes() & 0x20) != 0; }
  bool has_delete_horizon() const { return (attributes() & 0x40) != 0; }
  std::optional<Timestamp> delete_horizon() const {
    if (!has_delete_horizon()) return std::nullopt;
    return base_timestamp();
  }
  bool has_producer() const { return producer_id() > kNoProducer; }
  /// Sequence of the last record, wrapping from 2^31-1 to 0; -1 without a sequence.
  std::int32_t last_sequence() const;

  /// Reads the whole batch. False: the content is not what was written.
  bool crc_ok() const;

  std::size_t size() const { return size_; }
  ByteView bytes() const { return {data_, size_}; }
  /// What follows the header: records, or what they are compressed to.
  ByteView payload() const { return {data_ + kBatchHeader, size_ - kBatchHeader}; }

 private:
  template <class T>
  T load(std::size_t at) const {
    return load_be<T>(data_ + at);
  }
  static Offset advance(Offset offset, std::int64_t delta) {  // wraps: both may be anyone's numbers
    return Offset(static_cast<std::int64_t>(static_cast<std::uint64_t>(offset.value()) +
                                            static_cast<std::uint64_t>(delta)));
  }
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Walks the v2 batches that lie one behind the other in `bytes`.
class BatchCursor {
 public:
  explicit BatchCursor(ByteView bytes) : rest_(bytes), total_(bytes.size()) {}
  /// False: no further batch; error() tells whether the bytes were used up (nullopt) or not.
  [[nodiscard]] bool next(BatchView& batch);
  std::optional<BatchError> error() const { return error_; }
  /// Bytes walked: the valid prefix.
  std::size_t position() const { return total_ - rest_.size(); }

 private:
  ByteView rest_;
  std::size_t total_;
  std::optional<BatchError> error_;
};

/// Patches of a parsed batch in place. `batch` points at its first byte. REQUIRES: BatchView::parse accepted
/// the bytes, and nobody else reads them now.
/// Base offset and leader epoch lie outside the CRC; the others compute it again over the whole batch.
void patch_base_offset(std::uint8_t* batch, Offset base_offset);
void patch_leader_epoch(std::uint8_t* batch, Epoch leader_epoch);
void patch_max_timestamp(std::uint8_t* batch, TimestampType type, Timestamp max_timestamp);
void patch_crc(std::uint8_t* batch);

/// The sequence `delta` records behind `sequence`. REQUIRES: both >= 0.
std::int32_t advance_sequence(std::int32_t sequence, std::int32_t delta);

}  // namespace milena::wire
