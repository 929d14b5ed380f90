#include "wire/record.h"

#include "base/varint.h"

namespace milena::wire {
namespace {

/// Reads varints and fields from [at, end); after a failure everything reads as 0 and `failed` tells.
struct Fields {
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

std::int64_t wrapping_add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

std::optional<RecordError> read_headers(Fields& fields, HeadersView& headers) {
  std::int32_t count = fields.varint();
  if (fields.failed) return RecordError::kBadVarint;
  if (count < 0 || static_cast<std::size_t>(count) > fields.left()) return RecordError::kBadHeaders;
  const std::uint8_t* start = fields.at;
  bool too_long = false;
  for (std::int32_t i = 0; i < count; ++i) {
    bool has_key = fields.field(too_long).has_value();
    if (fields.failed) return RecordError::kBadVarint;
    if (too_long) return RecordError::kBadField;
    if (!has_key) return RecordError::kBadHeaders;
    fields.field(too_long);
    if (fields.failed) return RecordError::kBadVarint;
    if (too_long) return RecordError::kBadField;
  }
  headers = HeadersView({start, static_cast<std::size_t>(fields.at - start)}, count);
  return std::nullopt;
}

}  // namespace

std::string_view describe(RecordError error) {
  switch (error) {
    case RecordError::kNegativeCount:
      return "the number of records is negative";
    case RecordError::kMissingRecords:
      return "the batch ends before its last record";
    case RecordError::kTrailingBytes:
      return "bytes remain behind the batch's last record";
    case RecordError::kBadLength:
      return "a record's length does not fit its fields";
    case RecordError::kBadVarint:
      return "a record holds an invalid variable-length integer";
    case RecordError::kBadField:
      return "a field reaches past the end of its record";
    case RecordError::kBadHeaders:
      return "a record's headers are invalid";
  }
  return "";
}

bool HeadersView::Cursor::next(RecordHeader& header) {
  if (left_ <= 0) return false;
  --left_;
  Fields fields{rest_.data(), rest_.data() + rest_.size()};
  bool too_long = false;
  header.key = as_text(fields.field(too_long).value_or(ByteView{}));
  header.value = fields.field(too_long);
  rest_ = {fields.at, fields.left()};
  return !fields.failed && !too_long;
}

Result<ByteView, CompressionError> unpack_payload(const BatchView& batch, std::size_t bytes_max,
                                                  Buffer& unpacked, CompressionScratch& scratch) {
  if (!batch.compressed()) return batch.payload();
  auto codec = batch.codec();
  if (!codec.has_value()) return Err(CompressionError::kUnsupported);
  unpacked.clear();
  TRY(decompress(*codec, batch.payload(), {.bytes_max = bytes_max}, unpacked, scratch));
  return unpacked.view();
}

RecordReader::RecordReader(const BatchView& batch, ByteView payload)
    : at_(payload.data()),
      end_(payload.data() + payload.size()),
      left_(batch.records_count()),
      base_offset_(batch.base_offset()),
      base_timestamp_(batch.base_timestamp()) {
  if (batch.timestamp_type() == TimestampType::kLogAppendTime) append_time_ = batch.max_timestamp();
  if (left_ < 0) {
    left_ = 0;
    error_ = RecordError::kNegativeCount;
  }
}

bool RecordReader::fail(RecordError error) {
  error_ = error;
  left_ = 0;
  at_ = end_;
  return false;
}

bool RecordReader::next(RecordView& record) {
  if (left_ == 0) {
    if (at_ != end_ && !error_.has_value()) return fail(RecordError::kTrailingBytes);
    return false;
  }
  if (at_ == end_) return fail(RecordError::kMissingRecords);
  const std::uint8_t* start = at_;
  Fields outer{at_, end_};
  std::int32_t length = outer.varint();
  if (outer.failed) return fail(RecordError::kBadVarint);
  if (length < 1 || static_cast<std::size_t>(length) > outer.left()) return fail(RecordError::kBadLength);
  Fields fields{outer.at, outer.at + length};
  record.attributes = *fields.at++;
  record.timestamp_delta = fields.varlong();
  record.offset_delta = fields.varint();
  bool too_long = false;
  record.key = fields.field(too_long);
  record.value = fields.field(too_long);
  if (too_long) return fail(RecordError::kBadField);
  if (fields.failed) return fail(RecordError::kBadVarint);
  if (auto bad = read_headers(fields, record.headers); bad.has_value()) return fail(*bad);
  if (fields.at != fields.end) return fail(RecordError::kBadLength);
  record.offset = Offset(wrapping_add(base_offset_.value(), record.offset_delta));
  record.timestamp =
      append_time_.value_or(Timestamp(wrapping_add(base_timestamp_.value(), record.timestamp_delta)));
  record.size = static_cast<std::size_t>(fields.end - start);
  at_ = fields.end;
  --left_;
  // The last record must end the payload: told with the record, so that the caller never takes it for good.
  if (left_ == 0 && at_ != end_) return fail(RecordError::kTrailingBytes);
  return true;
}

}  // namespace milena::wire
