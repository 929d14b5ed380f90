#include "meta/placement.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace milena::meta {
namespace {

std::vector<UsableBroker> brokers(int count, int racks = 0) {
  std::vector<UsableBroker> all;
  for (int i = 0; i < count; ++i)
    all.push_back({BrokerId(i), racks == 0 ? std::nullopt : std::optional("rack" + std::to_string(i % racks)), false});
  return all;
}

TEST(Placement, SpreadsLeadersAndReplicas) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    auto placed = place_replicas(brokers(5), 100, 3, random);
    ASSERT_TRUE(placed.has_value());
    std::map<BrokerId, int> leaders;
    std::map<BrokerId, int> replicas;
    for (const auto& partition : *placed) {
      EXPECT_EQ(std::set(partition.begin(), partition.end()).size(), 3U);
      ++leaders[partition[0]];
      for (BrokerId id : partition) ++replicas[id];
    }
    for (const auto& [id, count] : leaders) EXPECT_EQ(count, 20);
    for (const auto& [id, count] : replicas) EXPECT_EQ(count, 60);
  }
}

TEST(Placement, PutsReplicasInDifferentRacks) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    auto placed = place_replicas(brokers(6, 3), 30, 3, random);
    for (const auto& partition : *placed) {
      std::set<int> racks;
      for (BrokerId id : partition) racks.insert(id.value() % 3);
      EXPECT_EQ(racks.size(), 3U);
    }
  }
}

TEST(Placement, FencedBrokersComeLastAndNeverLead) {
  auto all = brokers(3);
  all[0].fenced = true;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    auto two = place_replicas(all, 10, 2, random);
    for (const auto& partition : *two)
      for (BrokerId id : partition) EXPECT_NE(id, BrokerId(0));
    auto three = place_replicas(all, 10, 3, random);
    for (const auto& partition : *three) EXPECT_EQ(partition[2], BrokerId(0));
  }
}

TEST(Placement, Refuses) {
  Random random(1);
  EXPECT_TRUE(place_replicas(brokers(2), 1, 3, random).failed());
  EXPECT_TRUE(place_replicas(brokers(2), 1, 0, random).failed());
  EXPECT_TRUE(place_replicas({}, 1, 1, random).failed());
  auto fenced = brokers(1);
  fenced[0].fenced = true;
  EXPECT_TRUE(place_replicas(fenced, 1, 1, random).failed());
}

}  // namespace
}  // namespace milena::meta
