#include "config/own_keys.h"

#include <gmock/gmock.h>

#include "config/config_testing.h"
#include "config/startup.h"

namespace milena::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(HttpListeners, ThisMachineUnlessToldOtherwise) {
  auto http = http_config(parse_config({}));
  ASSERT_TRUE(http.has_value());
  EXPECT_THAT(http->listeners, ElementsAre(Address{"127.0.0.1", 9021}));
  EXPECT_FALSE(http->asked_for);
}

TEST(HttpListeners, SeveralOrNone) {
  auto several = http_config(parse_config({{"milena.http.listeners", "http://:9021, http://[::1]:0"}}));
  ASSERT_TRUE(several.has_value());
  EXPECT_THAT(several->listeners, ElementsAre(Address{"", 9021}, Address{"::1", 0}));
  EXPECT_TRUE(several->asked_for);
  auto none = http_config(parse_config({{"milena.http.listeners", " "}}));
  ASSERT_TRUE(none.has_value());
  EXPECT_THAT(none->listeners, ElementsAre());
}

TEST(HttpListeners, WhatIsWrongIsNamed) {
  auto wrong = http_config(parse_config({{"milena.http.listeners", "localhost:9021,https://:1,http://:2,http://:2"}}));
  ASSERT_TRUE(wrong.failed());
  ASSERT_EQ(wrong.error().size(), 3U);
  EXPECT_THAT(wrong.error()[0].message, HasSubstr("localhost:9021 is not http://HOST:PORT"));
  EXPECT_THAT(wrong.error()[1].message, HasSubstr("https://:1 is not"));
  EXPECT_THAT(wrong.error()[2].message, HasSubstr("http://:2 stands there twice"));
}

TEST(OwnKeys, AreKnown) {
  const std::pair<const std::string, std::string> kOne{"offsets.topic.replication.factor", "1"};
  EXPECT_THAT(startup_warnings(parse_config({{"milena.http.listeners", ""}, kOne})), ElementsAre());
  EXPECT_THAT(startup_warnings(parse_config({{"milena.http.listener", ""}, kOne})),
              ElementsAre(HasSubstr("did you mean milena.http.listeners?")));
}

}  // namespace
}  // namespace milena::config
