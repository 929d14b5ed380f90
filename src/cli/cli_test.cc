// The pieces of the command line that need no server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/configs.h"
#include "cli/failure.h"
#include "cli/name_filter.h"
#include "cli/output.h"
#include "cli/position.h"
#include "cli/status.h"
#include "cli/storage.h"
#include "cli/suggest.h"
#include "cli/topic.h"

namespace milena::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Closest, finds_what_was_meant) {
  std::vector<std::string> verbs{"topic", "produce", "consume", "group", "storage"};
  EXPECT_EQ(closest("tpoic", verbs), "topic");
  EXPECT_EQ(closest("prodcue", verbs), "produce");
  EXPECT_EQ(closest("cons", verbs), "consume");
  EXPECT_EQ(closest("xyzzy", verbs), "");
  EXPECT_EQ(closest("", verbs), "");
  EXPECT_EQ(did_you_mean("grop", verbs), " (did you mean 'group'?)");
}

TEST(ParsePosition, all_forms) {
  using Kind = Position::Kind;
  EXPECT_EQ(*parse_position("start"), (Position{Kind::kStart, 0}));
  EXPECT_EQ(*parse_position("end"), (Position{Kind::kEnd, 0}));
  EXPECT_EQ(*parse_position("42"), (Position{Kind::kOffset, 42}));
  EXPECT_EQ(*parse_position("+5"), (Position{Kind::kRelative, 5}));
  EXPECT_EQ(*parse_position("-5"), (Position{Kind::kRelative, -5}));
  EXPECT_EQ(*parse_position("@1700000000123"), (Position{Kind::kTimestamp, 1700000000123}));
  EXPECT_EQ(*parse_position("@2023-11-14T22:13:20Z"), (Position{Kind::kTimestamp, 1700000000000}));
  for (const char* bad :
       {"", "x", "1x", "@", "@2023-13-01", "@2023-02-30", "@2023-01-01T25:00", "@-5", "--5"})
    EXPECT_TRUE(parse_position(bad).failed()) << bad;
  EXPECT_THAT(parse_position("x", "start or end").error(), HasSubstr("write start or end"));
}

TEST(ParseTimestamp, zones_and_fractions) {
  EXPECT_EQ(*parse_timestamp_ms("2023-11-14"), 1699920000000);
  EXPECT_EQ(*parse_timestamp_ms("2023-11-14T22:13:20.250"), 1700000000250);
  EXPECT_EQ(*parse_timestamp_ms("2023-11-14 23:13:20+01:00"), 1700000000000);
  EXPECT_EQ(*parse_timestamp_ms("2023-11-14T17:13:20-0500"), 1700000000000);
}

std::vector<Json> rows() {
  return {Json{{"name", "a"}, {"count", 5}, {"list", {1, 2}}, {"extra", nullptr}},
          Json{{"name", "longer"}, {"count", 1234}, {"list", Json::array()}, {"extra", true}}};
}
std::vector<Column> columns() {
  return {{"NAME", "name"}, {"COUNT", "count"}, {"LIST", "list"}, {"EXTRA", "extra", true}};
}

TEST(Render, tables_align_numbers_to_the_right) {
  EXPECT_EQ(render(OutputFormat::kTable, columns(), rows()),
            "NAME    COUNT  LIST\n"
            "a           5  1,2\n"
            "longer   1234  -\n");
  EXPECT_EQ(render(OutputFormat::kWide, columns(), rows()),
            "NAME    COUNT  LIST  EXTRA\n"
            "a           5  1,2   -\n"
            "longer   1234  -     yes\n");
}

TEST(Render, forms_for_programs_hold_every_value) {
  EXPECT_EQ(render(OutputFormat::kName, columns(), rows()), "a\nlonger\n");
  EXPECT_EQ(render(OutputFormat::kJsonLines, columns(), rows()),
            "{\"name\":\"a\",\"count\":5,\"list\":[1,2],\"extra\":null}\n"
            "{\"name\":\"longer\",\"count\":1234,\"list\":[],\"extra\":true}\n");
  EXPECT_EQ(Json::parse(render(OutputFormat::kJson, columns(), rows())), Json(rows()));
  EXPECT_EQ(render(OutputFormat::kJson, columns(), {}), "[]\n");
}

