#include "wire/batch_builder.h"

#include <limits>

#include "base/check.h"
#include "base/varint.h"

namespace milena::wire {
namespace {

struct HeaderFields {
  std::int32_t last_offset_delta;
  Timestamp base_timestamp;
  Timestamp max_timestamp;
  std::int32_t count;
};

std::int16_t attributes_of(const BatchOptions& options) {
  return static_cast<std::int16_t>(static_cast<int>(options.codec) |
                                   (options.timestamp_type == TimestampType::kLogAppendTime ? 0x08 : 0) |
                                   (options.transactional ? 0x10 : 0) | (options.control ? 0x20 : 0) |
                                   (options.delete_horizon.has_value() ? 0x40 : 0));
}

/// Fills the 61 bytes at the front of `buffer`, whose size is the batch's.
void write_header(Buffer& buffer, const BatchOptions& options, const HeaderFields& fields) {
  CHECK(buffer.size() <= std::numeric_limits<std::int32_t>::max(), "batch of {} bytes", buffer.size());
  std::uint8_t* at = buffer.data();
  store_be(at, options.base_offset.value());
  store_be(at + 8, static_cast<std::int32_t>(buffer.size() - kEntryPrefix));
  store_be(at + 12, options.leader_epoch.value());
  store_be(at + 16, kMagicV2);
  store_be(at + 21, attributes_of(options));
  store_be(at + 23, fields.last_offset_delta);
  store_be(at + 27, fields.base_timestamp.value());
  store_be(at + 35, fields.max_timestamp.value());
  store_be(at + 43, options.producer_id.value());
  store_be(at + 51, options.producer_epoch);
  store_be(at + 53, options.base_sequence);
  store_be(at + 57, fields.count);
  patch_crc(at);
}

void check_producer(const BatchOptions& options) {
  CHECK(!options.transactional || options.producer_id > kNoProducer,
        "a transactional batch has a producer id");
  if (options.producer_id > kNoProducer) {
    CHECK(options.producer_epoch >= 0);
    CHECK(options.base_sequence >= 0 || options.control);
  }
}

std::size_t field_size(const BatchBuilder::Field& field) {
  if (!field.has_value()) return 1;
  return varint_size(static_cast<std::int64_t>(field->size())) + field->size();
}

std::uint8_t* put_varint(std::uint8_t* at, std::int64_t value) {
  return at + put_uvarint(at, zigzag(value));
}

std::uint8_t* put_bytes(std::uint8_t* at, ByteView bytes) {
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  return at + bytes.size();
}

std::uint8_t* put_field(std::uint8_t* at, const BatchBuilder::Field& field) {
  if (!field.has_value()) return put_varint(at, -1);
  at = put_varint(at, static_cast<std::int64_t>(field->size()));
  return put_bytes(at, *field);
}

void compress_payload(Codec codec, std::optional<int> level, ByteView payload, Buffer& out,
                      CompressionScratch& scratch) {
  out.resize(kBatchHeader);
  compress(codec, level.value_or(level_range(codec).standard), payload, out, scratch);
}

}  // namespace

BatchBuilder::BatchBuilder(const BatchOptions& options)
    : options_(options), next_offset_(options.base_offset) {
  buffer_.reserve(512);
  buffer_.resize(kBatchHeader);
}

std::uint8_t* BatchBuilder::start_record(Offset offset, Timestamp timestamp, std::size_t fields_size) {
  CHECK(offset >= next_offset_, "offset {} after {}", offset, next_offset_ - 1);
  CHECK(timestamp >= kNoTimestamp, "timestamp {}", timestamp);
  std::int64_t offset_delta = offset - options_.base_offset;
  CHECK(offset_delta <= std::numeric_limits<std::int32_t>::max(), "offset delta {}", offset_delta);
  if (count_ == 0) base_timestamp_ = options_.delete_horizon.value_or(timestamp);
  std::int64_t timestamp_delta = timestamp - base_timestamp_;
  std::size_t body = 1 + varint_size(timestamp_delta) + varint_size(offset_delta) + fields_size;
  std::size_t size = varint_size(static_cast<std::int64_t>(body)) + body;
  std::size_t start = buffer_.size();
  buffer_.resize(start + size);
  std::uint8_t* at = put_varint(buffer_.data() + start, static_cast<std::int64_t>(body));
  *at++ = 0;
  at = put_varint(at, timestamp_delta);
  at = put_varint(at, offset_delta);
  ++count_;
  next_offset_ = offset + 1;
  if (timestamp > max_timestamp_) max_timestamp_ = timestamp;
  return at;
}

void BatchBuilder::append_at(Offset offset, Timestamp timestamp, Field key, Field value,
                             std::span<const RecordHeader> headers) {
  std::size_t size =
      field_size(key) + field_size(value) + varint_size(static_cast<std::int64_t>(headers.size()));
  for (const RecordHeader& header : headers)
    size += field_size(as_bytes(header.key)) + field_size(header.value);
  std::uint8_t* at = start_record(offset, timestamp, size);
  at = put_field(at, key);
  at = put_field(at, value);
  at = put_varint(at, static_cast<std::int64_t>(headers.size()));
  for (const RecordHeader& header : headers) {
    at = put_field(at, as_bytes(header.key));
    at = put_field(at, header.value);
  }
}

void BatchBuilder::append_at(Offset offset, Timestamp timestamp, const RecordView& record) {
  ByteView headers = record.headers.encoded();
  std::size_t size = field_size(record.key) + field_size(record.value) + varint_size(record.headers.count()) +
                     headers.size();
  std::uint8_t* at = start_record(offset, timestamp, size);
  at = put_field(at, record.key);
  at = put_field(at, record.value);
  at = put_varint(at, record.headers.count());
  put_bytes(at, headers);
}

void BatchBuilder::set_last_offset(Offset last_offset) {
  CHECK(last_offset + 1 >= next_offset_, "last offset {} below the last record's", last_offset);
  CHECK(last_offset - options_.base_offset <= std::numeric_limits<std::int32_t>::max());
  next_offset_ = last_offset + 1;
}

Bytes BatchBuilder::build() {
  CompressionScratch scratch;
  return build(scratch);
}

Bytes BatchBuilder::build(CompressionScratch& scratch) {
  CHECK(count_ > 0, "a batch has records");
  check_producer(options_);
  HeaderFields fields{.last_offset_delta = static_cast<std::int32_t>(next_offset_ - options_.base_offset - 1),
                      .base_timestamp = base_timestamp_,
                      .max_timestamp = options_.timestamp_type == TimestampType::kLogAppendTime
                                           ? options_.log_append_time
                                           : max_timestamp_,
                      .count = count_};
  if (options_.codec != Codec::kNone) {
    Buffer compressed;
    compress_payload(options_.codec, options_.level, buffer_.view().subspan(kBatchHeader), compressed,
                     scratch);
    buffer_ = std::move(compressed);
  }
  write_header(buffer_, options_, fields);
  return buffer_.freeze();
}

Bytes make_empty_batch(const BatchOptions& options, Offset last_offset, Timestamp max_timestamp) {
  Buffer buffer(kBatchHeader);
  buffer.resize(kBatchHeader);
  BatchOptions empty = options;
  empty.codec = Codec::kNone;
  empty.delete_horizon = std::nullopt;
  HeaderFields fields{.last_offset_delta = static_cast<std::int32_t>(last_offset - options.base_offset),
                      .base_timestamp = kNoTimestamp,
                      .max_timestamp = max_timestamp,
                      .count = 0};
  write_header(buffer, empty, fields);
  return buffer.freeze();
}

Bytes recompress_batch(const BatchView& batch, ByteView payload, Codec codec, std::optional<int> level,
                       CompressionScratch& scratch) {
  Buffer out;
  compress_payload(codec, level, payload, out, scratch);
  std::uint8_t* at = out.data();
  std::memcpy(at, batch.bytes().data(), kBatchHeader);
  CHECK(out.size() <= std::numeric_limits<std::int32_t>::max());
  store_be(at + 8, static_cast<std::int32_t>(out.size() - kEntryPrefix));
  store_be(at + 21, static_cast<std::int16_t>((batch.attributes() & ~7) | static_cast<int>(codec)));
  patch_crc(at);
  return out.freeze();
}

}  // namespace milena::wire
