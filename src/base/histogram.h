/// Histogram: counts values in buckets an eighth of a power of two wide, so that a quantile read from it is at most
/// 12.5 % too high. Recording is a few instructions on memory of its owner; nothing is shared or locked. Units are the
/// caller's.
///
/// RecentHistogram: all values since the start, and quantiles of the last minute or two.
///
/// Threads: none of its own; copy it to look at it elsewhere.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/time.h"

namespace milena {

class Histogram {
 public:
  static constexpr unsigned kSubBits = 3;
  static constexpr unsigned kMaxBits = 40;  // larger values are counted as the largest
  static constexpr std::size_t kBuckets = (kMaxBits - kSubBits + 1) << kSubBits;

  void record(std::uint64_t value) {
    ++counts_[bucket_of(value)];
    ++count_;
    sum_ += value;
  }
  void merge(const Histogram& other) {
    for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    sum_ += other.sum_;
  }
  std::uint64_t count() const { return count_; }
  std::uint64_t sum() const { return sum_; }
  /// A value that at least `q` (0 to 1) of the recorded ones do not exceed; 0 if there are none.
  std::uint64_t quantile(double q) const {
    if (count_ == 0) return 0;
    auto rank = static_cast<std::uint64_t>(q * static_cast<double>(count_));
    rank = std::min(rank, count_ - 1);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
      seen += counts_[i];
      if (seen > rank) return highest_in(i);
    }
    return highest_in(kBuckets - 1);
  }
  /// How many were at most `limit`, to the width of a bucket: a bucket that reaches past it is not counted.
  std::uint64_t count_up_to(std::uint64_t limit) const {
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < kBuckets && highest_in(i) <= limit; ++i) seen += counts_[i];
    return seen;
  }

  static constexpr std::size_t bucket_of(std::uint64_t value) {
    if (value < (1U << kSubBits)) return static_cast<std::size_t>(value);
    unsigned exponent = static_cast<unsigned>(std::bit_width(value)) - 1;
    if (exponent >= kMaxBits) return kBuckets - 1;
    std::uint64_t sub = (value >> (exponent - kSubBits)) & ((1U << kSubBits) - 1);
    return (static_cast<std::size_t>(exponent - kSubBits + 1) << kSubBits) + static_cast<std::size_t>(sub);
  }
  /// The largest value of the bucket.
  static constexpr std::uint64_t highest_in(std::size_t bucket) {
    if (bucket < (1U << kSubBits)) return bucket;
    unsigned exponent = static_cast<unsigned>(bucket >> kSubBits) + kSubBits - 1;
    std::uint64_t sub = bucket & ((1U << kSubBits) - 1);
    std::uint64_t width = std::uint64_t{1} << (exponent - kSubBits);
    return (std::uint64_t{1} << exponent) + (sub + 1) * width - 1;
  }

 private:
  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
};

class RecentHistogram {
 public:
  static constexpr Duration kWindow = std::chrono::seconds(60);

  void record(std::uint64_t value, Instant now) {
    if (now - began_ >= kWindow) turn(now);
    total_.record(value);
    current_.record(value);
  }
  const Histogram& total() const { return total_; }
  /// The values of the window under way and the one before it. Empty if there were none.
  Histogram recent(Instant now) const {
    if (now - began_ >= 2 * kWindow) return {};
    Histogram both = current_;
    if (now - began_ < kWindow) both.merge(previous_);
    return both;
  }

 private:
  void turn(Instant now) {
    previous_ = now - began_ < 2 * kWindow ? current_ : Histogram();
    current_ = Histogram();
    began_ = now;
  }
  Histogram total_;
  Histogram current_;
  Histogram previous_;
  Instant began_;
};

}  // namespace milena
