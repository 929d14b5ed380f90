/// A key's value: text to typed value and back, and the check against what the key allows.
///
/// The messages are Kafka's own short diagnostics ("Invalid value 12 for configuration log.segment.bytes:
/// Value must be at least 1048576"), because scripts match them. Secrets are shown as [hidden].
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "config/key.h"

namespace milena::config {

/// null; BOOLEAN; INT, SHORT and LONG; DOUBLE; STRING, CLASS and PASSWORD; LIST.
using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::string>>;

/// The value of `key` that `text` says. Blanks around it and around the elements of a list are dropped.
/// Errors: Kafka's message, for a text of the wrong type or a value that is not allowed.
Result<Value, std::string> parse_value(const Key& key, std::string_view text);

/// The key's default; null too for a key that must be given.
Value default_value(const Key& key);

/// The text that Kafka shows for a value: lists joined by commas, doubles as Java prints them. Null: "".
std::string format_value(const Value& value);

/// `text` cut at commas, blanks around the elements dropped; a blank text is the empty list.
std::vector<std::string> split_list(std::string_view text);

/// What is allowed, in one phrase for documents: "[1,...,17]", "compact, delete"; empty if anything is.
std::string allowed_text(const Key& key);

/// `text` without the blanks and control characters around it.
std::string_view trim(std::string_view text);

}  // namespace milena::config
