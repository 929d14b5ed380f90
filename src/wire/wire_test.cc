#include <gtest/gtest.h>

#include <string>

#include "wire/error_code.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace milena::wire {
namespace {

Bytes bytes_of(std::initializer_list<std::uint8_t> values) {
  return Bytes::copy(ByteView(values.begin(), values.size()));
}

TEST(Writer, WritesKafkasForms) {
  Writer writer;
  writer.write_int16(-2);
  writer.write_string("ab", false);
  writer.write_string("ab", true);
  writer.write_null_string(false);
  writer.write_null_bytes(true);
  writer.write_array_count(300, true);
  EXPECT_EQ(to_hex(writer.to_bytes()), "fffe" "00026162" "036162" "ffff" "00" "ad02");
}

TEST(Writer, ReferencesLargeBytesAndKeepsTheirPlace) {
  Bytes large = Bytes::copy(std::string(Writer::kSpliceMin, 'x'));
  Writer writer;
  TagWriter tags(writer);
  tags.begin(5);
  writer.write_bytes(large, true);
  tags.end();
  tags.finish();
  writer.write_int8(7);
  // count, tag, size (2 bytes), length (2 bytes), content, int8
  EXPECT_EQ(writer.size(), 1 + 1 + 2 + 2 + large.size() + 1);
  std::vector<Bytes> pieces = writer.finish();
  ASSERT_EQ(pieces.size(), 3U);
  EXPECT_EQ(to_hex(pieces[0]), "0105" "8208" "8108");
  EXPECT_EQ(pieces[1].data(), large.data());
  EXPECT_EQ(to_hex(pieces[2]), "07");
  EXPECT_EQ(writer.size(), 0U);
}

TEST(Writer, RefusesStringsBeyondTheirLength) {
  Writer writer;
  writer.write_string(std::string(32768, 'x'), true);
  EXPECT_FALSE(writer.ok());
}

TEST(Reader, ReadsWhatTheWriterWrote) {
  Writer writer;
  writer.write_int64(-5);
  writer.write_float64(1.5);
  writer.write_uuid(Uuid{1, 2});
  writer.write_string("text", true);
  writer.write_null_string(true);
  writer.write_bytes(Bytes::copy("bytes"), false);
  writer.write_uvarint(0xffffffffU);
  Reader reader(writer.to_bytes());
  EXPECT_EQ(reader.read_int64(), -5);
  EXPECT_EQ(reader.read_float64(), 1.5);
  EXPECT_EQ(reader.read_uuid(), (Uuid{1, 2}));
  EXPECT_EQ(reader.read_string(true), "text");
  EXPECT_EQ(reader.read_nullable_string(true), std::nullopt);
  EXPECT_EQ(reader.read_bytes(false), Bytes::copy("bytes"));
  EXPECT_EQ(reader.read_uvarint(), 0xffffffffU);
  EXPECT_TRUE(reader.finished());
}

TEST(Reader, FailureIsSticky) {
  Reader reader(bytes_of({1, 2, 3}));
  EXPECT_EQ(reader.read_int32(), 0);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.read_int8(), 0);
  EXPECT_EQ(reader.remaining(), 0U);
}

TEST(Reader, RefusesHostileLengths) {
  for (bool compact : {false, true}) {
    Reader bytes(bytes_of({0x7f, 0xff, 0xff, 0x7f, 0, 0}));
    bytes.read_bytes(compact);
    EXPECT_FALSE(bytes.ok());
    Reader text(bytes_of({0x7f, 0xff, 0xff, 0x7f, 0, 0}));
    text.read_string(compact);
    EXPECT_FALSE(text.ok());
    Reader array(bytes_of({0x7f, 0xff, 0xff, 0x7f, 0, 0}));
    EXPECT_EQ(array.read_array_count(compact, 1), 0);
    EXPECT_FALSE(array.ok());
  }
  Reader negative(bytes_of({0xff, 0xfe}));
  negative.read_nullable_string(false);
  EXPECT_FALSE(negative.ok());
  Reader null(bytes_of({0xff, 0xff}));
  null.read_string(false);
  EXPECT_FALSE(null.ok());
  Reader long_varint(bytes_of({0xff, 0xff, 0xff, 0xff, 0x7f}));
  long_varint.read_uvarint();
  EXPECT_FALSE(long_varint.ok());
}

