#include "wire/record.h"

#include "wire/record_fields.h"

namespace milena::wire {
namespace {

std::int64_t wrapping_add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

}  // namespace

std::optional<RecordError> read_headers(RecordFields& fields, HeadersView& headers) {
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

std::optional<RecordError> read_record(RecordFields fields, RecordView& record) {
  record.attributes = *fields.at++;
  record.timestamp_delta = fields.varlong();
  record.offset_delta = fields.varint();
  bool too_long = false;
  record.key = fields.field(too_long);
  record.value = fields.field(too_long);
  if (too_long) return RecordError::kBadField;
  if (fields.failed) return RecordError::kBadVarint;
  if (auto bad = read_headers(fields, record.headers); bad.has_value()) return bad;
  if (fields.at != fields.end) return RecordError::kBadLength;
  return std::nullopt;
}

RecordBase::RecordBase(const BatchView& batch) : offset(batch.base_offset()), timestamp(batch.base_timestamp()) {
  if (batch.timestamp_type() == TimestampType::kLogAppendTime) append_time = batch.max_timestamp();
}

void RecordBase::apply(RecordView& record) const {
  record.offset = Offset(wrapping_add(offset.value(), record.offset_delta));
  record.timestamp = append_time.value_or(Timestamp(wrapping_add(timestamp.value(), record.timestamp_delta)));
}

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
  RecordFields fields{rest_.data(), rest_.data() + rest_.size()};
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
  RecordFields outer{at_, end_};
  std::int32_t length = outer.varint();
  if (outer.failed) return fail(RecordError::kBadVarint);
  if (length < 1 || static_cast<std::size_t>(length) > outer.left()) return fail(RecordError::kBadLength);
  RecordFields fields{outer.at, outer.at + length};
  if (auto bad = read_record(fields, record); bad.has_value()) return fail(*bad);
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
