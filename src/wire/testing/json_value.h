/// JSON and random values of the shapes that message fields have: what the generated test-only functions
/// `to_json`, `from_json` and `randomize` are made of.
///
/// The JSON form is that of Kafka's own converters: bytes and records as base64, UUIDs as their text, null for
/// null. (Kafka leaves the content of records out when it writes JSON, and reads it; here it is written too.)
#pragma once

#include <concepts>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "base/uuid.h"

namespace milena::wire {

using Json = nlohmann::ordered_json;

Json json_value(bool value, std::int16_t version);
Json json_value(std::int64_t value, std::int16_t version);
Json json_value(double value, std::int16_t version);
Json json_value(const std::string& value, std::int16_t version);
Json json_value(const Uuid& value, std::int16_t version);
Json json_value(const Bytes& value, std::int16_t version);
template <std::integral T>
Json json_value(T value, std::int16_t version) {
  return json_value(static_cast<std::int64_t>(value), version);
}
template <class T>
  requires requires(const T& value) { to_json(value, std::int16_t{}); }
Json json_value(const T& value, std::int16_t version) {
  return to_json(value, version);
}
template <class T>
Json json_value(const std::vector<T>& values, std::int16_t version) {
  Json array = Json::array();
  for (const T& value : values) array.push_back(json_value(value, version));
  return array;
}
template <class T>
Json json_value(const std::optional<T>& value, std::int16_t version) {
  return value.has_value() ? json_value(*value, version) : Json();
}

bool from_json_value(const Json& json, bool& out, std::int16_t version);
bool from_json_value(const Json& json, double& out, std::int16_t version);
bool from_json_value(const Json& json, std::string& out, std::int16_t version);
bool from_json_value(const Json& json, Uuid& out, std::int16_t version);
bool from_json_value(const Json& json, Bytes& out, std::int16_t version);
/// An integer within [low, high].
bool json_integer(const Json& json, std::int64_t low, std::int64_t high, std::int64_t& out);
template <std::integral T>
bool from_json_value(const Json& json, T& out, std::int16_t) {
  std::int64_t value = 0;
  if (!json_integer(json, std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), value)) return false;
  out = static_cast<T>(value);
  return true;
}
template <class T>
  requires requires(const Json& json, T& out) { from_json(json, out, std::int16_t{}); }
bool from_json_value(const Json& json, T& out, std::int16_t version) {
  return from_json(json, out, version);
}
template <class T>
bool from_json_value(const Json& json, std::vector<T>& out, std::int16_t version) {
  if (!json.is_array()) return false;
  out.clear();
  for (const Json& element : json) {
    if (!from_json_value(element, out.emplace_back(), version)) return false;
  }
  return true;
}

/// The member `name` of an object. Absent members are an error when `required`, else they change nothing.
template <class T>
bool from_member(const Json& object, const char* name, bool required, bool, std::int16_t version, T& out) {
  auto member = object.find(name);
  if (member == object.end()) return !required;
  return from_json_value(*member, out, version);
}
template <class T>
bool from_member(const Json& object, const char* name, bool required, bool null_allowed, std::int16_t version,
                 std::optional<T>& out) {
  auto member = object.find(name);
  if (member == object.end()) return !required;
  out.reset();
  if (member->is_null()) return null_allowed;
  return from_json_value(*member, out.emplace(), version);
}

void random_value(Random& random, bool& out, std::int16_t version);
void random_value(Random& random, double& out, std::int16_t version);
void random_value(Random& random, std::string& out, std::int16_t version);
void random_value(Random& random, Uuid& out, std::int16_t version);
void random_value(Random& random, Bytes& out, std::int16_t version);
/// 64 bits, with a liking for the edges of integer types of all sizes.
std::uint64_t random_bits(Random& random);
template <std::integral T>
void random_value(Random& random, T& out, std::int16_t) {
  out = static_cast<T>(random_bits(random));
}
template <class T>
  requires requires(Random& random, T& out) { randomize(random, out, std::int16_t{}); }
void random_value(Random& random, T& out, std::int16_t version) {
  randomize(random, out, version);
}
template <class T>
void random_value(Random& random, std::vector<T>& out, std::int16_t version) {
  out.clear();
  std::size_t count = random.below(4);
  for (std::size_t i = 0; i < count; ++i) {
    T value{};
    random_value(random, value, version);
    out.push_back(std::move(value));
  }
}
template <class T>
void random_member(Random& random, bool, std::int16_t version, T& out) {
  random_value(random, out, version);
}
template <class T>
void random_member(Random& random, bool null_allowed, std::int16_t version, std::optional<T>& out) {
  out.reset();
  if (null_allowed && random.one_in(4)) return;
  random_value(random, out.emplace(), version);
}

}  // namespace milena::wire
