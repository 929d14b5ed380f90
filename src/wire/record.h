/// The records of a v2 batch (KIP-98).
///
/// One record: length varint | attributes i8 (unused, 0) | timestamp delta varlong | offset delta varint |
/// key length varint, key | value length varint, value | number of headers varint,
/// { key length varint, key | value length varint, value }*
/// All varints are zigzag; a length below 0 means null (not allowed for a header's key). The length counts
/// what follows it.
///
/// Everything borrows from the payload given to RecordReader: for a compressed batch that is the
/// decompressed buffer, which must outlive the views. The walk does not allocate.
/// Threads: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "wire/compression.h"
#include "wire/record_batch.h"

namespace milena::wire {

struct RecordHeader {
  std::string_view key;
  std::optional<ByteView> value;
};

/// The headers of one record, still encoded. RecordReader has checked them, so that reading cannot fail.
class HeadersView {
 public:
  HeadersView() = default;
  HeadersView(ByteView encoded, std::int32_t count) : encoded_(encoded), count_(count) {}
  std::int32_t count() const { return count_; }
  /// The encoded headers without their number.
  ByteView encoded() const { return encoded_; }

  class Cursor {
   public:
    explicit Cursor(const HeadersView& headers) : rest_(headers.encoded_), left_(headers.count_) {}
    [[nodiscard]] bool next(RecordHeader& header);

   private:
    ByteView rest_;
    std::int32_t left_;
  };

 private:
  ByteView encoded_;
  std::int32_t count_ = 0;
};

struct RecordView {
  std::uint8_t attributes = 0;
  std::int32_t offset_delta = 0;
  std::int64_t timestamp_delta = 0;
  Offset offset{0};
  /// The batch's max timestamp where the timestamp type is log append time.
  Timestamp timestamp = kNoTimestamp;
  std::optional<ByteView> key;
  std::optional<ByteView> value;
  HeadersView headers;
  /// Bytes of the record with its length field.
  std::size_t size = 0;
};

enum class RecordError : std::uint8_t {
  kNegativeCount,   ///< the batch says it has fewer than 0 records
  kMissingRecords,  ///< the payload ends before the last record
  kTrailingBytes,   ///< the payload goes on behind the last record
  kBadLength,       ///< a record's length is negative, past the payload, or not what its fields take
  kBadVarint,       ///< a varint of more than 5 (10) bytes, or cut short
  kBadField,        ///< a key, value or header reaches past its record
  kBadHeaders,      ///< a negative or impossible number of headers, or a null header key
};
std::string_view describe(RecordError error);

/// The records of `batch` as RecordReader takes them: its own payload, or what it decompresses to, at most
/// `bytes_max` bytes, in `unpacked` (whose content is replaced).
/// Errors: those of decompress(); kUnsupported for a codec that does not exist.
Result<ByteView, CompressionError> unpack_payload(const BatchView& batch, std::size_t bytes_max,
                                                  Buffer& unpacked, CompressionScratch& scratch);

/// Walks the records of one batch.
class RecordReader {
 public:
  /// `payload`: the batch's records, decompressed.
  RecordReader(const BatchView& batch, ByteView payload);
  /// For an uncompressed batch.
  explicit RecordReader(const BatchView& batch) : RecordReader(batch, batch.payload()) {}

  /// False: no further record, because all were read (error() is nullopt) or because of error().
  [[nodiscard]] bool next(RecordView& record);
  std::optional<RecordError> error() const { return error_; }

 private:
  bool fail(RecordError error);
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  std::int32_t left_;
  Offset base_offset_;
  Timestamp base_timestamp_;
  std::optional<Timestamp> append_time_;
  std::optional<RecordError> error_;
};

}  // namespace milena::wire
