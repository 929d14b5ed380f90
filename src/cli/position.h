/// A place in a partition as people write it: start, end, 1234, @2026-01-31T12:00:00Z, @1767225600000, +5,
/// -5.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace milena::cli {

struct Position {
  enum class Kind : std::uint8_t {
    kStart,
    kEnd,
    kOffset,
    kTimestamp,  // the first record at or after it; value in ms since the epoch
    kRelative,   // value records on (+) or back (-)
  };
  Kind kind = Kind::kStart;
  std::int64_t value = 0;
  bool operator==(const Position&) const = default;
};

/// Errors: a sentence with `forms`, those that there are for the caller.
Result<Position, std::string> parse_position(
    std::string_view text, std::string_view forms = "start, end, an offset, +N, -N or @TIME");
/// "2026-01-31", "2026-01-31T12:00:00", with a fraction and Z or +01:00; UTC where no zone is given.
Result<std::int64_t, std::string> parse_timestamp_ms(std::string_view text);

}  // namespace milena::cli
