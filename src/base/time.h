/// Time types. `Instant` is monotonic and only compares with instants of the same clock; `Millis` since the
/// epoch is the wall clock, used for record timestamps and retention alone. Where time comes from: io/clock.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/strong.h"

namespace milena {

using Duration = std::chrono::nanoseconds;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""us;
using std::chrono_literals::operator""min;

/// A point on the monotonic clock of one process (or one simulated world), in nanoseconds.
class Instant {
 public:
  constexpr Instant() = default;
  constexpr explicit Instant(Duration since_start) : since_start_(since_start) {}
  constexpr Duration since_start() const { return since_start_; }
  friend constexpr auto operator<=>(Instant, Instant) = default;
  constexpr Instant operator+(Duration delta) const { return Instant(since_start_ + delta); }
  constexpr Instant operator-(Duration delta) const { return Instant(since_start_ - delta); }
  constexpr Duration operator-(Instant other) const { return since_start_ - other.since_start_; }
  static constexpr Instant never() { return Instant(Duration::max()); }

 private:
  Duration since_start_{0};
};

/// Wall-clock time: milliseconds since 1970-01-01 UTC, Kafka's timestamp; -1: none.
using Timestamp = Strong<struct TimestampTag, std::int64_t>;
inline constexpr Timestamp kNoTimestamp{-1};

inline constexpr std::int64_t to_ms(Duration d) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}
inline constexpr Duration from_ms(std::int64_t ms) { return std::chrono::milliseconds(ms); }

}  // namespace milena
