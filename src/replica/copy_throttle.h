/// CopyThrottle: how fast logs are copied between log directories, all moves together
/// (replica.alter.log.dirs.io.max.bytes.per.second, KIP-113). Threads: any.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>

#include "base/time.h"

namespace milena::replica {

class CopyThrottle {
 public:
  static constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();
  /// Holds from the next copy on; those that wait go on at once.
  void set_bytes_per_second(std::int64_t bytes) {
    if (bytes_per_second_.exchange(std::max<std::int64_t>(bytes, 1)) != bytes) free_at_ = 0;
  }
  /// When more may be copied.
  Instant free_at() const { return Instant(Duration(free_at_)); }

  /// `bytes` were copied.
  void copied(Instant now, std::size_t bytes) {
    std::int64_t rate = bytes_per_second_;
    if (rate == kUnlimited) return;
    double seconds = static_cast<double>(bytes) / static_cast<double>(rate);
    auto cost = static_cast<std::int64_t>(std::min(seconds, kLongestSeconds) * 1e9);
    std::int64_t at = now.since_start().count();
    std::int64_t free = free_at_;
    std::int64_t next = 0;
    do next = std::max(free, at) + cost;
    while (!free_at_.compare_exchange_weak(free, next));
  }

 private:
  static constexpr double kLongestSeconds = 3600;
  static_assert(Duration::period::den == 1'000'000'000, "nanoseconds");
  std::atomic<std::int64_t> bytes_per_second_{kUnlimited};
  std::atomic<std::int64_t> free_at_{0};
};

}  // namespace milena::replica
