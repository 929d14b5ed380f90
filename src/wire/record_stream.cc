#include "wire/record_stream.h"

#include <algorithm>
#include <utility>

namespace milena::wire {
namespace {

// A length, and an attribute byte, two deltas and a length: what must be there before they can be read.
constexpr std::size_t kLengthMax = kMaxVarintBytes32;
constexpr std::size_t kHeadMax = 1 + kMaxVarintBytes64 + 2 * kMaxVarintBytes32;

}  // namespace

RecordStream::RecordStream(const BatchView& batch, Visit visit)
    : base_(batch), visit_(std::move(visit)), left_(batch.records_count()) {
  if (left_ < 0) error_ = RecordError::kNegativeCount;
}

std::size_t RecordStream::fail(RecordError error, std::size_t taken) {
  error_ = error;
  return taken;
}

void RecordStream::seen(RecordView& record) {
  base_.apply(record);
  --left_;
  visit_(record);
}

std::size_t RecordStream::take(ByteView bytes) {
  std::size_t taken = 0;
  while (!error_.has_value() && taken < bytes.size()) {
    ByteView rest = bytes.subspan(taken);
    std::size_t n = large_ ? take_large(rest) : take_whole(rest, false);
    if (n == 0) break;
    taken += n;
  }
  return error_.has_value() ? bytes.size() : taken;  // what follows a fault is not looked at
}

std::optional<RecordError> RecordStream::finish(ByteView rest) {
  while (!error_.has_value() && !rest.empty() && !large_) {
    std::size_t n = take_whole(rest, true);
    rest = rest.subspan(std::min(n, rest.size()));
  }
  if (!error_.has_value() && large_) error_ = RecordError::kBadLength;
  if (!error_.has_value() && left_ > 0) error_ = RecordError::kMissingRecords;
  return error_;
}

std::size_t RecordStream::take_whole(ByteView bytes, bool last) {
  if (left_ == 0) return fail(RecordError::kTrailingBytes, bytes.size());
  if (!last && bytes.size() < kLengthMax) return 0;
  RecordFields outer{bytes.data(), bytes.data() + bytes.size()};
  std::int32_t length = outer.varint();
  if (outer.failed) return fail(RecordError::kBadVarint, bytes.size());
  if (length < 1) return fail(RecordError::kBadLength, bytes.size());
  auto size = static_cast<std::size_t>(length);
  if (size > outer.left()) {
    if (last) return fail(RecordError::kBadLength, bytes.size());
    return size > kWhole ? begin_large(bytes) : 0;
  }
  RecordView record;
  if (auto bad = read_record({outer.at, outer.at + size}, record); bad.has_value()) return fail(*bad, bytes.size());
  seen(record);
  return bytes.size() - outer.left() + size;
}

std::size_t RecordStream::begin_large(ByteView bytes) {
  RecordFields outer{bytes.data(), bytes.data() + bytes.size()};
  auto size = static_cast<std::size_t>(outer.varint());
  if (outer.left() < kHeadMax) return 0;
  std::size_t there = std::min(size, outer.left());
  RecordFields fields{outer.at, outer.at + there};
  record_ = RecordView();
  record_.attributes = *fields.at++;
  record_.timestamp_delta = fields.varlong();
  record_.offset_delta = fields.varint();
  std::int32_t key = fields.varint();
  if (fields.failed) return fail(RecordError::kBadVarint, bytes.size());
  std::size_t read = there - fields.left();
  in_record_ = size - read;
  if (key >= 0) record_.key = ByteView();
  skip_ = key >= 0 ? static_cast<std::size_t>(key) : 0;
  if (skip_ > in_record_) return fail(RecordError::kBadField, bytes.size());
  large_ = true;
  part_ = Part::kValue;
  return bytes.size() - outer.left() + read;
}

std::size_t RecordStream::take_large(ByteView bytes) {
  std::size_t read = std::min(skip_, bytes.size());
  skip_ -= read;
  if (read == 0) {
    read = take_length(bytes);
    if (read == 0 || error_.has_value()) return read;
  }
  in_record_ -= read;
  if (skip_ == 0 && part_ == Part::kHeaderKey && headers_ == 0) end_large();
  return error_.has_value() ? bytes.size() : read;
}

std::size_t RecordStream::take_length(ByteView bytes) {
  std::size_t there = std::min(bytes.size(), in_record_);
  if (there < kLengthMax && there < in_record_) return 0;
  RecordFields fields{bytes.data(), bytes.data() + there};
  std::int32_t length = fields.varint();
  if (fields.failed) return fail(RecordError::kBadVarint, bytes.size());
  std::size_t read = there - fields.left();
  std::size_t behind = in_record_ - read;
  if (part_ == Part::kHeaders) {
    if (length < 0 || static_cast<std::size_t>(length) > behind) return fail(RecordError::kBadHeaders, bytes.size());
    headers_ = length;
    part_ = Part::kHeaderKey;
  } else {
    if (length > 0 && static_cast<std::size_t>(length) > behind) return fail(RecordError::kBadField, bytes.size());
    skip_ = static_cast<std::size_t>(std::max(length, 0));
    if (part_ == Part::kValue) {
      if (length >= 0) record_.value = ByteView();
      part_ = Part::kHeaders;
    } else if (part_ == Part::kHeaderKey) {
      if (length < 0) return fail(RecordError::kBadHeaders, bytes.size());
      part_ = Part::kHeaderValue;
    } else {
      --headers_;
      part_ = Part::kHeaderKey;
    }
  }
  return read;
}

void RecordStream::end_large() {
  large_ = false;
  if (in_record_ != 0) {
    error_ = RecordError::kBadLength;
    return;
  }
  seen(record_);
}

}  // namespace milena::wire