TEST(Render, yaml) {
  EXPECT_EQ(render(OutputFormat::kYaml, columns(), rows()),
            "- name: a\n  count: 5\n  list:\n    - 1\n    - 2\n  extra: null\n"
            "- name: longer\n  count: 1234\n  list: []\n  extra: true\n");
  EXPECT_EQ(to_yaml(Json{{"a", "true"}, {"b", "1.5"}, {"c", "x: y"}, {"d", ""}}),
            "a: \"true\"\nb: \"1.5\"\nc: \"x: y\"\nd: \"\"\n");
  for (const char* other : {"on", "No", "NULL", "y", "0x1f", "0o17", "0b101", "1_000", "2026-01-31", ".5", "-a", "~"})
    EXPECT_EQ(to_yaml(Json(other)), "\"" + std::string(other) + "\"\n") << "no text as it stands";
  for (const char* text : {"orders", "_a", "Only", "a.b-c/d", "cleanup.policy"})
    EXPECT_EQ(to_yaml(Json(text)), std::string(text) + "\n");
}

TEST(Render, values_cannot_write_over_the_terminal) {
  std::vector<Json> evil{Json{{"name", "x\033[2J\ny"}}};
  EXPECT_EQ(render(OutputFormat::kName, columns(), evil), "x?[2J?y\n");
}

TEST(ParseConfigChange, operations) {
  using Operation = ConfigChange::Operation;
  EXPECT_EQ(*parse_config_change("a=b=c"), (ConfigChange{"a", Operation::kSet, "b=c"}));
  EXPECT_EQ(*parse_config_change("a="), (ConfigChange{"a", Operation::kSet, ""}));
  EXPECT_EQ(*parse_config_change("a+=b"), (ConfigChange{"a", Operation::kAppend, "b"}));
  EXPECT_EQ(*parse_config_change("a-=b"), (ConfigChange{"a", Operation::kSubtract, "b"}));
  for (const char* bad : {"", "a", "=b", "+=b"}) EXPECT_TRUE(parse_config_change(bad).failed()) << bad;
}

TEST(ParseConfigTarget, types_and_names) {
  EXPECT_EQ(*parse_config_target("topic", "orders"), (ConfigTarget{2, "orders"}));
  EXPECT_EQ(*parse_config_target("broker", "7"), (ConfigTarget{4, "7"}));
  EXPECT_EQ(*parse_config_target("brokers", "default"), (ConfigTarget{4, ""}));
  EXPECT_EQ(*parse_config_target("client-metrics", "default"), (ConfigTarget{16, "default"}));
  EXPECT_EQ(*parse_config_target("group", "g"), (ConfigTarget{32, "g"}));
  for (const char* bad : {"", "one", "-1", "1x"}) EXPECT_TRUE(parse_config_target("broker", bad).failed()) << bad;
  EXPECT_TRUE(parse_config_target("broker-logger", "default").failed());
  EXPECT_TRUE(parse_config_target("topic", "").failed());
  EXPECT_TRUE(parse_config_target("thing", "x").failed());
  EXPECT_EQ(said({4, ""}), "the brokers' default");
  for (const ConfigTarget& target : {ConfigTarget{4, ""}, ConfigTarget{4, "7"}, ConfigTarget{2, "default"}})
    EXPECT_EQ(*parse_config_target(config_type_name(target.type), typed_name(target)), target);
  EXPECT_THAT(config_key_hint(2, {"retention.mss"}), HasSubstr("did you mean 'retention.ms'?"));
}

TEST(Matching, expressions_match_whole_names) {
  std::vector<std::string> names{"a", "ab", "my.topic", "my_topic"};
  EXPECT_THAT(*matching({"a"}, names), ElementsAre("a"));
  EXPECT_THAT(*matching({"a.*", "my\\.topic"}, names), ElementsAre("a", "ab", "my.topic"));
  EXPECT_TRUE(matching({"("}, names).failed());
}

