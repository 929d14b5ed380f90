/// JSON of the shapes that fields of messages have: what the generated functions are made of. Inside the library.
#pragma once

#include <concepts>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"

namespace milena::wire {

using Json = nlohmann::ordered_json;

/// What is no UTF-8 is written with U+FFFD in its place.
Json json_text(const std::string& value);
Json json_bytes(const Bytes& value);

}  // namespace milena::wire
