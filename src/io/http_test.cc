// Targets and escapes of HTTP requests.
#include "io/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace milena::io {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(HttpTarget, splits_path_and_query) {
  HttpRequest request;
  ASSERT_TRUE(parse_target("/a%20b/c?x=1&y=two+words%21&x=3&&flag&=lost", &request));
  EXPECT_EQ(request.path, "/a b/c");
  EXPECT_THAT(request.query, ElementsAre(Pair("flag", ""), Pair("x", "3"), Pair("y", "two words!")));
}

TEST(HttpTarget, may_name_the_host) {
  HttpRequest request;
  ASSERT_TRUE(parse_target("http://node:9021/metrics?x=1", &request));
  EXPECT_EQ(request.path, "/metrics");
  ASSERT_TRUE(parse_target("http://node:9021", &request));
  EXPECT_EQ(request.path, "/");
}

TEST(HttpTarget, is_refused_where_it_is_none) {
  for (const char* target : {"", "*", "metrics", "/%", "/%4", "/%zz", "/?a=%f", "node:80", "ftp:/x"}) {
    HttpRequest request;
    EXPECT_FALSE(parse_target(target, &request)) << target;
  }
}

TEST(HttpRequest, finds_the_first_header_of_a_name) {
  HttpRequest request;
  request.headers = {{"accept", "a"}, {"host", "h"}, {"accept", "b"}};
  EXPECT_EQ(request.header("accept"), "a");
  EXPECT_EQ(request.header("missing"), "");
}

}  // namespace
}  // namespace milena::io
