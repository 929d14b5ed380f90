#include "wire/json/record_json.h"

#include <fmt/format.h>

#include "base/endian.h"
#include "wire/json/json_value.h"
#include "wire/reader.h"

namespace milena::wire {
namespace {

constexpr std::size_t kNumberBytes = 2;  // of a coordinator's record: the type in a key, the version in a value

Json decoded(const RecordType& type, std::int16_t version, Bytes bytes, std::string* error) {
  Json json;
  json["type"] = type.name;
  json["version"] = version;
  if (version < type.low || version > type.high) {
    *error = fmt::format("{} has no version {}", type.name, version);
    return json;
  }
  auto data = type.decode(std::move(bytes), version);
  if (data.has_value()) json["data"] = std::move(*data);
  else *error = fmt::format("not a {} of version {}", type.name, version);
  return json;
}

}  // namespace

const RecordType* find_record_type(std::string_view family, RecordPart part, std::int16_t key) {
  for (const RecordType& type : record_types())
    if (type.family == family && type.part == part && type.key == key) return &type;
  return nullptr;
}

const RecordType* find_record_type(std::string_view name) {
  for (const RecordType& type : record_types())
    if (type.name == name) return &type;
  return nullptr;
}

nlohmann::ordered_json metadata_record_json(const Bytes& frame, std::string* error) {
  Reader reader(frame);
  std::uint32_t frame_version = reader.read_uvarint();
  std::uint32_t key = reader.read_uvarint();
  std::uint32_t version = reader.read_uvarint();
  if (!reader.ok() || frame_version != 1 || key > INT16_MAX || version > INT16_MAX) {
    *error = "not a frame of version 1";
    return Json::object();
  }
  const RecordType* type = find_record_type("metadata", RecordPart::kMessage, static_cast<std::int16_t>(key));
  if (type == nullptr) {
    *error = fmt::format("there is no type of number {}", key);
    return Json::object();
  }
  Bytes message = frame.slice(frame.size() - reader.remaining(), reader.remaining());
  return decoded(*type, static_cast<std::int16_t>(version), std::move(message), error);
}

nlohmann::ordered_json coordinator_key_json(std::string_view family, const Bytes& key, std::string* error) {
  if (key.size() < kNumberBytes) {
    *error = "a key without a type";
    return Json::object();
  }
  auto number = load_be<std::int16_t>(key.data());
  const RecordType* type = find_record_type(family, RecordPart::kKey, number);
  if (type == nullptr) {
    *error = fmt::format("there is no type of number {}", number);
    return Json::object();
  }
  return decoded(*type, 0, key.slice(kNumberBytes, key.size() - kNumberBytes), error);
}

nlohmann::ordered_json coordinator_value_json(std::string_view family, std::int16_t type, const Bytes& value,
                                              std::string* error) {
  const RecordType* found = find_record_type(family, RecordPart::kValue, type);
  if (found == nullptr) {
    *error = fmt::format("there is no value of type {}", type);
    return Json::object();
  }
  if (value.size() < kNumberBytes) {
    *error = "a value without a version";
    return Json::object();
  }
  auto version = load_be<std::int16_t>(value.data());
  return decoded(*found, version, value.slice(kNumberBytes, value.size() - kNumberBytes), error);
}

}  // namespace milena::wire
