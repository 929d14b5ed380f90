// UpdateFeatures on a node: what is answered, and what changes at once.
#include <gtest/gtest.h>

#include <algorithm>

#include "broker/format.h"
#include "broker/testing/node_world.h"
#include "wire/apis/api_versions.h"
#include "wire/apis/update_features.h"
#include "wire/error_code.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;

constexpr std::int8_t kUpgrade = 1;
constexpr std::int8_t kSafe = 2;
constexpr const char* kTransactions = "transaction.version";
const Via kController{"admin", true};

std::int16_t code(ErrorCode error) { return wire::to_int16(error); }

class Features : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(world_.start()) << world_.error(); }

  wire::UpdateFeaturesResponse update(const std::string& feature, int level, std::int8_t type,
                                      std::int16_t version = 2, bool validate_only = false, Via via = {}) {
    wire::UpdateFeaturesRequest request;
    request.validate_only = validate_only;
    auto& update = request.feature_updates.emplace_back();
    update.feature = feature;
    update.max_version_level = static_cast<std::int16_t>(level);
    update.upgrade_type = type;
    auto response = world_.ask<wire::UpdateFeaturesApi>(request, version, std::move(via));
    CHECK(response.has_value(), "UpdateFeatures was not answered");
    return *response;
  }
  /// As ApiVersions tells it; 0: not at all.
  int finalized(const std::string& feature) {
    wire::ApiVersionsRequest request;
    request.client_software_name = "test";
    request.client_software_version = "1";
    auto response = world_.ask<wire::ApiVersionsApi>(request, 4);
    CHECK(response.has_value(), "ApiVersions was not answered");
    auto found = std::ranges::find(response->finalized_features, feature,
                                   &wire::ApiVersionsResponse::FinalizedFeatureKey::name);
    return found == response->finalized_features.end() ? 0 : found->max_version_level;
  }
  /// The node starts again, on directories that were formatted for an older metadata.version.
  void start_on(std::int16_t metadata_version) {
    ASSERT_TRUE(world_.stop());
    io::SimDisk& disk = world_.machine().disk();
    disk.revive();
    ASSERT_TRUE(disk.remove_tree("/data").has_value());
    io::SimEntropy entropy(Random(5));
    FormatRequest request;
    request.metadata_version = metadata_version;
    auto formatted = format_directories(disk, entropy, Timestamp(1000), world_.config(), request);
    ASSERT_TRUE(formatted.has_value()) << formatted.error().message;
    ASSERT_TRUE(world_.start()) << world_.error();
    ASSERT_EQ(world_.image().metadata_version().level, metadata_version);
  }
  NodeWorld world_;
};

TEST_F(Features, change_in_every_version_and_survive_a_restart) {
  for (std::int16_t version = 1; version <= 2; ++version) {
    auto down = update(kTransactions, 1, kSafe, version);
    EXPECT_EQ(down.error_code, 0);
    EXPECT_EQ(down.results.size(), version == 1 ? 1U : 0U);
    EXPECT_EQ(finalized(kTransactions), 1);
    EXPECT_EQ(update(kTransactions, 2, kUpgrade, version, false, kController).error_code, 0);
    EXPECT_EQ(finalized(kTransactions), 2);
  }
  EXPECT_EQ(update(kTransactions, 0, kSafe).error_code, 0);
  EXPECT_EQ(finalized(kTransactions), 0);
  ASSERT_TRUE(world_.stop());
  ASSERT_TRUE(world_.start()) << world_.error();
  EXPECT_EQ(finalized(kTransactions), 0);
  EXPECT_EQ(update(kTransactions, 2, kUpgrade, 0).error_code, 0);
  EXPECT_EQ(finalized(kTransactions), 2);
}

TEST_F(Features, that_cannot_be_are_refused) {
  const std::int16_t invalid = code(ErrorCode::INVALID_UPDATE_VERSION);
  EXPECT_EQ(update(kTransactions, 3, kUpgrade).error_code, invalid);
  EXPECT_EQ(update("no.such.feature", 1, kUpgrade, 1).error_code, invalid);
  EXPECT_EQ(update("metadata.version", 29, kSafe).error_code, invalid);
  EXPECT_TRUE(update("metadata.version", 29, kSafe, 1).results.empty());
  EXPECT_EQ(update("kraft.version", 1, kUpgrade).error_code, 0) << "as it was formatted";
  EXPECT_EQ(update("kraft.version", 0, kSafe).error_code, invalid);
  EXPECT_EQ(update(kTransactions, 1, kSafe, 2, true).error_code, 0);
  EXPECT_EQ(finalized(kTransactions), 2) << "only checked";
}

TEST_F(Features, the_elr_works_from_its_upgrade_on) {
  EXPECT_EQ(update(std::string(image::kElrFeature), 0, kSafe).error_code, 0);
  world_.create_topic("orders");
  auto stop_and_start = [&] {
    ASSERT_TRUE(world_.stop());
    ASSERT_TRUE(world_.start()) << world_.error();
  };
  // An empty ISR is not written without the ELR: the leader that left stays in it.
  stop_and_start();
  EXPECT_EQ(update(std::string(image::kElrFeature), 1, kUpgrade).error_code, 0);
  EXPECT_TRUE(world_.image().elr_enabled());
  EXPECT_NE(world_.image().config(image::ResourceType::kBroker, "", "min.insync.replicas"), nullptr);
  stop_and_start();
  const image::Partition* partition = world_.image().topic("orders")->partition(PartitionId(0));
  EXPECT_EQ(partition->leader, BrokerId(1)) << "elected from the ELR";
}

TEST_F(Features, a_node_registers_anew_when_the_metadata_version_wants_to_know_more_of_it) {
  start_on(14);
  world_.create_topic("orders");
  std::int64_t epoch = world_.image().broker(BrokerId(1))->broker_epoch;
  EXPECT_TRUE(world_.image().controllers.empty());
  EXPECT_TRUE(world_.image().broker(BrokerId(1))->log_dirs.empty());

  EXPECT_EQ(update("metadata.version", 30, kUpgrade).error_code, 0);
  world_.world().run_for(1s);
  const image::Image& image = world_.image();
  EXPECT_TRUE(image.controllers.contains(BrokerId(1)));
  ASSERT_EQ(image.broker(BrokerId(1))->log_dirs.size(), 1U);
  EXPECT_EQ(image.broker(BrokerId(1))->broker_epoch, epoch) << "the same session";
  EXPECT_FALSE(image.broker(BrokerId(1))->fenced);
  const image::Partition* partition = image.topic("orders")->partition(PartitionId(0));
  EXPECT_EQ(partition->directory_of(BrokerId(1)), image.broker(BrokerId(1))->log_dirs[0]);
}

}  // namespace
}  // namespace milena::broker
