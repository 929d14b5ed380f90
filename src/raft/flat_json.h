/// A reader for the small JSON objects Kafka keeps in files (quorum-state): numbers, strings, arrays of objects.
///
/// Not a general parser: it reads one object whose values are integers, strings, booleans, null or arrays of
/// such objects, nested at most kDepthMax deep, strings with the usual escapes (\u below 0x80 only).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace milena::raft {

struct JsonObject;
using JsonValue = std::variant<std::monostate, bool, std::int64_t, std::string, std::vector<JsonObject>>;

struct JsonObject {
  std::map<std::string, JsonValue> values;
  /// Empty result: not there, or of another type.
  template <class T>
  const T* get(const std::string& key) const {
    auto found = values.find(key);
    return found == values.end() ? nullptr : std::get_if<T>(&found->second);
  }
};

/// `text` is untrusted. Empty result: not such an object, or more behind it.
std::optional<JsonObject> parse_json_object(std::string_view text);

}  // namespace milena::raft