TEST(Reader, RefusesCompactStringsThatCouldNotBeWritten) {
  for (std::size_t size : {std::size_t{32767}, std::size_t{32768}}) {
    Writer writer;
    writer.write_bytes(Bytes::copy(std::string(size, 'x')), true);
    Reader reader(writer.to_bytes());
    EXPECT_EQ(reader.read_string(true).size(), size == 32767 ? size : 0U);
    EXPECT_EQ(reader.ok(), size == 32767);
  }
}

TEST(Reader, ComparesCountsWithElementSize) {
  Reader fits(bytes_of({0, 0, 0, 2, 1, 1, 1, 1}));
  EXPECT_EQ(fits.read_array_count(false, 2), 2);
  Reader too_many(bytes_of({0, 0, 0, 2, 1, 1, 1}));
  EXPECT_EQ(too_many.read_array_count(false, 2), 0);
  EXPECT_FALSE(too_many.ok());
}

TEST(Reader, KeepsOrSkipsUnknownTags) {
  Bytes section = bytes_of({2, 1, 1, 0xaa, 200, 1, 0});
  Reader skipping(section);
  skipping.skip_tags();
  EXPECT_TRUE(skipping.finished());
  Reader keeping(section);
  UnknownTaggedFields fields;
  keeping.keep_tags(fields);
  EXPECT_TRUE(keeping.finished());
  ASSERT_EQ(fields.size(), 2U);
  EXPECT_EQ(fields[1].tag, 200U);
  Writer writer;
  TagWriter(writer, &fields).finish();
  EXPECT_EQ(writer.to_bytes(), section);
}

TEST(Reader, RefusesTagsOutOfOrderAndHostileTagSections) {
  for (const Bytes& section : {bytes_of({2, 1, 0, 1, 0}), bytes_of({2, 2, 0, 1, 0}), bytes_of({1, 0, 5, 0}),
                        bytes_of({0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0})}) {
    Reader reader(section);
    reader.skip_tags();
    EXPECT_FALSE(reader.ok());
  }
}

TEST(Reader, TaggedFieldMustFillItsSize) {
  Reader reader(bytes_of({1, 0, 3, 1, 2, 3}));
  std::int64_t previous = -1;
  EXPECT_EQ(reader.read_tag_count(), 1U);
  EXPECT_EQ(reader.read_tag(previous), 0U);
  const std::uint8_t* outer = reader.enter_tag();
  EXPECT_EQ(reader.remaining(), 3U);
  reader.read_int16();
  reader.leave_tag(outer);
  EXPECT_FALSE(reader.ok());
}

TEST(ErrorCode, NamesAndNumbers) {
  EXPECT_EQ(name(ErrorCode::UNKNOWN_SERVER_ERROR), "UNKNOWN_SERVER_ERROR");
  EXPECT_EQ(name(ErrorCode::SHARE_SESSION_LIMIT_REACHED), "SHARE_SESSION_LIMIT_REACHED");
  EXPECT_EQ(to_int16(ErrorCode::UNSUPPORTED_VERSION), 35);
  EXPECT_EQ(error_code_from(134), ErrorCode::UNKNOWN_SERVER_ERROR);
  EXPECT_TRUE(retriable(ErrorCode::NOT_LEADER_OR_FOLLOWER));
  EXPECT_FALSE(retriable(ErrorCode::MESSAGE_TOO_LARGE));
  for (int code = kErrorCodeFirst; code <= kErrorCodeLast; ++code) {
    EXPECT_FALSE(name(error_code_from(static_cast<std::int16_t>(code))).empty());
    EXPECT_FALSE(message(error_code_from(static_cast<std::int16_t>(code))).empty());
  }
}

}  // namespace
}  // namespace milena::wire
