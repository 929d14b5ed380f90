/// Java .properties files: `key=value`, `key: value`, `key value`, comments with # or !, continuation by a
/// backslash at the end of a line, and the escapes \t \n \r \f \uXXXX. Source: java.util.Properties.load.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace milena {

using Properties = std::map<std::string, std::string>;

struct PropertiesError {
  int line = 0;  // 1-based, of the logical line's start
  std::string message;
};

/// Reads UTF-8 text. A key given twice keeps its last value. Errors: a malformed \uXXXX.
Result<Properties, PropertiesError> parse_properties(std::string_view text);

/// The text that reads back as `properties`, sorted by key, one per line.
std::string format_properties(const Properties& properties);

}  // namespace milena
