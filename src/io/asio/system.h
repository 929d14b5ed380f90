/// The kernel's clock, random numbers and processors.
#pragma once

#include <array>
#include <cstddef>
#include <mutex>

#include "io/clock.h"
#include "io/entropy.h"

namespace milena::io {

class SystemClock final : public Clock {
 public:
  Instant now() const override;
  Timestamp wall_now() const override;
};

/// getrandom(2), fetched 64 words at a time. Any thread.
class KernelEntropy final : public Entropy {
 public:
  std::uint64_t random64() override;

 private:
  std::mutex mutex_;
  std::array<std::uint64_t, 64> words_{};
  std::size_t left_ = 0;
};

/// Processors this process may use: the affinity mask, bounded by the cgroup's CPU quota (v2 and v1),
/// rounded up; at least 1.
std::size_t usable_processors();

}  // namespace milena::io
