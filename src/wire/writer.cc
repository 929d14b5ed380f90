#include "wire/writer.h"

#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "base/varint.h"

namespace milena::wire {

void Writer::write_float64(double value) { write_int(std::bit_cast<std::uint64_t>(value)); }

void Writer::write_uuid(const Uuid& value) {
  write_int(value.high);
  write_int(value.low);
}

void Writer::write_uvarint(std::uint32_t value) {
  std::array<std::uint8_t, kMaxVarintBytes32> bytes;
  std::size_t size = put_uvarint(bytes.data(), value);
  buffer_.append(ByteView(bytes.data(), size));
}

void Writer::write_string(std::string_view text, bool compact) {
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<std::int16_t>::max())) {
    failed_ = true;
    text = {};
  }
  if (compact) {
    write_uvarint(static_cast<std::uint32_t>(text.size()) + 1);
  } else {
    write_int16(static_cast<std::int16_t>(text.size()));
  }
  buffer_.append(text);
}

void Writer::write_null_string(bool compact) {
  if (compact) {
    write_uvarint(0);
  } else {
    write_int16(-1);
  }
}

void Writer::write_bytes(const Bytes& bytes, bool compact) {
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    failed_ = true;
    return write_bytes(Bytes(), compact);
  }
  write_array_count(bytes.size(), compact);
  splice(bytes);
}

void Writer::write_null_bytes(bool compact) { write_null_array(compact); }

void Writer::splice(const Bytes& bytes) {
  if (bytes.size() < kSpliceMin) return buffer_.append(bytes.view());
  splices_.push_back({buffer_.size(), bytes});
  spliced_size_ += bytes.size();
}

void Writer::write_array_count(std::size_t count, bool compact) {
  if (compact) {
    write_uvarint(static_cast<std::uint32_t>(count) + 1);
  } else {
    write_int32(static_cast<std::int32_t>(count));
  }
}

void Writer::write_null_array(bool compact) {
  if (compact) {
    write_uvarint(0);
  } else {
    write_int32(-1);
  }
}

std::vector<Bytes> Writer::finish() {
  std::vector<Splice> splices = std::exchange(splices_, {});
  spliced_size_ = 0;
  Bytes own = buffer_.freeze();
  std::vector<Bytes> pieces;
  pieces.reserve(2 * splices.size() + 1);
  std::size_t at = 0;
  for (Splice& splice : splices) {
    if (splice.at > at) pieces.push_back(own.slice(at, splice.at - at));
    at = splice.at;
    pieces.push_back(std::move(splice.bytes));
  }
  if (own.size() > at) pieces.push_back(own.slice(at, own.size() - at));
  return pieces;
}

Bytes Writer::to_bytes() {
  if (splices_.empty()) return buffer_.freeze();
  Buffer flat(size());
  for (const Bytes& piece : finish()) flat.append(piece.view());
  return flat.freeze();
}

void Writer::open_gap(std::size_t at, std::size_t count) {
  std::size_t tail = buffer_.size() - at;
  buffer_.resize(buffer_.size() + count);
  std::memmove(buffer_.data() + at + count, buffer_.data() + at, tail);
  for (auto splice = splices_.rbegin(); splice != splices_.rend() && splice->at >= at; ++splice) {
    splice->at += count;
  }
}

TagWriter::TagWriter(Writer& writer, const UnknownTaggedFields* unknown)
    : writer_(writer), unknown_(unknown), count_at_(writer.buffer_.size()) {
  writer_.buffer_.push_back(0);
}

void TagWriter::begin(std::uint32_t tag) {
  write_unknown_below(tag);
  ++count_;
  writer_.write_uvarint(tag);
  field_at_ = writer_.buffer_.size();
  writer_.buffer_.push_back(0);
  field_start_ = writer_.size();
}

void TagWriter::end() {
  auto size = static_cast<std::uint32_t>(writer_.size() - field_start_);
  std::size_t extra = uvarint_size(size) - 1;
  if (extra > 0) writer_.open_gap(field_at_ + 1, extra);
  put_uvarint(writer_.buffer_.data() + field_at_, size);
}

void TagWriter::finish() {
  write_unknown_below(std::numeric_limits<std::uint64_t>::max());
  std::size_t extra = uvarint_size(count_) - 1;
  if (extra > 0) writer_.open_gap(count_at_ + 1, extra);
  put_uvarint(writer_.buffer_.data() + count_at_, count_);
}

void TagWriter::write_unknown_below(std::uint64_t tag) {
  if (unknown_ == nullptr) return;
  while (next_unknown_ < unknown_->size() && (*unknown_)[next_unknown_].tag < tag) {
    const UnknownTaggedField& field = (*unknown_)[next_unknown_++];
    ++count_;
    writer_.write_uvarint(field.tag);
    writer_.write_uvarint(static_cast<std::uint32_t>(field.data.size()));
    writer_.splice(field.data);
  }
}

}  // namespace milena::wire
