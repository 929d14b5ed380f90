// What a node says when it is ready.
#include "app/banner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace milena::app {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

BannerFacts facts(const std::string& host = "127.0.0.1", std::uint16_t port = 9092) {
  BannerFacts facts;
  facts.version = "1.2.3";
  facts.command = "./milena";
  facts.listeners = {{"CONTROLLER", {host, 9093}, true}, {"PLAINTEXT", {host, port}, false}};
  facts.http = {{host, 9021}};
  facts.log_dirs = {"/a", "/b"};
  facts.cluster_id = "abc";
  facts.start_time = 41ms;
  facts.pid = 99;
  return facts;
}

TEST(Banner, tells_where_and_what) {
  std::string text = banner_text(facts());
  EXPECT_THAT(text, AllOf(HasSubstr("Milena 1.2.3  ready in 41 ms\n"), HasSubstr("Kafka clients   127.0.0.1:9092\n"),
                          HasSubstr("Controller      127.0.0.1:9093\n"), HasSubstr("Data            /a, /b\n"),
                          HasSubstr("Cluster         abc\n")));
  EXPECT_THAT(text, HasSubstr("Metrics         http://127.0.0.1:9021/metrics\n"));
  EXPECT_THAT(banner_text(facts("::")), HasSubstr("http://localhost:9021/metrics"));
  BannerFacts fresh = facts();
  fresh.new_directory = true;
  EXPECT_THAT(banner_text(fresh), HasSubstr("/a, /b (new)\n"));
  BannerFacts alone = facts();
  alone.listeners.erase(alone.listeners.begin());
  EXPECT_THAT(banner_text(alone), Not(HasSubstr("Controller")));
}

TEST(Banner, the_commands_to_try_reach_this_node) {
  EXPECT_THAT(banner_text(facts()), HasSubstr("  ./milena consume orders\n")) << "where the verbs look anyway";
  EXPECT_THAT(banner_text(facts("0.0.0.0")), HasSubstr("  ./milena consume orders\n"));
  EXPECT_THAT(banner_text(facts("127.0.0.1", 19092)), HasSubstr("produce orders -b 127.0.0.1:19092\n"));
  EXPECT_THAT(banner_text(facts("::", 19092)), HasSubstr("topic create orders -b localhost:19092\n"));
  EXPECT_THAT(banner_text(facts("10.0.0.1")), HasSubstr("consume orders -b 10.0.0.1:9092\n"));
  EXPECT_THAT(banner_text(facts("fe80::1")), HasSubstr("consume orders -b [fe80::1]:9092\n"));
}

TEST(Banner, is_one_line_of_json_for_programs) {
  std::string text = banner_json(facts("::1"));
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  auto line = nlohmann::json::parse(text);
  EXPECT_EQ(line["event"], "ready");
  EXPECT_EQ(line["pid"], 99);
  EXPECT_EQ(line["start_ms"], 41);
  EXPECT_EQ(line["listeners"]["PLAINTEXT"], "[::1]:9092");
  EXPECT_EQ(line["listeners"]["CONTROLLER"], "[::1]:9093");
  EXPECT_EQ(line["log_dirs"].size(), 2u);
  EXPECT_EQ(line["http"][0], "[::1]:9021");
}

}  // namespace
}  // namespace milena::app
