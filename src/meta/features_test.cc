#include "meta/features.h"

#include <gtest/gtest.h>

#include "meta/testing.h"

namespace milena::meta {
namespace {

using wire::ErrorCode;
using Types = std::vector<std::string_view>;

constexpr std::int8_t kUpgrade = 1;
constexpr std::int8_t kSafe = 2;
constexpr std::int8_t kUnsafe = 3;

struct Wish {
  std::string feature;
  int level;
  std::int8_t type;
};

struct Features : ::testing::Test {
  void SetUp() override { world.start_broker(1); }
  wire::UpdateFeaturesResponse update(const std::vector<Wish>& wishes, bool validate_only = false,
                                      std::int16_t version = 2) {
    wire::UpdateFeaturesRequest request;
    request.validate_only = validate_only;
    for (const Wish& wish : wishes) {
      auto& out = request.feature_updates.emplace_back();
      out.feature = wish.feature;
      out.max_version_level = static_cast<std::int16_t>(wish.level);
      out.upgrade_type = wish.type;
    }
    auto decision = update_features(world.context(), request, version, 0);
    written = decision.records;
    world.append(decision.records);
    return decision.response;
  }
  ErrorCode code(const std::vector<Wish>& wishes) { return wire::error_code_from(update(wishes).error_code); }
  int level(std::string_view name) const { return world.image().feature_level(name); }
  /// As if the cluster had been formatted like that.
  void formatted(const std::string& feature, std::int16_t level) {
    wire::FeatureLevelRecord record;
    record.name = feature;
    record.feature_level = level;
    world.append({{record, 0}});
  }
  World world;
  std::vector<image::MetadataRecord> written;
};

constexpr const char* kTransactions = "transaction.version";
constexpr const char* kMetadata = "metadata.version";
constexpr const char* kElr = "eligible.leader.replicas.version";

TEST_F(Features, go_down_and_up_again) {
  EXPECT_EQ(code({{kTransactions, 1, kUpgrade}}), ErrorCode::INVALID_UPDATE_VERSION) << "down must be said";
  EXPECT_EQ(level(kTransactions), 2);
  EXPECT_EQ(code({{kTransactions, 1, kSafe}}), ErrorCode::NONE);
  EXPECT_EQ(level(kTransactions), 1);
  EXPECT_EQ(code({{kTransactions, 0, kUnsafe}}), ErrorCode::NONE);
  EXPECT_EQ(level(kTransactions), 0);
  EXPECT_EQ(code({{kTransactions, 2, kSafe}}), ErrorCode::INVALID_UPDATE_VERSION) << "down does not go up";
  EXPECT_EQ(code({{kTransactions, 2, kUpgrade}}), ErrorCode::NONE);
  EXPECT_EQ(level(kTransactions), 2);
  EXPECT_EQ(code({{kTransactions, 2, kUpgrade}}), ErrorCode::NONE) << "as it is";
}

TEST_F(Features, that_nobody_knows_or_supports_are_refused) {
  const Wish kBad[] = {{"no.such.feature", 1, kUpgrade}, {"no.such.feature", 0, kSafe}, {kTransactions, 3, kUpgrade},
                       {kTransactions, -1, kUnsafe},     {kTransactions, 2, 0},         {kTransactions, 2, 4},
                       {kMetadata, 31, kUpgrade},        {kMetadata, 6, kUnsafe}};
  for (const Wish& wish : kBad) {
    EXPECT_EQ(code({wish}), ErrorCode::INVALID_UPDATE_VERSION) << wish.feature << " " << wish.level;
    EXPECT_TRUE(written.empty());
  }
}

TEST_F(Features, of_a_registered_broker_that_lacks_them_are_refused) {
  wire::BrokerRegistrationRequest request;
  request.broker_id = 2;
  request.cluster_id = "cluster";
  request.incarnation_id = Uuid{5, 5};
  request.log_dirs = {Uuid{100, 2}};
  for (const auto& supported : image::kSupportedFeatures) {
    auto& feature = request.features.emplace_back();
    feature.name = supported.name;
    feature.min_supported_version = supported.min_level;
    feature.max_supported_version = supported.name == kTransactions ? std::int16_t{1} : supported.max_level;
  }
  EXPECT_EQ(code({{kTransactions, 1, kSafe}}), ErrorCode::NONE);
  world.append(register_broker(world.context(), request).records);
  EXPECT_EQ(code({{kTransactions, 2, kUpgrade}}), ErrorCode::INVALID_UPDATE_VERSION);
}

TEST_F(Features, change_all_together_or_not_at_all) {
  auto response = update({{kTransactions, 1, kSafe}, {"group.version", 7, kUpgrade}}, false, 1);
  EXPECT_EQ(response.error_code, wire::to_int16(ErrorCode::INVALID_UPDATE_VERSION));
  EXPECT_TRUE(response.results.empty());
  EXPECT_EQ(level(kTransactions), 2);
  response = update({{kTransactions, 1, kSafe}, {"group.version", 0, kSafe}}, true, 1);
  EXPECT_EQ(response.error_code, 0);
  EXPECT_EQ(response.results.size(), 2U);
  EXPECT_TRUE(written.empty()) << "only checked";
  EXPECT_TRUE(update({{kTransactions, 1, kSafe}}, false, 2).results.empty());
  EXPECT_EQ(update({}, false, 0).error_code, 0);
}

TEST_F(Features, the_metadata_version_goes_up_and_never_down_over_a_change_of_records) {
  EXPECT_EQ(code({{kMetadata, 29, kSafe}}), ErrorCode::INVALID_UPDATE_VERSION);
  EXPECT_EQ(code({{kMetadata, 29, kUnsafe}}), ErrorCode::INVALID_UPDATE_VERSION);
  formatted(kMetadata, 29);
  EXPECT_EQ(code({{kMetadata, 23, kUpgrade}}), ErrorCode::INVALID_UPDATE_VERSION);
  EXPECT_EQ(code({{kMetadata, 22, kSafe}}), ErrorCode::INVALID_UPDATE_VERSION);
  EXPECT_EQ(code({{kMetadata, 23, kSafe}}), ErrorCode::NONE);
  EXPECT_EQ(level(kMetadata), 23);
  EXPECT_EQ(code({{kMetadata, 30, kUpgrade}}), ErrorCode::NONE);
  EXPECT_EQ(level(kMetadata), 30);
}

TEST_F(Features, the_elr_needs_its_metadata_version) {
  EXPECT_EQ(code({{kElr, 0, kSafe}}), ErrorCode::NONE);
  formatted(kMetadata, 22);
  EXPECT_EQ(code({{kElr, 1, kUpgrade}}), ErrorCode::INVALID_UPDATE_VERSION);
  EXPECT_EQ(code({{kElr, 1, kUpgrade}, {kMetadata, 30, kUpgrade}}), ErrorCode::NONE);
  EXPECT_TRUE(world.image().elr_enabled());
}

TEST_F(Features, the_elr_makes_min_insync_replicas_the_clusters_matter) {
  EXPECT_EQ(code({{kElr, 0, kSafe}}), ErrorCode::NONE);
  auto config = [&](const std::string& broker, std::optional<std::string> value) {
    wire::ConfigRecord record;
    record.resource_type = 4;
    record.resource_name = broker;
    record.name = "min.insync.replicas";
    record.value = std::move(value);
    world.append({{record, 0}});
  };
  config("", std::nullopt);
  config("1", "2");
  EXPECT_EQ(code({{kElr, 1, kUpgrade}}), ErrorCode::NONE);
  EXPECT_EQ(types(written), (Types{"ConfigRecord", "ConfigRecord", "FeatureLevelRecord"}));
  const std::string* cluster = world.image().config(image::ResourceType::kBroker, "", "min.insync.replicas");
  ASSERT_NE(cluster, nullptr);
  EXPECT_EQ(*cluster, "1");
  EXPECT_TRUE(world.image().config(image::ResourceType::kBroker, "1").empty());
}

TEST_F(Features, the_kraft_version_stays) {
  EXPECT_EQ(code({{"kraft.version", 0, kUpgrade}}), ErrorCode::NONE) << "as it is";
  EXPECT_EQ(code({{"kraft.version", 0, kSafe}}), ErrorCode::NONE);
  EXPECT_EQ(code({{"kraft.version", 1, kUpgrade}}), ErrorCode::INVALID_UPDATE_VERSION);
  EXPECT_EQ(code({{"kraft.version", 2, kUpgrade}}), ErrorCode::INVALID_UPDATE_VERSION);
  EXPECT_TRUE(written.empty());
}

}  // namespace
}  // namespace milena::meta
