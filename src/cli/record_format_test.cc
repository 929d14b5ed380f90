// Records from and to text.
#include "cli/record_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace milena::cli {
namespace {

using ::testing::HasSubstr;

RecordView record() {
  RecordView view;
  view.topic = "orders";
  view.partition = 3;
  view.offset = 42;
  view.timestamp = 1700000000000;
  view.key = "k";
  view.value = "hello";
  view.headers = {{"a", "1"}, {"b", std::nullopt}};
  return view;
}

std::string print(std::string_view format, const RecordView& view) {
  auto parsed = OutputRecordFormat::parse(format);
  EXPECT_TRUE(parsed.has_value()) << parsed.error();
  std::string out;
  parsed->append(out, view);
  return out;
}

TEST(OutputRecordFormat, every_token) {
  EXPECT_EQ(print("%t %p %o %k %v %s %h %T %K %S %%\\n", record()),
            "orders 3 42 k hello hello a=1,b= 1700000000000 1 5 %\n");
}

TEST(OutputRecordFormat, a_null_key_is_empty_and_has_size_minus_one) {
  RecordView view = record();
  view.key.reset();
  EXPECT_EQ(print("[%k]%K", view), "[]-1");
}

TEST(OutputRecordFormat, escapes) {
  EXPECT_EQ(print("\\t\\x41\\\\\\0", record()), std::string("\tA\\\0", 4));
  for (const char* bad : {"%", "%q", "\\q", "\\x4", "\\xzz"})
    EXPECT_TRUE(OutputRecordFormat::parse(bad).failed()) << bad;
  EXPECT_THAT(OutputRecordFormat::parse("%q").error(), HasSubstr("%q"));
}

TEST(ToJson, text_stands_as_text_and_bytes_as_base64) {
  RecordView view = record();
  view.value = std::string_view("\xff\x00z", 3);
  view.key.reset();
  EXPECT_EQ(
      to_json(view),
      R"({"topic":"orders","partition":3,"offset":42,"timestamp":1700000000000,)"
      R"("headers":[{"key":"a","value":"1"},{"key":"b","value":null}],"key":null,"value_base64":"/wB6"})");
  view.value = "caf\xc3\xa9 \"q\"";
  EXPECT_THAT(to_json(view), HasSubstr("\"value\":\"caf\xc3\xa9 \\\"q\\\"\""));
  view.value = "\xed\xa0\x80";  // a surrogate is no UTF-8
  EXPECT_THAT(to_json(view), HasSubstr("value_base64"));
}

// All records of the text, "key=value" or "value", fed in pieces of `step` bytes.
std::vector<std::string> read(const InputRecordFormat& format, std::string_view text, std::size_t step) {
  std::vector<std::string> records;
  std::string pending;
  for (std::size_t at = 0;; at += step) {
    bool end = at >= text.size();
    if (!end) pending += text.substr(at, step);
    std::size_t done = 0;
    while (true) {
      auto record = format.next(pending, done, end);
      EXPECT_TRUE(record.has_value());
      if (record.failed() || !*record) break;
      std::string shown = (*record)->key ? *(*record)->key + "=" : "";
      records.push_back(shown + (*record)->value.value_or("(null)"));
    }
    pending.erase(0, done);
    if (end) return records;
  }
}

TEST(InputRecordFormat, lines_with_and_without_a_last_newline) {
  auto lines = InputRecordFormat::lines("");
  for (std::size_t step : {1, 2, 100}) {
    EXPECT_EQ(read(lines, "a\n\nb\n", step), (std::vector<std::string>{"a", "", "b"}));
    EXPECT_EQ(read(lines, "a\nb", step), (std::vector<std::string>{"a", "b"}));
    EXPECT_TRUE(read(lines, "", step).empty());
  }
}

TEST(InputRecordFormat, keys_before_a_delimiter) {
  auto lines = InputRecordFormat::lines("::", ";");
  for (std::size_t step : {1, 3, 100})
    EXPECT_EQ(read(lines, "k::v::w;none;::x", step), (std::vector<std::string>{"k=v::w", "none", "=x"}));
}

TEST(InputRecordFormat, a_format_with_all_fields) {
  auto format = InputRecordFormat::parse("%p/%T/%k|%h|%v\\n");
  ASSERT_TRUE(format.has_value());
  std::size_t at = 0;
  auto record = format->next("7/1700/key|a=1,b=2|value|with bars\n", at, false);
  ASSERT_TRUE(record.has_value() && *record);
  EXPECT_EQ((*record)->partition, 7);
  EXPECT_EQ((*record)->timestamp, 1700);
  EXPECT_EQ((*record)->key, "key");
  EXPECT_EQ((*record)->value, "value|with bars");
  EXPECT_EQ((*record)->headers, (std::vector<std::pair<std::string, std::string>>{{"a", "1"}, {"b", "2"}}));
}

TEST(InputRecordFormat, what_does_not_fit_is_an_error) {
  for (const char* bad : {"", "x%v", "%k%v", "%o", "%v%"})
    EXPECT_TRUE(InputRecordFormat::parse(bad).failed()) << bad;
  auto format = InputRecordFormat::parse("%k:%v\\n");
  std::size_t at = 0;
  EXPECT_TRUE(format->next("no colon\n", at, false).failed());
  auto number = InputRecordFormat::parse("%p:%v\\n");
  at = 0;
  EXPECT_TRUE(number->next("x:1\n", at, false).failed());
}

}  // namespace
}  // namespace milena::cli
