#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/endian.h"
#include "base/ids.h"
#include "base/properties.h"
#include "base/random.h"
#include "base/result.h"
#include "base/varint.h"

namespace milena {
namespace {

TEST(Crc32c, MatchesTheVectorsOfRfc3720) {
  std::vector<std::uint8_t> zeros(32, 0);
  std::vector<std::uint8_t> ones(32, 0xff);
  EXPECT_EQ(crc32c(zeros), 0x8a9136aaU);
  EXPECT_EQ(crc32c(ones), 0x62a8ab43U);
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283U);
  EXPECT_EQ(crc32c(as_bytes("6789"), crc32c(as_bytes("12345"))), 0xe3069283U);
}

TEST(Uuid, PrintsAndReadsKafkasForm) {
  auto id = Uuid::parse("4L6g3nShT-eMCtK--X86sw");
  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(id->to_string(), "4L6g3nShT-eMCtK--X86sw");
  EXPECT_EQ(kMetadataTopicId.to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
  EXPECT_EQ(Uuid::parse("AAAAAAAAAAAAAAAAAAAAAQ"), kMetadataTopicId);
  EXPECT_FALSE(Uuid::parse("too-short").has_value());
  EXPECT_FALSE(Uuid::parse("!L6g3nShT-eMCtK--X86sw").has_value());
  Random random(7);
  for (int i = 0; i < 1000; ++i) {
    Uuid any{random.next(), random.next()};
    EXPECT_EQ(Uuid::parse(any.to_string()), any);
  }
}

TEST(Varint, RoundTripsAndRefusesCutInput) {
  Random random(1);
  std::uint8_t out[kMaxVarintBytes64];
  for (int i = 0; i < 10000; ++i) {
    auto value = static_cast<std::int64_t>(random.next() >> random.below(64));
    std::size_t n = put_uvarint(out, zigzag(value));
    EXPECT_EQ(n, varint_size(value));
    std::uint64_t back = 0;
    EXPECT_EQ(get_uvarint({out, n}, back), n);
    EXPECT_EQ(unzigzag(back), value);
    EXPECT_EQ(get_uvarint({out, n - 1}, back), 0U);
  }
}

TEST(Bytes, SlicesKeepTheBlockAlive) {
  Bytes tail;
  {
    Buffer buffer;
    buffer.append("hello, ");
    buffer.append("world");
    tail = buffer.freeze().slice(7, 5);
  }
  EXPECT_EQ(tail.text(), "world");
  EXPECT_EQ(tail, Bytes::copy("world"));
}

TEST(Properties, FollowsJavasGrammar) {
  auto parsed = parse_properties(
      "# comment\n! comment\n\na=1\nb : two words \n  c\td\nlong=x,\\\n   y\nuni=\\u00e9\\ud83d\\ude00\n"
      "sp\\ ace=v\nempty\npath=C:\\\\x\\=y\na=last\r\nz=1");
  ASSERT_TRUE(parsed.has_value());
  Properties expected{{"a", "last"}, {"b", "two words "}, {"c", "d"}, {"long", "x,y"}, {"uni", "é😀"},
                      {"sp ace", "v"}, {"empty", ""}, {"path", "C:\\x=y"}, {"z", "1"}};
  EXPECT_EQ(*parsed, expected);
  EXPECT_EQ(*parse_properties(format_properties(expected)), expected);
  auto bad = parse_properties("ok=1\nbad=\\u12");
  ASSERT_TRUE(bad.failed());
  EXPECT_EQ(bad.error().line, 2);
}

Result<int, std::string> half(int n) {
  if (n % 2 != 0) return Err(std::string("odd"));
  return n / 2;
}
Result<int, std::string> quarter(int n) {
  TRY_ASSIGN(int h, half(n));
  TRY(half(h));
  return *half(h);
}

TEST(Result, TryPassesErrorsOn) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error(), "odd");
}

}  // namespace
}  // namespace milena
