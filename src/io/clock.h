/// Clock: the only source of time. `now()` is monotonic and drives timeouts and timers; `wall_now()` is the
/// wall clock, may jump, and decides nothing but record timestamps and retention.
#pragma once

#include "base/time.h"

namespace milena::io {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  virtual Timestamp wall_now() const = 0;
};

}  // namespace milena::io
