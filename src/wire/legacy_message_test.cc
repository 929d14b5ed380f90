#include "wire/legacy_message.h"

#include <gtest/gtest.h>

#include <zlib.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "wire/batch_builder.h"
#include "wire/log_entry.h"

namespace milena::wire {
namespace {

using Field = std::optional<ByteView>;

template <class T>
void put(Buffer& out, T value) {
  std::uint8_t bytes[sizeof value];
  store_be(bytes, value);
  out.append(ByteView(bytes));
}

void put_field(Buffer& out, Field field) {
  put(out, field.has_value() ? static_cast<std::int32_t>(field->size()) : -1);
  if (field.has_value()) out.append(*field);
}

void put_message(Buffer& out, std::int64_t offset, std::uint8_t magic, std::uint8_t attributes,
                 std::int64_t timestamp, Field key, Field value) {
  std::size_t start = out.size();
  put(out, offset);
  put(out, std::int32_t{0});
  put(out, std::uint32_t{0});
  out.push_back(magic);
  out.push_back(attributes);
  if (magic == 1) put(out, timestamp);
  put_field(out, key);
  put_field(out, value);
  std::uint8_t* at = out.data() + start;
  store_be(at + 8, static_cast<std::int32_t>(out.size() - start - 12));
  store_be(at + 12,
           static_cast<std::uint32_t>(crc32(0, at + 16, static_cast<uInt>(out.size() - start - 16))));
}

std::vector<LegacyRecordView> read_all(LegacyReader& reader) {
  std::vector<LegacyRecordView> records;
  for (LegacyRecordView record; reader.next(record);) records.push_back(record);
  return records;
}

Buffer wrapper(std::uint8_t magic, Codec codec, std::int64_t first_inner, std::int64_t offset) {
  CompressionScratch scratch;
  Buffer inner;
  for (std::int64_t i = 0; i < 3; ++i) {
    put_message(inner, first_inner + i, magic, 0, 100 + i, as_bytes("k"), as_bytes(std::to_string(i)));
  }
  Buffer packed;
  compress(codec, level_range(codec).standard, inner.view(), packed, scratch);
  Buffer out;
  put_message(out, offset, magic, static_cast<std::uint8_t>(codec), 102, std::nullopt, packed.view());
  return out;
}

TEST(LegacyMessage, ReadsPlainMessages) {
  Buffer set;
  put_message(set, 41, 0, 0, 0, as_bytes("key"), as_bytes("value"));
  put_message(set, 42, 1, 8, 777, std::nullopt, std::nullopt);
  auto first = LegacyEntryView::parse(set.view());
  ASSERT_TRUE(first.has_value());
  EXPECT_TRUE(first->crc_ok());
  EXPECT_EQ(first->offset(), Offset(41));
  EXPECT_EQ(first->timestamp(), kNoTimestamp);
  EXPECT_EQ(as_text(*first->key()), "key");
  EXPECT_EQ(as_text(*first->value()), "value");
  auto second = LegacyEntryView::parse(set.view().subspan(first->size()));
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->timestamp(), Timestamp(777));
  EXPECT_EQ(second->timestamp_type(), TimestampType::kLogAppendTime);
  EXPECT_EQ(second->key(), std::nullopt);
  EXPECT_EQ(second->value(), std::nullopt);
  set.data()[23] ^= 1;
  EXPECT_FALSE(LegacyEntryView::parse(set.view())->crc_ok());
}

TEST(LegacyMessage, WrappersGiveAbsoluteOffsets) {
  CompressionScratch scratch;
  for (Codec codec : {Codec::kGzip, Codec::kSnappy, Codec::kLz4}) {
    struct Case {
      std::uint8_t magic;
      std::int64_t first_inner, offset, expected;
    };
    for (Case c : {Case{0, 500, 502, 500}, Case{1, 0, 502, 500}, Case{1, 0, 0, 0}}) {
      Buffer set = wrapper(c.magic, codec, c.first_inner, c.offset);
      auto entry = LegacyEntryView::parse(set.view());
      ASSERT_TRUE(entry.has_value());
      auto reader = LegacyReader::open(*entry, 10000, scratch);
      ASSERT_TRUE(reader.has_value());
      EXPECT_EQ(reader->base_offset(), Offset(c.expected));
      EXPECT_EQ(reader->count(), 3);
      auto records = read_all(*reader);
      ASSERT_EQ(records.size(), 3U);
      EXPECT_EQ(records[2].offset, Offset(c.expected + 2));
      EXPECT_EQ(records[2].timestamp, c.magic == 0 ? kNoTimestamp : Timestamp(102));
      EXPECT_EQ(as_text(*records[1].value), "1");
      EXPECT_EQ(LegacyReader::open(*entry, 20, scratch).error(), LegacyError::kTooLarge);
    }
  }
}

TEST(LegacyMessage, MalformedWrappersAreErrors) {
  CompressionScratch scratch;
  auto open = [&](const Buffer& set) {
    return LegacyReader::open(*LegacyEntryView::parse(set.view()), 10000, scratch).error();
  };
  Buffer zstd;
  put_message(zstd, 1, 1, 4, 0, std::nullopt, as_bytes("x"));
  EXPECT_EQ(open(zstd), LegacyError::kBadCodec);
  Buffer null;
  put_message(null, 1, 1, 1, 0, std::nullopt, std::nullopt);
  EXPECT_EQ(open(null), LegacyError::kNoMessages);
  Buffer garbage;
  put_message(garbage, 1, 1, 1, 0, std::nullopt, as_bytes("x"));
  EXPECT_EQ(open(garbage), LegacyError::kDecompress);
  EXPECT_EQ(open(wrapper(1, Codec::kGzip, 0, 1)), LegacyError::kBadOffset);

  Buffer nested_value;
  compress(Codec::kGzip, -1, wrapper(1, Codec::kGzip, 0, 2).view(), nested_value, scratch);
  Buffer nested;
  put_message(nested, 5, 1, 1, 0, std::nullopt, nested_value.view());
  EXPECT_EQ(open(nested), LegacyError::kBadMessage);
}

TEST(LegacyMessage, CutAndFlippedEntriesNeverLeadOutside) {
  CompressionScratch scratch;
  Random random(5);
  for (Codec codec : {Codec::kGzip, Codec::kSnappy, Codec::kLz4}) {
    Buffer good = wrapper(1, codec, 0, 10);
    put_message(good, 11, 0, 0, 0, as_bytes("key"), as_bytes("value"));
    for (std::size_t cut = 0; cut < good.size(); ++cut) {
      Bytes exact = Bytes::copy(good.view().first(cut));
      LogEntryCursor cursor(exact);
      for (LogEntryView entry; cursor.next(entry);) EXPECT_TRUE(entry.crc_ok());
      EXPECT_LE(cursor.position(), cut);
    }
    for (int i = 0; i < 20000; ++i) {
      Bytes bad = Bytes::copy(good.view());
      for (int flips = 0; flips < 2; ++flips) {
        bad.unshared_data()[random.below(bad.size())] = static_cast<std::uint8_t>(random.next());
      }
      LogEntryCursor cursor(bad);
      for (LogEntryView entry; cursor.next(entry);) {
        if (entry.is_batch()) continue;
        auto reader = LegacyReader::open(entry.legacy(), 10000, scratch);
        if (reader.has_value()) read_all(*reader);
      }
    }
  }
}

TEST(LogEntry, WalksAllFormatsInOneSegment) {
  Buffer log;
  put_message(log, 0, 0, 0, 0, std::nullopt, as_bytes("a"));
  log.append(wrapper(1, Codec::kGzip, 0, 3).view());
  BatchOptions options{.base_offset = Offset(4), .leader_epoch = Epoch(2)};
  BatchBuilder builder(options);
  builder.append(Timestamp(1000), std::nullopt, as_bytes("b"));
  builder.append(Timestamp(1001), std::nullopt, as_bytes("c"));
  log.append(builder.build().view());
  LogEntryCursor cursor(log.view());
  LogEntryView entry;
  ASSERT_TRUE(cursor.next(entry));
  EXPECT_EQ(entry.base_offset(), Offset(0));
  EXPECT_EQ(entry.max_timestamp(), kNoTimestamp);
  EXPECT_EQ(entry.leader_epoch(), kNoEpoch);
  ASSERT_TRUE(cursor.next(entry));
  EXPECT_EQ(entry.base_offset(), std::nullopt);
  EXPECT_EQ(entry.last_offset(), Offset(3));
  EXPECT_EQ(entry.max_timestamp(), Timestamp(102));
  ASSERT_TRUE(cursor.next(entry));
  EXPECT_TRUE(entry.is_batch() && entry.crc_ok());
  EXPECT_EQ(entry.base_offset(), Offset(4));
  EXPECT_EQ(entry.last_offset(), Offset(5));
  EXPECT_EQ(entry.leader_epoch(), Epoch(2));
  EXPECT_FALSE(cursor.next(entry));
  EXPECT_EQ(cursor.error(), std::nullopt);
}

}  // namespace
}  // namespace milena::wire
