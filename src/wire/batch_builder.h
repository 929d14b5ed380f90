/// Builds v2 record batches (record_batch.h has the format).
///
/// Used where Milena writes records itself: coordinators, the metadata log, compaction, recompression and
/// the tools. The builder owns a growing buffer; build() hands it over. Nothing here can fail: what comes in
/// is our own, and is CHECKed.
/// Threads: one owner.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"
#include "wire/compression.h"
#include "wire/record.h"
#include "wire/record_batch.h"

namespace milena::wire {

struct BatchOptions {
  Codec codec = Codec::kNone;
  /// Read where `codec` has levels; nullopt: Kafka's default.
  std::optional<int> level = std::nullopt;
  TimestampType timestamp_type = TimestampType::kCreateTime;
  /// Where the type is log append time: the time of all records.
  Timestamp log_append_time = kNoTimestamp;
  Offset base_offset{0};
  Epoch leader_epoch = kNoEpoch;
  ProducerId producer_id = kNoProducer;
  std::int16_t producer_epoch = -1;
  std::int32_t base_sequence = -1;
  bool transactional = false;
  bool control = false;
  /// Compaction's mark (KIP-534): takes the place of the base timestamp.
  std::optional<Timestamp> delete_horizon = std::nullopt;
};

class BatchBuilder {
 public:
  using Field = std::optional<ByteView>;

  explicit BatchBuilder(const BatchOptions& options);

  /// Appends a record. REQUIRES: `offset` is above the last one's and within 2^31 - 1 of the base offset;
  /// timestamp >= -1.
  void append_at(Offset offset, Timestamp timestamp, Field key, Field value,
                 std::span<const RecordHeader> headers = {});
  /// At the next offset.
  void append(Timestamp timestamp, Field key, Field value, std::span<const RecordHeader> headers = {}) {
    append_at(next_offset_, timestamp, key, value, headers);
  }
  /// A record as it was read, headers not decoded: compaction.
  void append_at(Offset offset, Timestamp timestamp, const RecordView& record);

  std::int32_t count() const { return count_; }
  Offset next_offset() const { return next_offset_; }
  /// Largest timestamp appended; kNoTimestamp without records.
  Timestamp max_timestamp() const { return max_timestamp_; }
  /// Size of the batch if it ended here, before compression.
  std::size_t size() const { return buffer_.size(); }

  /// Compaction removes records and keeps the batch's range: the last offset is the old one.
  /// REQUIRES: not below the last record's.
  void set_last_offset(Offset last_offset);

  /// The batch. REQUIRES: a record was appended. The builder is used up.
  Bytes build(CompressionScratch& scratch);
  /// For one batch now and then; a compressing builder makes its scratch for this one call.
  Bytes build();

 private:
  std::uint8_t* start_record(Offset offset, Timestamp timestamp, std::size_t fields_size);
  BatchOptions options_;
  Buffer buffer_;  // header, then records
  std::int32_t count_ = 0;
  Offset next_offset_;
  Timestamp base_timestamp_ = kNoTimestamp;
  Timestamp max_timestamp_ = kNoTimestamp;
};

/// A batch without records that keeps an offset range, producer state and timestamp: what compaction leaves
/// of the last batch of a producer.
Bytes make_empty_batch(const BatchOptions& options, Offset last_offset, Timestamp max_timestamp);

/// `batch` with its payload in another codec. `payload` is the batch's, decompressed.
Bytes recompress_batch(const BatchView& batch, ByteView payload, Codec codec, std::optional<int> level,
                       CompressionScratch& scratch);

}  // namespace milena::wire
