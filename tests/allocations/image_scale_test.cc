// The image at 100,000 partitions: what a change and a look-up cost there and with a hundredth of them. Work is counted
// in allocations, of which copying a path of a tree makes one per node; times are printed and decide nothing.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "heap.h"
#include "image/builder.h"
#include "image/image.h"
#include "image/record.h"

namespace milena::image {
namespace {

constexpr int kPerTopic = 10;

TopicId id_of(int topic) { return {0x9e3779b97f4a7c15ULL * static_cast<std::uint64_t>(topic + 1), 7}; }
std::string name_of(int topic) { return "topic-" + std::to_string(topic); }

MetadataRecord topic_record(int topic) {
  wire::TopicRecord record;
  record.topic_id = id_of(topic);
  record.name = name_of(topic);
  return {record, 0};
}

MetadataRecord partition_record(int topic, int number) {
  wire::PartitionRecord record;
  record.topic_id = id_of(topic);
  record.partition_id = number;
  record.replicas = {1};
  record.isr = {1};
  record.leader = 1;
  record.leader_epoch = 0;
  record.partition_epoch = 0;
  record.directories = {Uuid{9, 1}};
  return {record, 2};
}

Image image_of(int partitions) {
  ImageBuilder builder;
  for (int topic = 0; topic < partitions / kPerTopic; ++topic) {
    EXPECT_TRUE(builder.apply(topic_record(topic)).has_value());
    for (int number = 0; number < kPerTopic; ++number)
      EXPECT_TRUE(builder.apply(partition_record(topic, number)).has_value());
  }
  return builder.take_image();
}

struct Cost {
  double allocations = 0;
  double microseconds = 0;
};

template <class F>
Cost cost_of(int times, F work) {
  std::uint64_t before = heap_requests();
  auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < times; ++i) work(i);
  std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begun;
  return {static_cast<double>(heap_requests() - before) / times, took.count() / times};
}

// Each change is made to an image that others hold as well, as the node's loops do.
Cost change_cost(const Image& held, int topics, int changes) {
  return cost_of(50, [&](int i) {
    ImageBuilder builder(held);
    for (int j = 0; j < changes; ++j) {
      wire::PartitionChangeRecord change;
      change.topic_id = id_of((i * 131 + j * 17) % topics);
      change.partition_id = j % kPerTopic;
      change.leader = -1;
      EXPECT_TRUE(builder.apply({change, 0}).has_value());
    }
    EXPECT_EQ(builder.delta().partitions.size(), static_cast<std::size_t>(changes));
  });
}

TEST(ImageScale, AChangeCostsItsSizeTimesTheLogarithm) {
  Image small = image_of(1'000);
  Image big = image_of(100'000);
  for (int changes : {1, 10}) {
    Cost in_small = change_cost(small, 1'000 / kPerTopic, changes);
    Cost in_big = change_cost(big, 100'000 / kPerTopic, changes);
    std::printf("%d changes: %.0f allocations, %.1f us of 1,000 partitions; %.0f, %.1f us of 100,000\n", changes,
                in_small.allocations, in_small.microseconds, in_big.allocations, in_big.microseconds);
    // log2 grows from 6.6 topics to 13.3: a balanced tree's path grows no more than twice.
    EXPECT_LE(in_big.allocations, 2 * in_small.allocations);
    EXPECT_LE(in_big.allocations, 60.0 * changes);
  }
}

TEST(ImageScale, LookingUpAllocatesNothingAndACopyLittle) {
  Image big = image_of(100'000);
  std::uint64_t found = 0;
  Cost look_up = cost_of(10'000, [&](int i) {
    const Topic* topic = big.topic(id_of(i));
    if (topic != nullptr && topic->partition(PartitionId(i % kPerTopic)) != nullptr) ++found;
  });
  EXPECT_EQ(found, 10'000u);
  EXPECT_EQ(look_up.allocations, 0);
  std::string name = name_of(4711);
  Cost by_name = cost_of(10'000, [&](int) { found += big.topic(name) != nullptr ? 1 : 0; });
  EXPECT_EQ(by_name.allocations, 0);
  EXPECT_EQ(found, 20'000u);
  Cost copy = cost_of(100, [&](int) {
    Image other = big;
    found += other.topics.size();
  });
  EXPECT_LE(copy.allocations, 4);
  std::printf("at 100,000 partitions: %.2f us a look-up, %.2f by name, %.2f us a copy of the image\n",
              look_up.microseconds, by_name.microseconds, copy.microseconds);
}

}  // namespace
}  // namespace milena::image
