#include "image/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <type_traits>
#include <utility>

#include "wire/reader.h"
#include "wire/record_table.h"
#include "wire/writer.h"

namespace milena::image {
namespace {

constexpr std::uint32_t kFrameVersion = 1;

/// Makes `out` an empty message of the type with number `key`. False: there is none.
template <std::size_t... I>
bool emplace_by_key(std::uint32_t key, RecordMessage& out, std::index_sequence<I...>) {
  return ((std::variant_alternative_t<I, RecordMessage>::kKey == key && (out.emplace<I>(), true)) || ...);
}

}  // namespace

std::int16_t api_key(const RecordMessage& message) {
  return std::visit([](const auto& m) { return std::decay_t<decltype(m)>::kKey; }, message);
}

std::int16_t latest_version(const RecordMessage& message) {
  return std::visit([](const auto& m) { return std::decay_t<decltype(m)>::kMaxVersion; }, message);
}

std::string_view type_name(const RecordMessage& message) {
  std::int16_t key = api_key(message);
  auto found = std::ranges::find_if(wire::kRecords, [&](const wire::RecordInfo& info) {
    return info.family == "metadata" && info.key == key;
  });
  return found == std::ranges::end(wire::kRecords) ? "" : found->name;
}

Bytes encode_record(const MetadataRecord& record) {
  wire::Writer writer;
  writer.write_uvarint(kFrameVersion);
  writer.write_uvarint(static_cast<std::uint32_t>(api_key(record.message)));
  writer.write_uvarint(static_cast<std::uint32_t>(record.version));
  std::visit([&](const auto& m) { m.encode(writer, record.version); }, record.message);
  return writer.to_bytes();
}

Result<MetadataRecord, RecordError> decode_record(const Bytes& frame) {
  using Kind = RecordError::Kind;
  wire::Reader reader(frame);
  std::uint32_t frame_version = reader.read_uvarint();
  std::uint32_t key = reader.read_uvarint();
  std::uint32_t version = reader.read_uvarint();
  if (!reader.ok()) return Err(RecordError{Kind::kMalformed, "metadata record frame is cut short"});
  if (frame_version != kFrameVersion)
    return Err(RecordError{Kind::kMalformed, fmt::format("metadata record frame version {}", frame_version)});
  MetadataRecord record;
  constexpr auto kTypes = std::make_index_sequence<std::variant_size_v<RecordMessage>>();
  if (!emplace_by_key(key, record.message, kTypes))
    return Err(RecordError{Kind::kUnknownType, fmt::format("metadata record type {} is not known", key)});
  if (version > static_cast<std::uint32_t>(latest_version(record.message)))
    return Err(RecordError{Kind::kUnsupportedVersion,
                           fmt::format("{} version {} is not known", type_name(record.message), version)});
  record.version = static_cast<std::int16_t>(version);
  std::visit([&](auto& m) { m.decode(reader, record.version); }, record.message);
  if (!reader.finished())
    return Err(RecordError{Kind::kMalformed, fmt::format("{} version {} is malformed", type_name(record.message), version)});
  return record;
}

}  // namespace milena::image
