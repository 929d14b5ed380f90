#include "wire/legacy_message.h"

#include <zlib.h>

#include <algorithm>

namespace milena::wire {
namespace {

constexpr std::size_t kCrcFrom = 16;
constexpr std::size_t kMagicAt = 16;

/// A size-delimited field at `at`; moves `at` behind it. False: it reaches past the end.
bool take_field(ByteView entry, std::size_t& at, std::optional<ByteView>& field) {
  if (entry.size() - at < 4) return false;
  auto size = load_be<std::int32_t>(entry.data() + at);
  at += 4;
  field.reset();
  if (size < 0) return true;
  if (static_cast<std::size_t>(size) > entry.size() - at) return false;
  field = entry.subspan(at, static_cast<std::size_t>(size));
  at += static_cast<std::size_t>(size);
  return true;
}

}  // namespace

std::string_view describe(LegacyError error) {
  switch (error) {
    case LegacyError::kBadCodec:
      return "the message set's codec is not one of its format";
    case LegacyError::kDecompress:
      return "the message set does not decompress";
    case LegacyError::kTooLarge:
      return "the message set decompresses to more than is allowed";
    case LegacyError::kNoMessages:
      return "the message set is empty";
    case LegacyError::kBadMessage:
      return "the message set holds a malformed message";
    case LegacyError::kBadOffset:
      return "the message set's offset is below that of its last message";
  }
  return "";
}

Result<LegacyEntryView, BatchError> LegacyEntryView::parse(ByteView bytes) {
  auto size = entry_size(bytes);
  if (size.failed()) return Err(size.error());
  if (bytes[kMagicAt] > 1) return Err(BatchError::kBadMagic);
  if (*size > bytes.size()) return Err(BatchError::kIncomplete);
  ByteView entry = bytes.first(*size);
  std::size_t at = entry[kMagicAt] == 0 ? 18 : 26;
  if (at > entry.size()) return Err(BatchError::kTooSmall);
  LegacyEntryView view;
  view.data_ = entry.data();
  view.size_ = entry.size();
  if (!take_field(entry, at, view.key_) || !take_field(entry, at, view.value_))
    return Err(BatchError::kTooSmall);
  return view;
}

bool LegacyEntryView::crc_ok() const {
  uLong computed = 0;
  for (ByteView rest = bytes().subspan(kCrcFrom); !rest.empty();) {
    std::size_t part = std::min<std::size_t>(rest.size(), 1U << 30);
    computed = crc32(computed, rest.data(), static_cast<uInt>(part));
    rest = rest.subspan(part);
  }
  return computed == crc();
}

Result<LegacyReader, LegacyError> LegacyReader::open(const LegacyEntryView& entry, std::size_t bytes_max,
                                                     CompressionScratch& scratch) {
  LegacyReader reader;
  reader.entry_ = entry;
  if (!entry.compressed()) {
    reader.base_offset_ = entry.offset();
    reader.count_ = 1;
    return reader;
  }
  auto codec = codec_of(entry.codec_id());
  if (!codec.has_value() || *codec == Codec::kZstd) return Err(LegacyError::kBadCodec);
  if (!entry.value().has_value()) return Err(LegacyError::kNoMessages);
  DecompressOptions options{.bytes_max = bytes_max, .any_lz4_header_checksum = true};
  auto result = decompress(*codec, *entry.value(), options, reader.inner_, scratch);
  if (result.failed()) {
    return Err(result.error() == CompressionError::kTooLarge ? LegacyError::kTooLarge
                                                             : LegacyError::kDecompress);
  }
  TRY(reader.check_inner());
  return reader;
}

Result<void, LegacyError> LegacyReader::check_inner() {
  Offset first{0};
  Offset last{0};
  ByteView rest = inner_.view();
  while (!rest.empty()) {
    auto message = LegacyEntryView::parse(rest);
    // An incomplete message at the end is left out, as by Kafka.
    if (message.failed() && message.error() == BatchError::kIncomplete) break;
    if (message.failed() || message->compressed()) return Err(LegacyError::kBadMessage);
    if (count_++ == 0) first = message->offset();
    last = message->offset();
    rest = rest.subspan(message->size());
  }
  if (count_ == 0) return Err(LegacyError::kNoMessages);
  inner_.resize(inner_.size() - rest.size());
  // Wrappers that a client sent carry offset 0 and inner offsets from 0: nothing to shift.
  if (entry_.magic() == 1 && entry_.offset().value() != 0) {
    if (last.value() < 0 || first.value() < 0 || entry_.offset() < last) return Err(LegacyError::kBadOffset);
    shift_ = entry_.offset() - last;
  }
  base_offset_ = first + shift_;
  return {};
}

bool LegacyReader::next(LegacyRecordView& record) {
  if (!entry_.compressed()) {
    if (done_) return false;
    done_ = true;
    record = {entry_.offset(), entry_.timestamp(), entry_.timestamp_type(), entry_.key(), entry_.value()};
    return true;
  }
  if (at_ == inner_.size()) return false;
  auto message = LegacyEntryView::parse(inner_.view().subspan(at_));
  if (message.failed()) return false;
  at_ += message->size();
  bool append_time = entry_.timestamp_type() == TimestampType::kLogAppendTime && message->magic() == 1;
  record.offset = Offset(static_cast<std::int64_t>(static_cast<std::uint64_t>(message->offset().value()) +
                                                   static_cast<std::uint64_t>(shift_)));
  record.timestamp = append_time ? entry_.timestamp() : message->timestamp();
  record.timestamp_type = message->magic() == 1 ? entry_.timestamp_type() : message->timestamp_type();
  record.key = message->key();
  record.value = message->value();
  return true;
}

}  // namespace milena::wire
