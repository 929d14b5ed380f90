#include "wire/record_batch.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "wire/batch_builder.h"
#include "wire/control_record.h"
#include "wire/record.h"

namespace milena::wire {
namespace {

Bytes sample(const BatchOptions& options = {}) {
  BatchBuilder builder(options);
  std::uint8_t raw[] = {0, 1, 2};
  RecordHeader headers[] = {{"trace", as_bytes("abc")}, {"", std::nullopt}, {"bin", ByteView(raw)}};
  builder.append(Timestamp(1000), as_bytes("key"), as_bytes("value"));
  builder.append(Timestamp(900), std::nullopt, as_bytes(""));
  builder.append(Timestamp(70000), as_bytes(""), std::nullopt, headers);
  builder.append_at(builder.next_offset() + 5, Timestamp(1001), as_bytes("k"),
                    as_bytes(std::string(300, 'x')));
  return builder.build();
}

std::vector<RecordView> records_of(const BatchView& batch, ByteView payload) {
  std::vector<RecordView> records;
  RecordReader reader(batch, payload);
  for (RecordView record; reader.next(record);) records.push_back(record);
  EXPECT_FALSE(reader.error().has_value());
  return records;
}

TEST(RecordBatch, BuilderAndViewsAgree) {
  for (Codec codec : {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
    BatchOptions options{.codec = codec,
                         .base_offset = Offset(5000000000),
                         .leader_epoch = Epoch(7),
                         .producer_id = ProducerId(1LL << 40),
                         .producer_epoch = 3,
                         .base_sequence = 2147483645,
                         .transactional = true};
    Bytes bytes = sample(options);
    auto batch = BatchView::parse(bytes);
    ASSERT_TRUE(batch.has_value());
    EXPECT_TRUE(batch->crc_ok());
    EXPECT_EQ(batch->size(), bytes.size());
    EXPECT_EQ(batch->base_offset(), Offset(5000000000));
    EXPECT_EQ(batch->last_offset_delta(), 8);
    EXPECT_EQ(batch->next_offset(), Offset(5000000009));
    EXPECT_EQ(batch->leader_epoch(), Epoch(7));
    EXPECT_EQ(batch->codec(), codec);
    EXPECT_EQ(batch->base_timestamp(), Timestamp(1000));
    EXPECT_EQ(batch->max_timestamp(), Timestamp(70000));
    EXPECT_EQ(batch->records_count(), 4);
    EXPECT_TRUE(batch->transactional());
    EXPECT_FALSE(batch->control());
    EXPECT_EQ(batch->delete_horizon(), std::nullopt);
    EXPECT_EQ(batch->last_sequence(), 5);  // wraps
    CompressionScratch scratch;
    Buffer payload;
    ASSERT_TRUE(decompress(codec, batch->payload(), {.bytes_max = 10000}, payload, scratch).has_value());
    auto records = records_of(*batch, payload.view());
    ASSERT_EQ(records.size(), 4U);
    EXPECT_EQ(as_text(*records[0].key), "key");
    EXPECT_EQ(as_text(*records[0].value), "value");
    EXPECT_EQ(records[1].key, std::nullopt);
    EXPECT_TRUE(records[1].value.has_value() && records[1].value->empty());
    EXPECT_EQ(records[1].timestamp, Timestamp(900));
    EXPECT_TRUE(records[2].key.has_value() && records[2].key->empty());
    EXPECT_EQ(records[2].value, std::nullopt);
    EXPECT_EQ(records[3].offset, Offset(5000000008));
    HeadersView::Cursor headers(records[2].headers);
    RecordHeader header;
    ASSERT_TRUE(headers.next(header));
    EXPECT_EQ(header.key, "trace");
    EXPECT_EQ(as_text(*header.value), "abc");
    ASSERT_TRUE(headers.next(header));
    EXPECT_EQ(header.key, "");
    EXPECT_EQ(header.value, std::nullopt);
    ASSERT_TRUE(headers.next(header));
    EXPECT_EQ(header.value->size(), 3U);
    EXPECT_FALSE(headers.next(header));
  }
}

TEST(RecordBatch, PatchesStayOutsideTheCrcOrRenewIt) {
  Bytes bytes = sample();
  auto batch = BatchView::parse(bytes);
  ASSERT_TRUE(batch.has_value());
  std::uint32_t crc = batch->crc();
  patch_base_offset(bytes.unshared_data(), Offset(77));
  patch_leader_epoch(bytes.unshared_data(), Epoch(9));
  EXPECT_EQ(batch->base_offset(), Offset(77));
  EXPECT_EQ(batch->leader_epoch(), Epoch(9));
  EXPECT_EQ(batch->crc(), crc);
  EXPECT_TRUE(batch->crc_ok());
  patch_max_timestamp(bytes.unshared_data(), TimestampType::kLogAppendTime, Timestamp(123456));
  EXPECT_NE(batch->crc(), crc);
  EXPECT_TRUE(batch->crc_ok());
  EXPECT_EQ(batch->timestamp_type(), TimestampType::kLogAppendTime);
  for (const RecordView& record : records_of(*batch, batch->payload())) {
    EXPECT_EQ(record.timestamp, Timestamp(123456));
  }
}

TEST(RecordBatch, CursorTellsWhereTheValidPrefixEnds) {
  Bytes one = sample();
  Buffer log;
  log.append(one.view());
  log.append(one.view());
  log.append(one.view());
  for (std::size_t cut = 0; cut <= log.size(); ++cut) {
    BatchCursor cursor(log.view().first(cut));
    std::size_t batches = 0;
    for (BatchView batch; cursor.next(batch);) ++batches;
    EXPECT_EQ(batches, cut / one.size());
    EXPECT_EQ(cursor.position(), batches * one.size());
    if (cut % one.size() == 0) {
      EXPECT_EQ(cursor.error(), std::nullopt);
    } else {
      EXPECT_EQ(cursor.error(), BatchError::kIncomplete);
    }
  }
}

TEST(RecordBatch, ParseNamesWhatIsWrong) {
  Bytes bytes = sample();
  auto with = [&](std::size_t at, std::initializer_list<std::uint8_t> patch) {
    Bytes copy = Bytes::copy(bytes.view());
    std::copy(patch.begin(), patch.end(), copy.unshared_data() + at);
    return BatchView::parse(copy).error();
  };
  EXPECT_EQ(with(8, {0, 0, 0, 13}), BatchError::kTooSmall);
  EXPECT_EQ(with(8, {0, 0, 0, 48}), BatchError::kTooSmall);
  EXPECT_EQ(with(8, {0xff, 0xff, 0xff, 0xff}), BatchError::kTooSmall);
  EXPECT_EQ(with(8, {0x7f, 0xff, 0xff, 0xff}), BatchError::kIncomplete);
  EXPECT_EQ(with(16, {3}), BatchError::kBadMagic);
  EXPECT_EQ(with(16, {0xff}), BatchError::kBadMagic);
  EXPECT_EQ(with(16, {1}), BatchError::kLegacyFormat);
}

TEST(RecordBatch, EveryFlippedBitBehindTheEpochIsSeen) {
  Bytes bytes = sample();
  for (std::size_t bit = 16 * 8; bit < bytes.size() * 8; ++bit) {
    bytes.unshared_data()[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    auto batch = BatchView::parse(bytes);
    EXPECT_TRUE(batch.failed() || !batch->crc_ok()) << bit;
    bytes.unshared_data()[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
  }
}

// Whatever the payload holds, the walk ends, and all views lie inside it.
TEST(RecordReader, HostilePayloadsNeverLeadOutside) {
  Bytes bytes = sample();
  auto batch = BatchView::parse(bytes);
  ASSERT_TRUE(batch.has_value());
  auto inside = [](ByteView view, ByteView payload) {
    return view.empty() ||
           (view.data() >= payload.data() && view.data() + view.size() <= payload.data() + payload.size());
  };
  auto walk = [&](ByteView payload) {
    RecordReader reader(*batch, payload);
    for (RecordView record; reader.next(record);) {
      EXPECT_TRUE(inside(record.key.value_or(ByteView{}), payload));
      EXPECT_TRUE(inside(record.value.value_or(ByteView{}), payload));
      HeadersView::Cursor headers(record.headers);
      for (RecordHeader header; headers.next(header);) EXPECT_TRUE(inside(as_bytes(header.key), payload));
    }
    return reader.error();
  };
  EXPECT_EQ(walk(batch->payload()), std::nullopt);
  for (std::size_t cut = 0; cut < batch->payload().size(); ++cut) {
    Bytes exact = Bytes::copy(batch->payload().first(cut));  // so that a sanitizer sees a step too far
    EXPECT_TRUE(walk(exact).has_value()) << cut;
  }
  Random random(4);
  for (int i = 0; i < 50000; ++i) {
    Bytes bad = Bytes::copy(batch->payload());
    for (std::uint64_t flips = random.below(3) + 1; flips > 0; --flips) {
      bad.unshared_data()[random.below(bad.size())] = static_cast<std::uint8_t>(random.next());
    }
    walk(bad);
  }
}

TEST(RecordReader, NamesWhatIsWrongWithARecord) {
  Bytes bytes = sample();
  std::uint8_t* count = bytes.unshared_data() + 57;
  auto walk = [&](std::initializer_list<std::uint8_t> payload, std::int32_t records) {
    store_be(count, records);
    auto batch = BatchView::parse(bytes);
    std::vector<std::uint8_t> copy(payload);
    RecordReader reader(*batch, copy);
    for (RecordView record; reader.next(record);) {
    }
    return reader.error();
  };
  EXPECT_EQ(walk({12, 0, 0, 0, 1, 1, 0}, 1), std::nullopt);
  EXPECT_EQ(walk({12, 0, 0, 0, 1, 1, 0}, -1), RecordError::kNegativeCount);
  EXPECT_EQ(walk({12, 0, 0, 0, 1, 1, 0}, 2), RecordError::kMissingRecords);
  EXPECT_EQ(walk({12, 0, 0, 0, 1, 1, 0, 0}, 1), RecordError::kTrailingBytes);
  EXPECT_EQ(walk({12, 0, 0, 0, 1, 1, 0}, 0), RecordError::kTrailingBytes);
  EXPECT_EQ(walk({14, 0, 0, 0, 1, 1, 0}, 1), RecordError::kBadLength);         // longer than the payload
  EXPECT_EQ(walk({14, 0, 0, 0, 1, 1, 0, 0}, 1), RecordError::kBadLength);      // longer than its fields
  EXPECT_EQ(walk({11, 0, 0, 0, 1, 1, 0}, 1), RecordError::kBadLength);         // negative
  EXPECT_EQ(walk({10, 0, 0, 0, 1, 1, 0}, 1), RecordError::kBadVarint);         // ends before the headers
  EXPECT_EQ(walk({12, 0, 0, 0, 20, 1, 0}, 1), RecordError::kBadField);         // key past the record
  EXPECT_EQ(walk({12, 0, 0, 0, 1, 1, 1}, 1), RecordError::kBadHeaders);        // -1 headers
  EXPECT_EQ(walk({12, 0, 0, 0, 1, 1, 40}, 1), RecordError::kBadHeaders);       // more headers than bytes
  EXPECT_EQ(walk({16, 0, 0, 0, 1, 1, 2, 1, 1}, 1), RecordError::kBadHeaders);  // null header key
  EXPECT_EQ(walk({0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 1), RecordError::kBadVarint);
}

TEST(ControlRecord, MarkersAndKeysReadBack) {
  Bytes bytes = make_end_txn_batch(
      {.commit = true, .coordinator_epoch = 12, .producer_id = ProducerId(4), .producer_epoch = 2}, Offset(9),
      Epoch(1), Timestamp(55));
  auto batch = BatchView::parse(bytes);
  ASSERT_TRUE(batch.has_value());
  EXPECT_TRUE(batch->control() && batch->transactional() && batch->crc_ok());
  EXPECT_EQ(batch->base_sequence(), -1);
  auto records = records_of(*batch, batch->payload());
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(parse_control_key(*records[0].key), static_cast<std::int16_t>(ControlType::kCommit));
  EXPECT_EQ(parse_end_txn_value(*records[0].value), 12);
  EXPECT_EQ(parse_control_key(as_bytes("abc")), std::nullopt);
  EXPECT_EQ(parse_end_txn_value(as_bytes("abcde")), std::nullopt);
}

TEST(BatchBuilder, KeepsTheRangeThatCompactionLeaves) {
  BatchOptions options{.base_offset = Offset(10), .delete_horizon = Timestamp(500)};
  BatchBuilder builder(options);
  builder.append_at(Offset(12), Timestamp(100), as_bytes("k"), std::nullopt);
  builder.set_last_offset(Offset(20));
  Bytes bytes = builder.build();
  auto batch = BatchView::parse(bytes);
  ASSERT_TRUE(batch.has_value());
  EXPECT_EQ(batch->last_offset(), Offset(20));
  EXPECT_EQ(batch->delete_horizon(), Timestamp(500));
  auto records = records_of(*batch, batch->payload());
  EXPECT_EQ(records[0].timestamp, Timestamp(100));
  EXPECT_EQ(records[0].offset, Offset(12));

  Bytes empty = make_empty_batch(
      {.base_offset = Offset(3), .producer_id = ProducerId(8), .producer_epoch = 1, .base_sequence = 4},
      Offset(6), Timestamp(700));
  auto view = BatchView::parse(empty);
  ASSERT_TRUE(view.has_value());
  EXPECT_TRUE(view->crc_ok());
  EXPECT_EQ(view->size(), kBatchHeader);
  EXPECT_EQ(view->last_offset(), Offset(6));
  EXPECT_EQ(view->last_sequence(), 7);
  EXPECT_TRUE(records_of(*view, view->payload()).empty());
}

}  // namespace
}  // namespace milena::wire