TEST(FeaturesOfRelease, as_kafka_maps_them) {
  auto features = features_of_release("4.0");
  ASSERT_TRUE(features.has_value());
  EXPECT_EQ(*features, (Features{{"metadata.version", 25},
                                 {"group.version", 1},
                                 {"transaction.version", 2},
                                 {"eligible.leader.replicas.version", 0},
                                 {"share.version", 0},
                                 {"streams.version", 0}}));
  EXPECT_EQ(features_of_release("3.7")->at("metadata.version"), 19);
  EXPECT_EQ(features_of_release("4.2-IV0")->at("share.version"), 1);
  EXPECT_EQ(features_of_release("4.2-IV0")->at("streams.version"), 0);
  EXPECT_TRUE(features_of_release("5.0").failed());
  EXPECT_TRUE(features_of_release("4").failed());
}

TEST(ParseFeature, name_and_level) {
  EXPECT_EQ(*parse_feature("group.version=1"), std::pair(std::string("group.version"), std::int16_t{1}));
  for (const char* bad : {"", "x", "x=", "=1", "x=-1", "x=1.5", "x=99999"})
    EXPECT_TRUE(parse_feature(bad).failed()) << bad;
}

TEST(ParseInitialController, id_address_and_directory) {
  auto voter = parse_initial_controller("3@h.example:9093:AAAAAAAAAAAAAAAAAAAAAQ", "CONTROLLER");
  ASSERT_TRUE(voter.has_value());
  EXPECT_EQ(voter->id, BrokerId(3));
  EXPECT_EQ(voter->directory_id.to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
  ASSERT_EQ(voter->endpoints.size(), 1u);
  EXPECT_EQ(voter->endpoints[0].host, "h.example");
  EXPECT_EQ(voter->endpoints[0].port, 9093);
  EXPECT_EQ(parse_initial_controller("3@[::1]:9093:AAAAAAAAAAAAAAAAAAAAAQ", "C")->endpoints[0].host, "::1");
  for (const char* bad : {"", "3", "3@h:9093", "@h:1:AAAAAAAAAAAAAAAAAAAAAQ", "x@h:1:AAAAAAAAAAAAAAAAAAAAAQ",
                          "3@h:AAAAAAAAAAAAAAAAAAAAAQ", "3@[::1]:AAAAAAAAAAAAAAAAAAAAAQ",
                          "3@h:99999:AAAAAAAAAAAAAAAAAAAAAQ", "3@h:1:short", "3@h:1:AAAAAAAAAAAAAAAAAAAAAA"})
    EXPECT_TRUE(parse_initial_controller(bad, "C").failed()) << bad;
}

TEST(AgoText, in_seconds) {
  EXPECT_EQ(ago_text(0), "0.0 s ago");
  EXPECT_EQ(ago_text(130), "0.1 s ago");
  EXPECT_EQ(ago_text(75'260), "75.3 s ago");
  EXPECT_EQ(ago_text(-5), "0.0 s ago");
}

TEST(Failures, codes_become_exit_codes_and_a_next_step) {
  using client::ClientError;
  ClientError refused{client::ErrorKind::kUnreachable, wire::ErrorCode::NONE,
                      "cannot connect to h:1: nothing listens"};
  Failure failure = client_failure("cannot list topics", refused);
  EXPECT_EQ(failure.exit, Exit::kUnreachable);
  EXPECT_EQ(render(failure, false).find("error: cannot list topics: cannot connect to h:1"), 0u);
  EXPECT_THAT(render(failure, false), HasSubstr("\n  next: "));
  EXPECT_EQ(broker_failure("x", wire::ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, "").exit, Exit::kNotFound);
  EXPECT_EQ(broker_failure("x", wire::ErrorCode::TOPIC_AUTHORIZATION_FAILED, "").exit, Exit::kNotAllowed);
  EXPECT_EQ(broker_failure("x", wire::ErrorCode::INVALID_CONFIG, "no").why, "no (INVALID_CONFIG)");
  ClientError nobody{client::ErrorKind::kBroker, wire::ErrorCode::COORDINATOR_NOT_AVAILABLE, "none"};
  EXPECT_THAT(client_failure("x", nobody).next, HasSubstr("offsets.topic.replication.factor"));
  EXPECT_THAT(broker_failure("x", wire::ErrorCode::COORDINATOR_NOT_AVAILABLE, "").next,
              HasSubstr("offsets.topic.replication.factor"));
  EXPECT_EQ(broker_failure("x", wire::ErrorCode::COORDINATOR_NOT_AVAILABLE, "", "y").next, "y");
}

}  // namespace
}  // namespace milena::cli
