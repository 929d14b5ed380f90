#include "meta/client_quotas.h"

#include <gtest/gtest.h>

#include <limits>

#include "meta/ip_literal.h"
#include "meta/testing.h"

namespace milena::meta {
namespace {

using wire::ErrorCode;
using Entity = std::vector<std::pair<std::string, std::optional<std::string>>>;
using Alteration = wire::AlterClientQuotasRequest::EntryData;

Alteration alteration(const Entity& entity, std::vector<std::pair<std::string, std::optional<double>>> values) {
  Alteration entry;
  for (const auto& [type, name] : entity) {
    auto& part = entry.entity.emplace_back();
    part.entity_type = type;
    part.entity_name = name;
  }
  for (const auto& [key, value] : values) {
    auto& op = entry.ops.emplace_back();
    op.key = key;
    op.value = value.value_or(0);
    op.remove = !value.has_value();
  }
  return entry;
}

struct Quotas : ::testing::Test {
  std::vector<ErrorCode> alter(std::vector<Alteration> entries, bool validate_only = false) {
    wire::AlterClientQuotasRequest request;
    request.entries = std::move(entries);
    request.validate_only = validate_only;
    auto decision = alter_client_quotas(world.context(), request);
    written = decision.records.size();
    world.append(decision.records);
    std::vector<ErrorCode> codes;
    for (const auto& entry : decision.response.entries) codes.push_back(wire::error_code_from(entry.error_code));
    return codes;
  }
  ErrorCode set(const Entity& entity, const std::string& key, std::optional<double> value) {
    return alter({alteration(entity, {{key, value}})}).at(0);
  }
  std::optional<double> value(const Entity& entity, const std::string& key) const {
    const auto* values = world.image().client_quotas.find(entity);
    if (values == nullptr) return std::nullopt;
    auto found = (*values)->find(key);
    return found == (*values)->end() ? std::nullopt : std::optional(found->second);
  }
  World world;
  std::size_t written = 0;
};

const Entity kAlice = {{"user", "alice"}};
constexpr const char* kRate = "producer_byte_rate";

TEST_F(Quotas, are_set_changed_and_removed) {
  EXPECT_EQ(set(kAlice, kRate, 1000), ErrorCode::NONE);
  EXPECT_EQ(value(kAlice, kRate), 1000);
  EXPECT_EQ(set(kAlice, kRate, 1000), ErrorCode::NONE);
  EXPECT_EQ(written, 0U) << "nothing changed";
  EXPECT_EQ(set(kAlice, "request_percentage", 12.5), ErrorCode::NONE);
  EXPECT_EQ(set(kAlice, kRate, std::nullopt), ErrorCode::NONE);
  EXPECT_EQ(value(kAlice, kRate), std::nullopt);
  EXPECT_EQ(value(kAlice, "request_percentage"), 12.5);
  EXPECT_EQ(set(kAlice, "no.such.key", std::nullopt), ErrorCode::NONE);
  EXPECT_EQ(written, 0U) << "what is not there is removed already";
  EXPECT_EQ(set(kAlice, "request_percentage", std::nullopt), ErrorCode::NONE);
  EXPECT_TRUE(world.image().client_quotas.empty());
}

TEST_F(Quotas, are_only_checked_on_request) {
  EXPECT_EQ(alter({alteration(kAlice, {{kRate, 5}})}, true), std::vector{ErrorCode::NONE});
  EXPECT_EQ(alter({alteration(kAlice, {{kRate, 0}})}, true), std::vector{ErrorCode::INVALID_REQUEST});
  EXPECT_TRUE(world.image().client_quotas.empty());
}

TEST_F(Quotas, of_entities_that_make_no_sense_are_refused) {
  const Entity kBad[] = {{},
                         {{"group", "g"}},
                         {{"user", ""}},
                         {{"ip", "10.0.0.1"}, {"user", "alice"}},
                         {{"ip", std::nullopt}, {"client-id", "c"}},
                         {{"ip", "not an address"}}};
  for (const Entity& entity : kBad) EXPECT_EQ(set(entity, kRate, 5), ErrorCode::INVALID_REQUEST);
  EXPECT_EQ(set({{"client-id", std::nullopt}, {"user", "alice"}}, kRate, 5), ErrorCode::NONE);
  EXPECT_EQ(set({{"ip", "10.0.0.1"}}, "connection_creation_rate", 5), ErrorCode::NONE);
  EXPECT_EQ(set({{"ip", std::nullopt}}, "connection_creation_rate", 5), ErrorCode::NONE);
}

TEST_F(Quotas, of_values_out_of_range_are_refused) {
  const Entity ip = {{"ip", "::1"}};
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (double bad : {0.0, -1.0, 1.5, 1e19, kInfinity, std::numeric_limits<double>::quiet_NaN()})
    EXPECT_EQ(set(kAlice, kRate, bad), ErrorCode::INVALID_REQUEST) << bad;
  EXPECT_EQ(set(kAlice, "request_percentage", 0.5), ErrorCode::NONE);
  EXPECT_EQ(set(ip, "connection_creation_rate", 2147483648.0), ErrorCode::INVALID_REQUEST);
  EXPECT_EQ(set(ip, "connection_creation_rate", 2147483647.0), ErrorCode::NONE);
  EXPECT_EQ(set(ip, kRate, 5), ErrorCode::INVALID_REQUEST) << "a key of users";
  EXPECT_EQ(set(kAlice, "connection_creation_rate", 5), ErrorCode::INVALID_REQUEST) << "a key of addresses";
}

TEST_F(Quotas, of_one_entity_change_together_or_not_at_all) {
  auto codes = alter({alteration(kAlice, {{kRate, 5}, {"consumer_byte_rate", -5}}),
                      alteration({{"user", "bob"}}, {{kRate, 6}})});
  EXPECT_EQ(codes, (std::vector{ErrorCode::INVALID_REQUEST, ErrorCode::NONE}));
  EXPECT_EQ(value(kAlice, kRate), std::nullopt);
  EXPECT_EQ(value({{"user", "bob"}}, kRate), 6);
}

TEST_F(Quotas, named_twice_keep_the_first_alteration) {
  EXPECT_EQ(alter({alteration(kAlice, {{kRate, 5}, {kRate, 6}})}), std::vector{ErrorCode::INVALID_REQUEST});
  EXPECT_EQ(value(kAlice, kRate), std::nullopt);
  EXPECT_EQ(alter({alteration(kAlice, {{kRate, 7}}), alteration(kAlice, {{kRate, 8}})}),
            std::vector{ErrorCode::INVALID_REQUEST});
  EXPECT_EQ(value(kAlice, kRate), 7);
}

struct Component {
  std::string type;
  std::int8_t match_type;
  std::optional<std::string> match;
};

struct Described : Quotas {
  void SetUp() override {
    for (const Entity& entity :
         {kAlice, Entity{{"user", std::nullopt}}, Entity{{"client-id", "c"}, {"user", "alice"}},
          Entity{{"client-id", "c"}}, Entity{{"client-id", std::nullopt}, {"user", "alice"}}})
      EXPECT_EQ(set(entity, kRate, 5), ErrorCode::NONE);
    EXPECT_EQ(set({{"ip", "10.0.0.1"}}, "connection_creation_rate", 5), ErrorCode::NONE);
  }
  wire::DescribeClientQuotasResponse describe(const std::vector<Component>& components, bool strict) {
    wire::DescribeClientQuotasRequest request;
    request.strict = strict;
    for (const Component& component : components) {
      auto& out = request.components.emplace_back();
      out.entity_type = component.type;
      out.match_type = component.match_type;
      out.match = component.match;
    }
    return describe_client_quotas(world.image(), request);
  }
  std::size_t found(const std::vector<Component>& components, bool strict = false) {
    auto response = describe(components, strict);
    EXPECT_EQ(response.error_code, 0);
    return response.entries->size();
  }
};

TEST_F(Described, entities_fit_by_name_default_or_type) {
  EXPECT_EQ(found({}), 6U);
  EXPECT_EQ(found({}, true), 0U);
  EXPECT_EQ(found({{"user", 0, "alice"}}), 3U);
  EXPECT_EQ(found({{"user", 0, "alice"}}, true), 1U);
  EXPECT_EQ(found({{"user", 0, "nobody"}}), 0U);
  EXPECT_EQ(found({{"user", 1, std::nullopt}}), 1U);
  EXPECT_EQ(found({{"user", 2, std::nullopt}}), 4U);
  EXPECT_EQ(found({{"user", 2, std::nullopt}}, true), 2U);
  EXPECT_EQ(found({{"user", 0, "alice"}, {"client-id", 2, std::nullopt}}, true), 2U);
  EXPECT_EQ(found({{"user", 0, "alice"}, {"client-id", 1, std::nullopt}}, true), 1U);
  EXPECT_EQ(found({{"ip", 2, std::nullopt}}), 1U);
}

TEST_F(Described, entries_hold_entity_and_values) {
  EXPECT_EQ(set(kAlice, "request_percentage", 12.5), ErrorCode::NONE);
  auto response = describe({{"user", 0, "alice"}}, true);
  const auto& entry = response.entries->at(0);
  EXPECT_EQ(entry.entity.at(0).entity_name, "alice");
  ASSERT_EQ(entry.values.size(), 2U);
  EXPECT_EQ(entry.values[0].key, kRate);
  EXPECT_EQ(entry.values[1].value, 12.5);
}

TEST_F(Described, filters_that_make_no_sense_are_refused) {
  struct Case {
    std::vector<Component> components;
    ErrorCode error;
  };
  const Case kCases[] = {
      {{{"", 0, "x"}}, ErrorCode::INVALID_REQUEST},
      {{{"group", 0, "x"}}, ErrorCode::UNSUPPORTED_VERSION},
      {{{"user", 0, std::nullopt}}, ErrorCode::INVALID_REQUEST},
      {{{"user", 1, "x"}}, ErrorCode::INVALID_REQUEST},
      {{{"user", 2, "x"}}, ErrorCode::INVALID_REQUEST},
      {{{"user", 3, std::nullopt}}, ErrorCode::INVALID_REQUEST},
      {{{"user", 0, "x"}, {"user", 2, std::nullopt}}, ErrorCode::INVALID_REQUEST},
      {{{"user", 0, "x"}, {"ip", 2, std::nullopt}}, ErrorCode::INVALID_REQUEST},
  };
  for (const Case& one : kCases) {
    auto response = describe(one.components, false);
    EXPECT_EQ(response.error_code, wire::to_int16(one.error));
    EXPECT_FALSE(response.entries.has_value());
  }
}

TEST(IpLiteral, addresses_are_told_from_names) {
  for (const char* good : {"10.0.0.1", "0.0.0.0", "255.255.255.255", "127.1", "1.2.3", "4294967295", "::", "::1",
                           "fe80::1%3", "[::1]", "::ffff:1.2.3.4", "2001:db8:0:0:0:0:0:1"})
    EXPECT_TRUE(is_ip_literal(good)) << good;
  for (const char* bad : {"", "localhost", "10.0.0.256", "1.2.3.4.5", "1..2", "1.2.3.", "4294967296", "1.16777216", ":::",
                          "12345::", "::1%", "::1%eth0", "99999999999999999999", "-1", "0x7f.1"})
    EXPECT_FALSE(is_ip_literal(bad)) << bad;
}

}  // namespace
}  // namespace milena::meta
