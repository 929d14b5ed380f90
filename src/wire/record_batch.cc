#include "wire/record_batch.h"

#include <limits>

#include "base/crc32c.h"

namespace milena::wire {
namespace {

constexpr std::size_t kLengthAt = 8;
constexpr std::size_t kMagicAt = 16;
constexpr std::size_t kCrcAt = 17;
constexpr std::size_t kCrcFrom = 21;
constexpr std::int32_t kLegacyRecordMin = 14;  // magic 0: crc, magic, attributes, two sizes

}  // namespace

std::string_view describe(BatchError error) {
  switch (error) {
    case BatchError::kIncomplete:
      return "the batch is cut short";
    case BatchError::kTooSmall:
      return "the batch's length is smaller than its header";
    case BatchError::kBadMagic:
      return "the batch's magic byte names no format";
    case BatchError::kLegacyFormat:
      return "the batch is in a format before v2";
    case BatchError::kBadCrc:
      return "the batch's checksum does not match";
  }
  return "";
}

Result<std::size_t, BatchError> entry_size(ByteView bytes) {
  if (bytes.size() < kEntryPrefix) return Err(BatchError::kIncomplete);
  auto length = load_be<std::int32_t>(bytes.data() + kLengthAt);
  if (length < kLegacyRecordMin) return Err(BatchError::kTooSmall);
  if (bytes.size() <= kMagicAt) return Err(BatchError::kIncomplete);
  auto magic = static_cast<std::int8_t>(bytes[kMagicAt]);
  if (magic < 0 || magic > kMagicV2) return Err(BatchError::kBadMagic);
  return static_cast<std::size_t>(length) + kEntryPrefix;
}

Result<BatchView, BatchError> BatchView::parse(ByteView bytes) {
  auto size = entry_size(bytes);
  if (size.failed()) return Err(size.error());
  if (bytes[kMagicAt] != kMagicV2) return Err(BatchError::kLegacyFormat);
  if (*size < kBatchHeader) return Err(BatchError::kTooSmall);
  if (*size > bytes.size()) return Err(BatchError::kIncomplete);
  BatchView view;
  view.data_ = bytes.data();
  view.size_ = *size;
  return view;
}

bool BatchView::crc_ok() const {
  return crc32c(bytes().subspan(kCrcFrom)) == crc();
}

std::int32_t BatchView::last_sequence() const {
  std::int32_t base = base_sequence();
  if (base < 0 || last_offset_delta() < 0) return -1;
  return advance_sequence(base, last_offset_delta());
}

bool BatchCursor::next(BatchView& batch) {
  if (rest_.empty() || error_.has_value()) return false;
  auto parsed = BatchView::parse(rest_);
  if (parsed.failed()) {
    error_ = parsed.error();
    return false;
  }
  batch = *parsed;
  rest_ = rest_.subspan(batch.size());
  return true;
}

void patch_base_offset(std::uint8_t* batch, Offset base_offset) {
  store_be(batch, base_offset.value());
}

void patch_leader_epoch(std::uint8_t* batch, Epoch leader_epoch) {
  store_be(batch + 12, leader_epoch.value());
}

void patch_max_timestamp(std::uint8_t* batch, TimestampType type, Timestamp max_timestamp) {
  auto attributes = load_be<std::int16_t>(batch + 21);
  auto patched =
      static_cast<std::int16_t>(type == TimestampType::kLogAppendTime ? attributes | 8 : attributes & ~8);
  store_be(batch + 21, patched);
  store_be(batch + 35, max_timestamp.value());
  patch_crc(batch);
}

void patch_crc(std::uint8_t* batch) {
  std::size_t size = static_cast<std::size_t>(load_be<std::int32_t>(batch + kLengthAt)) + kEntryPrefix;
  store_be(batch + kCrcAt, crc32c({batch + kCrcFrom, size - kCrcFrom}));
}

std::int32_t advance_sequence(std::int32_t sequence, std::int32_t delta) {
  std::int64_t next = std::int64_t{sequence} + delta;
  std::int64_t wrap = std::int64_t{std::numeric_limits<std::int32_t>::max()} + 1;
  return static_cast<std::int32_t>(next >= wrap ? next - wrap : next);
}

}  // namespace milena::wire
