#include "base/histogram.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/random.h"

namespace milena {
namespace {

TEST(Histogram, buckets_are_in_order_and_an_eighth_wide) {
  for (std::size_t bucket = 1; bucket < Histogram::kBuckets; ++bucket) {
    std::uint64_t low = Histogram::highest_in(bucket - 1) + 1;
    std::uint64_t high = Histogram::highest_in(bucket);
    ASSERT_EQ(Histogram::bucket_of(low), bucket);
    ASSERT_EQ(Histogram::bucket_of(high), bucket);
    ASSERT_LE((high - low) * 8, low) << bucket;
  }
  EXPECT_EQ(Histogram::bucket_of(UINT64_MAX), Histogram::kBuckets - 1);
}

TEST(Histogram, quantiles_are_at_most_an_eighth_too_high) {
  Histogram histogram;
  EXPECT_EQ(histogram.quantile(0.5), 0U);
  Random random(3);
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 10'000; ++i) values.push_back(random.below(1'000'000));
  std::uint64_t sum = 0;
  for (std::uint64_t value : values) {
    histogram.record(value);
    sum += value;
  }
  std::ranges::sort(values);
  for (double q : {0.0, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    std::uint64_t exact = values[std::min<std::size_t>(static_cast<std::size_t>(q * 10'000), 9'999)];
    EXPECT_GE(histogram.quantile(q), exact) << q;
    EXPECT_LE(static_cast<double>(histogram.quantile(q)), static_cast<double>(exact) * 1.125 + 1) << q;
  }
  EXPECT_EQ(histogram.count(), 10'000U);
  EXPECT_EQ(histogram.sum(), sum);
  EXPECT_EQ(histogram.count_up_to(UINT64_MAX), 10'000U);
  Histogram twice = histogram;
  twice.merge(histogram);
  EXPECT_EQ(twice.quantile(0.5), histogram.quantile(0.5));
  EXPECT_EQ(twice.count_up_to(5'000), 2 * histogram.count_up_to(5'000));
}

TEST(RecentHistogram, forgets_what_is_two_windows_old) {
  RecentHistogram recent;
  Instant start = Instant() + std::chrono::hours(3);
  recent.record(1000, start);
  EXPECT_EQ(recent.recent(start + 59s).count(), 1U);
  recent.record(2000, start + 61s);
  EXPECT_EQ(recent.recent(start + 61s).count(), 2U);
  EXPECT_EQ(recent.recent(start + 119s).count(), 2U);
  EXPECT_EQ(recent.recent(start + 122s).count(), 1U);
  EXPECT_EQ(recent.recent(start + 300s).count(), 0U);
  recent.record(3000, start + 300s);
  EXPECT_EQ(recent.recent(start + 301s).count(), 1U);
  EXPECT_EQ(recent.total().count(), 3U);
}

}  // namespace
}  // namespace milena
