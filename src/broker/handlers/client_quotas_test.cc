// AlterClientQuotas and DescribeClientQuotas on a node.
#include <gtest/gtest.h>

#include "broker/testing/node_world.h"
#include "wire/apis/alter_client_quotas.h"
#include "wire/apis/describe_client_quotas.h"
#include "wire/error_code.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Entity = std::vector<std::pair<std::string, std::optional<std::string>>>;

const Via kController{"admin", true};

std::int16_t code(ErrorCode error) { return wire::to_int16(error); }

class ClientQuotas : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(world_.start()) << world_.error(); }

  wire::AlterClientQuotasResponse alter(const Entity& entity, const std::string& key, double value,
                                        std::int16_t version = 1, Via via = {}, bool validate_only = false) {
    wire::AlterClientQuotasRequest request;
    request.validate_only = validate_only;
    auto& entry = request.entries.emplace_back();
    for (const auto& [type, name] : entity) {
      auto& part = entry.entity.emplace_back();
      part.entity_type = type;
      part.entity_name = name;
    }
    auto& op = entry.ops.emplace_back();
    op.key = key;
    op.value = value;
    op.remove = value == 0;
    auto response = world_.ask<wire::AlterClientQuotasApi>(request, version, std::move(via));
    CHECK(response.has_value(), "AlterClientQuotas was not answered");
    return *response;
  }
  wire::DescribeClientQuotasResponse describe_users(std::int16_t version = 1) {
    wire::DescribeClientQuotasRequest request;
    auto& component = request.components.emplace_back();
    component.entity_type = "user";
    component.match_type = 2;
    component.match = std::nullopt;
    auto response = world_.ask<wire::DescribeClientQuotasApi>(request, version);
    CHECK(response.has_value(), "DescribeClientQuotas was not answered");
    return *response;
  }
  NodeWorld world_;
};

TEST_F(ClientQuotas, are_kept_and_described_in_every_version) {
  for (std::int16_t version = 0; version <= 1; ++version) {
    for (const Via& via : {Via{}, kController}) {
      auto altered = alter({{"user", "alice"}, {"client-id", std::nullopt}}, "producer_byte_rate", 1000, version, via);
      ASSERT_EQ(altered.entries.size(), 1U);
      EXPECT_EQ(altered.entries[0].error_code, 0);
      EXPECT_EQ(altered.entries[0].entity.size(), 2U);
      auto described = describe_users(version);
      ASSERT_EQ(described.entries->size(), 1U);
      EXPECT_EQ(described.entries->at(0).values.at(0).value, 1000);
      EXPECT_EQ(described.entries->at(0).entity.at(0).entity_name, std::nullopt);
      EXPECT_EQ(alter({{"user", "alice"}, {"client-id", std::nullopt}}, "producer_byte_rate", 0).entries[0].error_code,
                0);
      EXPECT_TRUE(describe_users(version).entries->empty());
    }
  }
}

TEST_F(ClientQuotas, survive_a_restart) {
  EXPECT_EQ(alter({{"user", std::nullopt}}, "request_percentage", 12.5).entries[0].error_code, 0);
  ASSERT_TRUE(world_.stop());
  ASSERT_TRUE(world_.start()) << world_.error();
  EXPECT_EQ(describe_users().entries->at(0).values.at(0).value, 12.5);
}

TEST_F(ClientQuotas, that_are_only_checked_are_not_kept) {
  EXPECT_EQ(alter({{"user", "bob"}}, "consumer_byte_rate", 5, 1, {}, true).entries[0].error_code, 0);
  EXPECT_TRUE(describe_users().entries->empty());
}

TEST_F(ClientQuotas, that_make_no_sense_are_refused) {
  EXPECT_EQ(alter({{"user", "bob"}}, "no_such_rate", 5).entries[0].error_code, code(ErrorCode::INVALID_REQUEST));
  wire::DescribeClientQuotasRequest request;
  request.components.emplace_back().entity_type = "group";
  auto response = world_.ask<wire::DescribeClientQuotasApi>(request, 1);
  EXPECT_EQ(response->error_code, code(ErrorCode::UNSUPPORTED_VERSION));
  EXPECT_FALSE(response->entries.has_value());
}

}  // namespace
}  // namespace milena::broker
