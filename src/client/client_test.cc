// The pieces of the client that need no connection: choice of versions, server lists.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/api_versions.h"
#include "client/cluster.h"
#include "wire/messages/api_versions_response.h"

namespace milena::client {
namespace {

using ::testing::HasSubstr;

PeerVersions peer(std::int16_t min, std::int16_t max) {
  wire::ApiVersionsResponse response;
  auto& api = response.api_keys.emplace_back();
  api.api_key = 3;
  api.min_version = min;
  api.max_version = max;
  return PeerVersions(response);
}

TEST(PeerVersions, the_highest_common_version_is_chosen) {
  EXPECT_EQ(*peer(0, 20).choose({"Metadata", 3, {4, 13}}), 13);
  EXPECT_EQ(*peer(0, 7).choose({"Metadata", 3, {4, 13}}), 7);
  EXPECT_EQ(*peer(4, 4).choose({"Metadata", 3, {4, 13}}), 4);
}

TEST(PeerVersions, no_common_version_says_what_both_sides_have) {
  auto old = peer(0, 3).choose({"Metadata", 3, {4, 13}});
  ASSERT_TRUE(old.failed());
  EXPECT_EQ(old.error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(old.error().message, HasSubstr("versions 0 to 3"));
  EXPECT_THAT(old.error().message, HasSubstr("versions 4 to 13"));
  EXPECT_TRUE(peer(14, 20).choose({"Metadata", 3, {4, 13}}).failed());
  EXPECT_TRUE(peer(0, 9).choose({"Fetch", 1, {4, 18}}).failed());
}

TEST(PeerVersions, an_empty_range_is_an_api_that_is_not_served) {
  EXPECT_FALSE(peer(1, 0).find(3).has_value());
}

TEST(PeerVersions, a_controllers_port_is_said_to_be_one) {
  wire::ApiVersionsResponse response;
  response.api_keys.emplace_back().api_key = 62;  // BrokerRegistration
  auto failed = PeerVersions(response).choose({"Metadata", 3, {4, 13}});
  ASSERT_TRUE(failed.failed());
  EXPECT_THAT(failed.error().message, HasSubstr("controller's port"));
  EXPECT_FALSE(peer(0, 13).of_controller());
}

TEST(ParseServers, hosts_ports_and_lists) {
  auto servers = parse_servers("a:1, b ,[::1]:19092,PLAINTEXT://c:2,");
  ASSERT_TRUE(servers.has_value());
  EXPECT_EQ(*servers, (std::vector<io::Endpoint>{{"a", 1}, {"b", 9092}, {"::1", 19092}, {"c", 2}}));
}

TEST(ParseServers, errors_name_the_part_that_is_wrong) {
  for (const char* bad :
       {"", ",", "a:", "a:x", "a:0", "a:70000", ":9092", "::1", "[::1", "[::1]9", "SSL://a:1"}) {
    auto servers = parse_servers(bad);
    EXPECT_TRUE(servers.failed()) << bad;
  }
  EXPECT_THAT(parse_servers("good:1,bad:x").error(), HasSubstr("bad:x"));
}

}  // namespace
}  // namespace milena::client
