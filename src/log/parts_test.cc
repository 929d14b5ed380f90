// The parts of a log: epoch cache, producer state, indexes.
#include <gmock/gmock.h>

#include "base/crc32c.h"
#include "base/endian.h"
#include "log/epoch_cache.h"
#include "log/log_fixture.h"
#include "log/producer_state.h"
#include "log/segment.h"
#include "log/segment_index.h"

namespace milena::log {
namespace {

using ::testing::ElementsAre;

EpochCache cache_of(std::vector<EpochEntry> entries) {
  EpochCache cache;
  for (const EpochEntry& entry : entries) EXPECT_TRUE(cache.assign(entry.epoch, entry.start_offset));
  return cache;
}

TEST(SegmentFileName, is_that_of_its_offset_alone) {
  EXPECT_EQ(parse_segment_file_name("00000000000000000042.log", ".log"), Offset(42));
  EXPECT_EQ(parse_segment_file_name("09223372036854775807.log", ".log"), Offset(INT64_MAX));
  for (const char* name :
       {"-0000000000000000000.log", "-0000000000000000001.log", "+0000000000000000001.log",
        "09223372036854775808.log", "0000000000000000042.log", "00000000000000000042.index", ".log"}) {
    EXPECT_EQ(parse_segment_file_name(name, ".log"), std::nullopt) << name;
  }
}

TEST(EpochCache, answers_offset_for_leader_epoch) {
  EpochCache cache = cache_of({{Epoch(2), Offset(10)}, {Epoch(5), Offset(30)}, {Epoch(6), Offset(30)}});
  EXPECT_THAT(cache.entries(),
              ElementsAre(EpochEntry{Epoch(2), Offset(10)}, EpochEntry{Epoch(6), Offset(30)}))
      << "an epoch without records gives way to the next one that begins there";
  EXPECT_EQ(cache.end_offset_for(Epoch(6), Offset(40)), (EpochEnd{Epoch(6), Offset(40)}));
  EXPECT_EQ(cache.end_offset_for(Epoch(2), Offset(40)), (EpochEnd{Epoch(2), Offset(30)}));
  EXPECT_EQ(cache.end_offset_for(Epoch(4), Offset(40)), (EpochEnd{Epoch(2), Offset(30)}))
      << "the largest one below";
  EXPECT_EQ(cache.end_offset_for(Epoch(1), Offset(40)), (EpochEnd{Epoch(1), Offset(10)}));
  EXPECT_EQ(cache.end_offset_for(Epoch(7), Offset(40)), EpochEnd{}) << "unknown";
  EXPECT_EQ(cache.end_offset_for(kNoEpoch, Offset(40)), EpochEnd{});
  EXPECT_EQ(cache.epoch_at(Offset(9)), std::nullopt);
  EXPECT_EQ(cache.epoch_at(Offset(29)), Epoch(2));
  EXPECT_EQ(cache.epoch_at(Offset(30)), Epoch(6));
}

TEST(EpochCache, truncates_at_both_ends) {
  EpochCache cache = cache_of({{Epoch(1), Offset(0)}, {Epoch(2), Offset(10)}, {Epoch(3), Offset(20)}});
  EXPECT_FALSE(cache.truncate_from_end(Offset(21)));
  EXPECT_TRUE(cache.truncate_from_end(Offset(20)));
  EXPECT_TRUE(cache.truncate_from_start(Offset(5)));
  EXPECT_THAT(cache.entries(),
              ElementsAre(EpochEntry{Epoch(1), Offset(5)}, EpochEntry{Epoch(2), Offset(10)}));
  EXPECT_TRUE(cache.truncate_from_start(Offset(10)));
  EXPECT_THAT(cache.entries(), ElementsAre(EpochEntry{Epoch(2), Offset(10)}));
  EXPECT_FALSE(cache.truncate_from_start(Offset(10)));
  EXPECT_TRUE(cache.truncate_from_start(Offset(50)));
  EXPECT_THAT(cache.entries(), ElementsAre(EpochEntry{Epoch(2), Offset(50)}));
}

TEST(EpochCache, file_form) {
  EpochCache cache = cache_of({{Epoch(1), Offset(0)}, {Epoch(2), Offset(10)}});
  EXPECT_EQ(cache.format(), "0\n2\n1 0\n2 10\n");
  EXPECT_EQ(EpochCache::parse(cache.format())->entries(), cache.entries());
  EXPECT_TRUE(EpochCache::parse("0\n0\n")->entries().empty());
  EXPECT_TRUE(EpochCache::parse("")->entries().empty()) << "as Kafka leaves it when killed early";
  for (const char* bad :
       {"\n", "1\n0\n", "0\n2\n1 0\n", "0\n1\n1 0\n2 0\n", "0\n1\n1\n", "0\n1\n-1 0\n", "0\n1\nx 0\n",
        "0\n2\n2 0\n1 10\n", "0\n2\n1 10\n2 10\n", "0\n99999999999999999999\n"}) {
    EXPECT_TRUE(EpochCache::parse(bad).failed()) << bad;
  }
}

class Producers : public ::testing::Test {
 protected:
  LogResult<void> append(const BatchSpec& spec, AppendOrigin origin = AppendOrigin::kClient) {
    Bytes bytes = make_batch(spec);
    auto batch = *wire::BatchView::parse(bytes.view());
    TRY(state.check(batch, origin));
    state.apply(batch);
    return {};
  }
  LogErrorKind refused(const BatchSpec& spec, AppendOrigin origin = AppendOrigin::kClient) {
    auto result = append(spec, origin);
    EXPECT_TRUE(result.failed());
    return result.failed() ? result.error().kind : LogErrorKind::kIo;
  }
  ProducerState state;
};

TEST_F(Producers, sequences_must_follow_and_wrap) {
  EXPECT_TRUE(append({.count = 3, .producer_id = 1, .sequence = 2147483644}).has_value())
      << "an unknown one begins anywhere";
  EXPECT_EQ(refused({.producer_id = 1, .sequence = 0}), LogErrorKind::kOutOfOrderSequence);
  EXPECT_TRUE(append({.count = 2, .producer_id = 1, .sequence = 2147483647, .base = Offset(3)}).has_value());
  EXPECT_EQ(state.find(ProducerId(1))->last_sequence(), 0);
  EXPECT_EQ(state.find(ProducerId(1))->last().first_sequence(), 2147483647);
  EXPECT_TRUE(append({.producer_id = 1, .sequence = 1, .base = Offset(5)}).has_value());
  Bytes again = make_batch({.count = 2, .producer_id = 1, .sequence = 2147483647});
  const ProducerBatch* known = state.find_duplicate(*wire::BatchView::parse(again.view()));
  ASSERT_NE(known, nullptr);
  EXPECT_EQ(known->first_offset(), Offset(3));
}

TEST_F(Producers, epochs_only_rise_and_begin_with_sequence_zero) {
  EXPECT_TRUE(append({.producer_id = 1, .producer_epoch = 3, .sequence = 0}).has_value());
  EXPECT_EQ(refused({.producer_id = 1, .producer_epoch = 2, .sequence = 1}),
            LogErrorKind::kInvalidProducerEpoch);
  EXPECT_EQ(refused({.producer_id = 1, .producer_epoch = 4, .sequence = 1}),
            LogErrorKind::kOutOfOrderSequence);
  EXPECT_TRUE(append({.producer_id = 1, .producer_epoch = 4, .sequence = 0}).has_value());
  EXPECT_EQ(refused({.producer_id = 1, .producer_epoch = 3, .sequence = 1}, AppendOrigin::kCoordinator),
            LogErrorKind::kInvalidProducerEpoch);
  EXPECT_TRUE(
      append({.producer_id = 1, .producer_epoch = 4, .sequence = 9}, AppendOrigin::kCoordinator).has_value())
      << "a coordinator's batches have no sequences to check";
}

TEST_F(Producers, markers_are_fenced_by_coordinator_and_producer_epoch) {
  auto check = [&](std::int16_t epoch, std::int32_t coordinator, std::int16_t version = 0) {
    Bytes bytes = make_marker(1, true, epoch, coordinator);
    auto batch = *wire::BatchView::parse(bytes.view());
    auto result = state.check(batch, AppendOrigin::kCoordinator, version);
    return result.failed() ? std::optional(result.error().kind) : std::nullopt;
  };
  ASSERT_TRUE(append({.producer_id = 1, .producer_epoch = 2, .transactional = true}).has_value());
  EXPECT_EQ(check(1, 5), LogErrorKind::kInvalidProducerEpoch);
  EXPECT_EQ(check(2, 5), std::nullopt);
  EXPECT_EQ(check(2, 5, 2), LogErrorKind::kInvalidProducerEpoch)
      << "transaction version 2 raises the epoch first";
  EXPECT_EQ(check(3, 5, 2), std::nullopt);
  Bytes marker = make_marker(1, false, 3, 5);
  auto txn = state.apply(*wire::BatchView::parse(marker.view()));
  ASSERT_TRUE(txn.has_value());
  EXPECT_TRUE(txn->aborted);
  state.complete_txn(*txn);
  EXPECT_EQ(check(3, 4), LogErrorKind::kCoordinatorFenced);
  EXPECT_EQ(check(3, 5, 2), std::nullopt) << "the same marker again";
}

TEST_F(Producers, snapshot_keeps_the_last_batch_and_the_open_transaction) {
  ASSERT_TRUE(append({.count = 2, .timestamp = Timestamp(100), .producer_id = 1, .sequence = 4}).has_value());
  ASSERT_TRUE(
      append({.timestamp = Timestamp(200), .producer_id = 2, .transactional = true, .base = Offset(9)})
          .has_value());
  std::string file = state.snapshot();
  ASSERT_EQ(file.size(), 10U + 2 * 46);
  EXPECT_EQ(load_be<std::int16_t>(as_bytes(file).data()), 1);
  ProducerState loaded;
  ASSERT_TRUE(loaded.load_snapshot(file, Timestamp(300), 1000).has_value());
  EXPECT_EQ(loaded.snapshot(), file);
  EXPECT_EQ(loaded.find(ProducerId(1))->last_sequence(), 5);
  EXPECT_EQ(loaded.first_unstable_offset(), Offset(9));
  ASSERT_TRUE(loaded.load_snapshot(file, Timestamp(1150), 1000).has_value());
  EXPECT_EQ(loaded.find(ProducerId(1)), nullptr) << "expired";
  ASSERT_TRUE(loaded.load_snapshot(file, Timestamp(90000), 1000).has_value());
  EXPECT_NE(loaded.find(ProducerId(2)), nullptr) << "never with an open transaction";
  for (std::size_t i = 0; i < file.size(); ++i) {
    std::string bad = file;
    bad[i] ^= 1;
    EXPECT_TRUE(loaded.load_snapshot(bad, Timestamp(0), 1000).failed()) << i;
    EXPECT_TRUE(loaded.load_snapshot(file.substr(0, i), Timestamp(0), 1000).failed()) << i;
    EXPECT_TRUE(loaded.empty());
  }
}

TEST(SegmentIndex, round_trips_and_looks_up) {
  SegmentIndex index(Offset(100));
  for (int i = 0; i < 50; ++i) {
    index.add(Offset(100 + 2 * i + 1), static_cast<std::uint64_t>(i) * 60, 60,
              Timestamp(i % 10 == 0 ? 5000 + i : 1), 100);
  }
  index.add_aborted({ProducerId(1), Offset(100), Offset(120), Offset(121)});
  auto again =
      SegmentIndex::parse(Offset(100), index.format_offsets(), index.format_times(), index.format_txns());
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->offsets(), index.offsets());
  EXPECT_EQ(again->times(), index.times()) << "the closing entry was there already";
  EXPECT_EQ(again->txns(), index.txns());
  EXPECT_EQ(again->max_timestamp(), Timestamp(5040));
  for (int i = 0; i < 50; ++i) {
    for (int k = 0; k < 2; ++k) {
      std::uint64_t position = index.position_before(Offset(100 + 2 * i + k));
      EXPECT_LE(position, static_cast<std::uint64_t>(i) * 60);
      EXPECT_LE(static_cast<std::uint64_t>(i) * 60 - position, 180U);
    }
  }
  index.truncate_to(Offset(150));
  for (const OffsetIndexEntry& entry : index.offsets()) EXPECT_LT(entry.relative_offset, 50U);
  EXPECT_EQ(index.txns().size(), 1U);
  index.truncate_to(Offset(120));
  EXPECT_TRUE(index.txns().empty());
}

TEST(SegmentIndex, refuses_what_is_no_index) {
  std::string zeros(80, '\0');
  EXPECT_TRUE(SegmentIndex::parse(Offset(0), zeros, "", "").failed()) << "Kafka's space set aside";
  EXPECT_TRUE(SegmentIndex::parse(Offset(0), "", zeros.substr(0, 24), "").failed());
  EXPECT_TRUE(SegmentIndex::parse(Offset(0), zeros.substr(0, 7), "", "").failed());
  EXPECT_TRUE(SegmentIndex::parse(Offset(0), "", zeros.substr(0, 13), "").failed());
  EXPECT_TRUE(SegmentIndex::parse(Offset(0), "", "", zeros.substr(0, 33)).failed());
  EXPECT_TRUE(SegmentIndex::parse(Offset(0), "", "", "").has_value());
}

}  // namespace
}  // namespace milena::log
