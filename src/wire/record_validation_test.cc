#include "wire/record_validation.h"

#include <gtest/gtest.h>

#include <string>

#include "base/random.h"
#include "wire/batch_builder.h"
#include "wire/record.h"

namespace milena::wire {
namespace {

constexpr Timestamp kNow{1700000000000};

ValidationOptions standard() {
  ValidationOptions options;
  options.partition = "orders-0";
  options.now = kNow;
  return options;
}

Bytes batch_of(Codec codec, int records = 3, bool keys = true, BatchOptions options = {}) {
  options.codec = codec;
  BatchBuilder builder(options);
  for (int i = 0; i < records; ++i) {
    std::optional<ByteView> key;
    if (keys) key = as_bytes("key");
    builder.append(kNow + i - 10, key, as_bytes("value value value value value"));
  }
  return builder.build();
}

Result<ValidatedBatch, ProduceError> validate(Bytes bytes, const ValidationOptions& options = standard()) {
  CompressionScratch scratch;
  return validate_produce(std::move(bytes), options, scratch);
}

/// The fault of a batch with the big-endian `value` at `at`, its CRC renewed.
template <class T>
ProduceFault fault_with(std::size_t at, T value, const ValidationOptions& options = standard(),
                        Codec codec = Codec::kNone) {
  Bytes bytes = batch_of(codec);
  store_be(bytes.unshared_data() + at, value);
  patch_crc(bytes.unshared_data());
  auto result = validate(bytes, options);
  EXPECT_TRUE(result.failed()) << "at " << at;
  return result.failed() ? result.error().fault : ProduceFault{};
}

TEST(ValidateProduce, AcceptsEveryCodecAsItIs) {
  for (Codec codec : {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
    Bytes bytes = batch_of(codec);
    auto result = validate(bytes);
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(result->bytes.data(), bytes.data());
    EXPECT_FALSE(result->rebuilt);
    EXPECT_EQ(result->count, 3);
    EXPECT_EQ(result->max_timestamp, kNow - 8);
    EXPECT_EQ(result->records_checked, codec == Codec::kNone);
    ValidationOptions deep = standard();
    deep.check_compressed = true;
    auto checked = validate(bytes, deep);
    ASSERT_TRUE(checked.has_value());
    EXPECT_TRUE(checked->records_checked);
    EXPECT_EQ(checked->max_timestamp_delta, 2);
  }
}

TEST(ValidateProduce, TakesExactlyOneBatchOfMagic2) {
  Bytes one = batch_of(Codec::kNone);
  EXPECT_EQ(validate(Bytes()).error().fault, ProduceFault::kInvalidRecord);
  EXPECT_EQ(validate(one.slice(0, one.size() - 1)).error().fault, ProduceFault::kInvalidRecord);
  Buffer two;
  two.append(one.view());
  two.append(one.view());
  EXPECT_EQ(validate(two.freeze()).error().fault, ProduceFault::kInvalidRecord);
  for (std::uint8_t magic : {0, 1}) {
    Bytes old = Bytes::copy(one.view());
    old.unshared_data()[16] = magic;
    EXPECT_EQ(validate(old).error().fault, ProduceFault::kInvalidRecord);
  }
  Bytes unknown = Bytes::copy(one.view());
  unknown.unshared_data()[16] = 3;
  EXPECT_EQ(validate(unknown).error().fault, ProduceFault::kCorruptMessage);
  // A cut batch behind the whole one is dropped.
  Buffer tail;
  tail.append(one.view());
  tail.append(one.view().first(30));
  auto trimmed = validate(tail.freeze());
  ASSERT_TRUE(trimmed.has_value());
  EXPECT_EQ(trimmed->bytes.size(), one.size());
}

TEST(ValidateProduce, ChecksTheHeader) {
  Bytes bytes = batch_of(Codec::kNone);
  bytes.unshared_data()[70] ^= 1;
  EXPECT_EQ(validate(bytes).error().fault, ProduceFault::kCorruptMessage);
  EXPECT_EQ(fault_with(0, std::int64_t{5}), ProduceFault::kInvalidRecord);   // base offset
  EXPECT_EQ(fault_with(57, std::int32_t{0}), ProduceFault::kInvalidRecord);  // count
  EXPECT_EQ(fault_with(57, std::int32_t{-3}), ProduceFault::kInvalidRecord);
  EXPECT_EQ(fault_with(57, std::int32_t{4}), ProduceFault::kInvalidRecord);
  EXPECT_EQ(fault_with(23, std::int32_t{7}), ProduceFault::kInvalidRecord);  // last offset delta
  EXPECT_EQ(fault_with(23, std::int32_t{-1}), ProduceFault::kInvalidRecord);
  EXPECT_EQ(fault_with(21, std::int16_t{0x20}), ProduceFault::kInvalidRecord);  // control
  EXPECT_EQ(fault_with(21, std::int16_t{0x10}), ProduceFault::kInvalidRecord);  // transactional, no producer
  EXPECT_EQ(fault_with(43, std::int64_t{9}), ProduceFault::kInvalidRecord);     // producer, no sequence
  EXPECT_EQ(fault_with(21, std::int16_t{5}), ProduceFault::kUnsupportedCompressionType);
  ValidationOptions small = standard();
  small.batch_bytes_max = 100;
  EXPECT_EQ(validate(batch_of(Codec::kNone), small).error().fault, ProduceFault::kMessageTooLarge);
  ValidationOptions old = standard();
  old.request_version = 6;
  EXPECT_EQ(validate(batch_of(Codec::kZstd), old).error().fault, ProduceFault::kUnsupportedCompressionType);
  EXPECT_TRUE(validate(batch_of(Codec::kLz4), old).has_value());
}

TEST(ValidateProduce, CountAndRecordsMustAgree) {
  Bytes bytes = batch_of(Codec::kNone);
  for (std::int32_t count : {2, 4}) {
    Bytes bad = Bytes::copy(bytes.view());
    store_be(bad.unshared_data() + 57, count);
    store_be(bad.unshared_data() + 23, count - 1);
    patch_crc(bad.unshared_data());
    EXPECT_EQ(validate(bad).error().fault, ProduceFault::kInvalidRecord) << count;
  }
}

TEST(ValidateProduce, RefusesLz4ThatNoJavaClientReads) {
  constexpr std::int16_t kDependentBlocks = 0x4040;  // the frame's flags without 0x20, and its block size as it was
  EXPECT_EQ(fault_with(kBatchHeader + 4, kDependentBlocks, standard(), Codec::kLz4), ProduceFault::kInvalidRecord);
}

TEST(ValidateProduce, CompactedTopicsWantKeys) {
  ValidationOptions options = standard();
  options.compacted = true;
  for (Codec codec : {Codec::kNone, Codec::kLz4}) {
    auto result = validate(batch_of(codec, 5, false), options);
    ASSERT_TRUE(result.failed());
    EXPECT_EQ(result.error().fault, ProduceFault::kInvalidRecord);
    ASSERT_EQ(result.error().records.size(), 5U);
    EXPECT_EQ(result.error().records[4].batch_index, 4);
    EXPECT_TRUE(validate(batch_of(codec, 5, true), options).has_value());
  }
}

TEST(ValidateProduce, TimestampsMustLieWithinTheTopicsBounds) {
  ValidationOptions options = standard();
  options.timestamp_before_max_ms = 9;
  for (Codec codec : {Codec::kNone, Codec::kZstd}) {
    auto result = validate(batch_of(codec), options);  // the first record is 10 ms old
    ASSERT_TRUE(result.failed());
    EXPECT_EQ(result.error().fault, ProduceFault::kInvalidTimestamp);
    ASSERT_EQ(result.error().records.size(), 1U);
    EXPECT_EQ(result.error().records[0].batch_index, 0);
  }
  // An old record behind younger ones: only the records tell of it.
  BatchBuilder builder({.codec = Codec::kLz4});
  for (int age : {0, 30, 0}) builder.append(kNow - age, as_bytes("key"), as_bytes("value"));
  auto hidden = validate(builder.build(), options);
  ASSERT_TRUE(hidden.failed());
  EXPECT_EQ(hidden.error().records.at(0).batch_index, 1);
  ValidationOptions future = standard();
  future.now = kNow - 4000000;
  EXPECT_EQ(validate(batch_of(Codec::kGzip), future).error().fault, ProduceFault::kInvalidTimestamp);
  future.timestamp_after_max_ms = 5000000;
  EXPECT_TRUE(validate(batch_of(Codec::kGzip), future).has_value());
  // Producers may not claim log append time where the topic stamps itself.
  ValidationOptions stamping = standard();
  stamping.timestamp_type = TimestampType::kLogAppendTime;
  EXPECT_EQ(fault_with(21, std::int16_t{8}, stamping), ProduceFault::kInvalidTimestamp);
}

TEST(ValidateProduce, StampsLogAppendTimeAndCorrectsMaxTimestamp) {
  ValidationOptions options = standard();
  options.timestamp_type = TimestampType::kLogAppendTime;
  for (Codec codec : {Codec::kNone, Codec::kSnappy}) {
    auto result = validate(batch_of(codec), options);
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(result->view().max_timestamp(), kNow);
    EXPECT_EQ(result->view().timestamp_type(), TimestampType::kLogAppendTime);
    EXPECT_TRUE(result->view().crc_ok());
    EXPECT_EQ(result->view().codec(), codec);
  }
  Bytes wrong = batch_of(Codec::kNone);
  patch_max_timestamp(wrong.unshared_data(), TimestampType::kCreateTime, kNow + 5000);
  auto result = validate(wrong);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->view().max_timestamp(), kNow - 8);
  EXPECT_TRUE(result->view().crc_ok());
}

TEST(ValidateProduce, RecompressesToTheTopicsCodec) {
  BatchOptions producer{
      .producer_id = ProducerId(5), .producer_epoch = 0, .base_sequence = 17, .transactional = true};
  for (Codec from : {Codec::kNone, Codec::kGzip, Codec::kZstd}) {
    for (Codec to : {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
      ValidationOptions options = standard();
      options.codec = to;
      options.level = to == Codec::kZstd ? std::optional<int>(1) : std::nullopt;
      auto result = validate(batch_of(from, 100, true, producer), options);
      ASSERT_TRUE(result.has_value());
      EXPECT_EQ(result->rebuilt, from != to);
      BatchView view = result->view();
      EXPECT_TRUE(view.crc_ok());
      EXPECT_EQ(view.codec(), to);
      EXPECT_EQ(view.base_sequence(), 17);
      EXPECT_TRUE(view.transactional());
      EXPECT_EQ(view.records_count(), 100);
      EXPECT_TRUE(validate(result->bytes,
                           [] {
                             auto deep = standard();
                             deep.check_compressed = true;
                             return deep;
                           }())
                      .has_value());
    }
  }
}

TEST(ValidateProduce, PutsOffsetDeltasInStep) {
  for (Codec codec : {Codec::kNone, Codec::kGzip}) {
    BatchOptions options{.codec = codec};
    BatchBuilder builder(options);
    builder.append_at(Offset(4), kNow, as_bytes("a"), as_bytes("1"));
    builder.append_at(Offset(9), kNow, as_bytes("b"), as_bytes("2"));
    Bytes bytes = builder.build();
    store_be(bytes.unshared_data() + 23, std::int32_t{1});
    patch_crc(bytes.unshared_data());
    ValidationOptions check = standard();
    check.check_compressed = true;
    auto result = validate(bytes, check);
    ASSERT_TRUE(result.has_value());
    EXPECT_TRUE(result->rebuilt);
    EXPECT_EQ(result->view().codec(), codec);
    EXPECT_EQ(result->view().last_offset_delta(), 1);
    check.codec = Codec::kNone;
    auto plain = validate(result->bytes, check);
    ASSERT_TRUE(plain.has_value());
    RecordReader reader(plain->view());
    RecordView record;
    for (std::int32_t i = 0; reader.next(record); ++i) EXPECT_EQ(record.offset_delta, i);
  }
}

TEST(ValidateProduce, BombsAndBrokenDataAreDefiniteErrors) {
  BatchOptions options{.codec = Codec::kZstd};
  BatchBuilder builder(options);
  std::string zeros(4 << 20, '\0');
  builder.append(kNow, as_bytes("k"), as_bytes(zeros));
  ValidationOptions check = standard();
  check.check_compressed = true;
  check.decompressed_bytes_max = 1 << 20;
  EXPECT_EQ(validate(builder.build(), check).error().fault, ProduceFault::kMessageTooLarge);

  EXPECT_EQ(decompressed_limit(1), 16u << 20);
  EXPECT_EQ(decompressed_limit(1 << 20), 32u << 20);
  EXPECT_EQ(decompressed_limit(std::numeric_limits<std::int32_t>::max()), 128u << 20);

  Bytes broken = batch_of(Codec::kGzip);
  broken.unshared_data()[75] ^= 0xff;
  patch_crc(broken.unshared_data());
  EXPECT_EQ(validate(broken, check).error().fault, ProduceFault::kInvalidRecord);
  EXPECT_TRUE(validate(broken).has_value());  // by default nobody looks inside
}

// Whatever a client sends, the answer is a batch or an error, and what is accepted is whole.
TEST(ValidateProduce, HostileBatchesNeverCrash) {
  Random random(21);
  for (Codec codec : {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
    Bytes good = batch_of(codec);
    for (std::size_t cut = 0; cut < good.size(); ++cut) {
      EXPECT_TRUE(validate(Bytes::copy(good.view().first(cut))).failed());
    }
    ValidationOptions deep = standard();
    deep.check_compressed = true;
    deep.decompressed_bytes_max = 1 << 20;
    CompressionScratch scratch;
    for (int i = 0; i < 20000; ++i) {
      Bytes bad = Bytes::copy(good.view());
      for (std::uint64_t flips = random.below(3) + 1; flips > 0; --flips) {
        std::size_t at = random.below(bad.size() - 17) + 17;
        bad.unshared_data()[at] = static_cast<std::uint8_t>(random.next());
      }
      patch_crc(bad.unshared_data());
      deep.compacted = random.one_in(2);
      deep.codec =
          random.one_in(2) ? std::optional<Codec>(static_cast<Codec>(random.below(5))) : std::nullopt;
      deep.timestamp_type = random.one_in(4) ? TimestampType::kLogAppendTime : TimestampType::kCreateTime;
      auto result = validate_produce(bad, deep, scratch);
      if (result.failed()) continue;
      EXPECT_TRUE(result->view().crc_ok());
      EXPECT_EQ(result->view().records_count() - 1, result->view().last_offset_delta());
    }
  }
}

}  // namespace
}  // namespace milena::wire
