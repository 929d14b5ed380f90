#include "wire/reader.h"

#include <bit>

#include "base/mutant.h"
#include "base/varint.h"

namespace milena::wire {
namespace {

// The int16 of the older form bounds compact strings, too, as in Kafka.
constexpr std::int64_t kStringMax = 32767;

}  // namespace

double Reader::read_float64() { return std::bit_cast<double>(read_int<std::uint64_t>()); }

Uuid Reader::read_uuid() {
  std::uint64_t high = read_int<std::uint64_t>();
  std::uint64_t low = read_int<std::uint64_t>();
  return ok() ? Uuid{high, low} : Uuid{};
}

std::uint32_t Reader::read_uvarint() {
  std::uint64_t value = 0;
  std::size_t size = get_uvarint({at_, remaining()}, value, kMaxVarintBytes32);
  if (size == 0 || value > 0xffffffffU) {
    fail();
    return 0;
  }
  at_ += size;
  return static_cast<std::uint32_t>(value);
}

std::int64_t Reader::read_length(bool compact, bool wide) {
  std::int64_t length = 0;
  if (compact) {
    length = static_cast<std::int64_t>(read_uvarint()) - 1;
  } else {
    length = wide ? read_int32() : read_int16();
  }
  if (!ok()) return 0;
  if (length < -1 || length > static_cast<std::int64_t>(remaining())) {
    fail();
    return 0;
  }
  return length;
}

std::string Reader::read_string(bool compact) {
  return read_nullable_string(compact, false).value_or(std::string());
}

std::optional<std::string> Reader::read_nullable_string(bool compact, bool null_allowed) {
  std::int64_t length = read_length(compact, false);
  if (length < 0 || length > kStringMax) {
    if (!null_allowed || length > kStringMax) fail();
    return std::nullopt;
  }
  std::string text(reinterpret_cast<const char*>(at_), static_cast<std::size_t>(length));
  at_ += length;
  return text;
}

Bytes Reader::read_bytes(bool compact) { return read_nullable_bytes(compact, false).value_or(Bytes()); }

std::optional<Bytes> Reader::read_nullable_bytes(bool compact, bool null_allowed) {
  std::int64_t length = read_length(compact, true);
  if (length < 0) {
    if (!null_allowed) fail();
    return std::nullopt;
  }
  return read_raw(static_cast<std::size_t>(length));
}

Bytes Reader::read_raw(std::size_t count) {
  if (count > remaining()) {
    fail();
    return {};
  }
  Bytes bytes = input_.slice(position(), count);
  at_ += count;
  return bytes;
}

std::int32_t Reader::read_array_count(bool compact, std::size_t min_element_size) {
  std::int64_t count = compact ? static_cast<std::int64_t>(read_uvarint()) - 1 : read_int32();
  if (!ok()) return 0;
  if (count < -1 || (count > 0 && static_cast<std::uint64_t>(count) > remaining() / min_element_size)) {
    fail();
    return 0;
  }
  return static_cast<std::int32_t>(count);
}

void Reader::read_string_array(std::vector<std::string>& out, std::int32_t count, bool compact) {
  out.reserve(reserve_count(count, sizeof(std::string)));
  for (std::int32_t i = 0; i < count && ok(); ++i) out.push_back(read_string(compact));
}

void Reader::read_uuid_array(std::vector<Uuid>& out, std::int32_t count) {
  out.resize(static_cast<std::size_t>(count));
  for (Uuid& value : out) value = read_uuid();
}

std::uint32_t Reader::read_tag_count() {
  std::uint32_t count = read_uvarint();
  if (MILENA_MUTANT("reserved-tags")) ::operator delete(::operator new(std::size_t{24} * std::min(count, 10'000'000U)));
  if (count > remaining() / 2) {  // a tag and a size for each
    fail();
    return 0;
  }
  return count;
}

std::uint32_t Reader::read_tag(std::int64_t& previous) {
  std::uint32_t tag = read_uvarint();
  if (tag <= previous) fail();
  previous = tag;
  return tag;
}

const std::uint8_t* Reader::enter_tag() {
  std::uint32_t size = read_uvarint();
  if (size > remaining()) fail();
  const std::uint8_t* outer_end = end_;
  if (ok()) end_ = at_ + size;
  return outer_end;
}

void Reader::leave_tag(const std::uint8_t* outer_end) {
  if (at_ != end_) failed_ = true;
  end_ = outer_end;
  if (failed_) at_ = end_;
}

void Reader::skip_tag() {
  std::uint32_t size = read_uvarint();
  if (size > remaining()) return fail();
  at_ += size;
}

void Reader::keep_tag(std::uint32_t tag, UnknownTaggedFields& fields) {
  std::uint32_t size = read_uvarint();
  Bytes data = read_raw(size);
  if (ok()) fields.push_back({tag, std::move(data)});
}

void Reader::skip_tags() {
  std::int64_t previous = -1;
  for (std::uint32_t left = read_tag_count(); left > 0 && ok(); --left) {
    read_tag(previous);
    skip_tag();
  }
}

void Reader::keep_tags(UnknownTaggedFields& fields) {
  std::int64_t previous = -1;
  for (std::uint32_t left = read_tag_count(); left > 0 && ok(); --left) {
    keep_tag(read_tag(previous), fields);
  }
}

}  // namespace milena::wire
