#include "image/persistent_map.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "image/cow.h"

namespace milena::image {
namespace {

using Map = PersistentMap<int, std::string>;

std::map<int, std::string> contents(const Map& map) {
  std::map<int, std::string> out;
  for (const auto& [key, value] : map) out.emplace(key, value);
  return out;
}

TEST(PersistentMap, BehavesLikeAMap) {
  Random random(1);
  Map map;
  std::map<int, std::string> model;
  for (int i = 0; i < 20'000; ++i) {
    int key = static_cast<int>(random.below(500));
    switch (random.below(3)) {
      case 0: {
        std::string value = std::to_string(i);
        EXPECT_EQ(map.insert(key, value), !model.contains(key));
        model[key] = value;
        break;
      }
      case 1:
        EXPECT_EQ(map.erase(key), model.erase(key) == 1);
        break;
      default:
        map.edit(key) += "x";
        model[key] += "x";
    }
    ASSERT_EQ(map.size(), model.size());
  }
  EXPECT_EQ(contents(map), model);
  for (int key = 0; key < 500; ++key) {
    const std::string* found = map.find(key);
    auto expected = model.find(key);
    ASSERT_EQ(found != nullptr, expected != model.end());
    if (found != nullptr) {
      EXPECT_EQ(*found, expected->second);
    }
    auto at = map.lower_bound(key);
    auto model_at = model.lower_bound(key);
    ASSERT_EQ(at == map.end(), model_at == model.end());
    if (model_at != model.end()) {
      EXPECT_EQ(at->first, model_at->first);
    }
  }
}

TEST(PersistentMap, CopiesDoNotSeeLaterChanges) {
  Random random(2);
  Map map;
  std::map<int, std::string> model;
  std::vector<std::pair<Map, std::map<int, std::string>>> kept;
  for (int i = 0; i < 2'000; ++i) {
    int key = static_cast<int>(random.below(100));
    if (random.one_in(2)) {
      map.insert(key, std::to_string(i));
      model[key] = std::to_string(i);
    } else {
      map.erase(key);
      model.erase(key);
    }
    if (random.one_in(20)) kept.emplace_back(map, model);
  }
  for (const auto& [copy, expected] : kept) EXPECT_EQ(contents(copy), expected);
}

struct Counted {
  static inline int copies = 0;
  Counted() = default;
  Counted(const Counted&) { ++copies; }
  Counted(Counted&&) = default;
  Counted& operator=(const Counted&) = default;
  Counted& operator=(Counted&&) = default;
};

TEST(PersistentMap, CopiesOnlyThePathAndOnlyWhenShared) {
  PersistentMap<int, Counted> map;
  for (int i = 0; i < 100'000; ++i) map.edit(i);
  Counted::copies = 0;
  map.edit(5);
  map.erase(7);
  EXPECT_EQ(Counted::copies, 0);
  PersistentMap<int, Counted> copy = map;
  map.edit(50'000);
  EXPECT_GT(Counted::copies, 0);
  EXPECT_LE(Counted::copies, 24);  // 1.45 log2(100,000)
  EXPECT_FALSE(map.same_tree(copy));
}

TEST(PersistentMap, EqualityIsByContents) {
  Map a;
  Map b;
  for (int i = 0; i < 10; ++i) a.insert(i, "v");
  for (int i = 9; i >= 0; --i) b.insert(i, "v");
  EXPECT_EQ(a, b);
  b.insert(3, "w");
  EXPECT_NE(a, b);
}

TEST(Cow, CopiesWhenShared) {
  Cow<std::string> a(std::string("one"));
  Cow<std::string> b = a;
  EXPECT_TRUE(a.same_block(b));
  b.edit() = "two";
  EXPECT_EQ(*a, "one");
  EXPECT_EQ(*b, "two");
  const std::string* before = &*b;
  b.edit() += "!";
  EXPECT_EQ(before, &*b);
}

}  // namespace
}  // namespace milena::image
