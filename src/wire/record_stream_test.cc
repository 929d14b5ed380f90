// A payload taken in pieces must look as it does in one.
#include "wire/record_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/random.h"
#include "wire/batch_builder.h"

namespace milena::wire {
namespace {

struct Seen {
  std::vector<std::string> records;
  std::optional<RecordError> error;
  bool operator==(const Seen&) const = default;
};

std::string text_of(const RecordView& record) {
  return std::to_string(record.offset.value()) + "@" + std::to_string(record.timestamp.value()) + " " +
         std::to_string(record.offset_delta) + (record.key.has_value() ? " key" : "") +
         (record.value.has_value() ? " value" : "");
}

Seen at_once(const BatchView& batch, ByteView payload) {
  Seen seen;
  RecordReader reader(batch, payload);
  RecordView record;
  while (reader.next(record)) seen.records.push_back(text_of(record));
  seen.error = reader.error();
  return seen;
}

// As a decompressor gives it: what is not taken comes again with more behind it.
Seen in_pieces(const BatchView& batch, ByteView payload, Random& random, std::size_t piece_max,
               std::size_t* most = nullptr) {
  Seen seen;
  RecordStream stream(batch, [&](const RecordView& record) { seen.records.push_back(text_of(record)); });
  Buffer window;
  std::size_t at = 0;
  while (at < payload.size()) {
    std::size_t n = std::min<std::size_t>(1 + random.below(piece_max), payload.size() - at);
    window.append(payload.subspan(at, n));
    at += n;
    std::size_t taken = stream.take(window.view());
    if (most != nullptr) *most = std::max(*most, window.size());
    Buffer rest;
    rest.append(window.view().subspan(taken));
    window = std::move(rest);
  }
  seen.error = stream.finish(window.view());
  return seen;
}

std::string some(Random& random, std::size_t size) {
  return std::string(size, static_cast<char>('a' + random.below(26)));
}

Bytes random_batch(Random& random, std::size_t large) {
  BatchBuilder builder{BatchOptions{}};
  int count = 1 + static_cast<int>(random.below(20));
  for (int i = 0; i < count; ++i) {
    auto size = [&] { return large > 0 && random.below(4) == 0 ? large + random.below(large) : random.below(40); };
    std::string key = some(random, size());
    std::string value = some(random, size());
    std::string name = some(random, random.below(20));
    std::string header = some(random, size());
    std::vector<RecordHeader> headers;
    for (std::uint64_t n = random.below(3); n > 0; --n) headers.push_back({name, as_bytes(header)});
    builder.append(Timestamp(1000 + i), random.below(3) == 0 ? std::optional<ByteView>() : as_bytes(key),
                   random.below(3) == 0 ? std::optional<ByteView>() : as_bytes(value), headers);
  }
  return builder.build();
}

TEST(RecordStream, pieces_look_as_the_whole) {
  Random random(7);
  for (int round = 0; round < 300; ++round) {
    Bytes bytes = random_batch(random, 0);
    auto batch = BatchView::parse(bytes);
    ASSERT_TRUE(batch.has_value());
    EXPECT_EQ(in_pieces(*batch, batch->payload(), random, 1 + random.below(100)), at_once(*batch, batch->payload()));
  }
}

TEST(RecordStream, so_do_damaged_ones) {
  Random random(8);
  for (int round = 0; round < 3000; ++round) {
    Bytes bytes = random_batch(random, 0);
    auto batch = BatchView::parse(bytes);
    ASSERT_TRUE(batch.has_value());
    std::vector<std::uint8_t> payload(batch->payload().begin(), batch->payload().end());
    switch (random.below(3)) {
      case 0: payload[random.below(payload.size())] = static_cast<std::uint8_t>(random.below(256)); break;
      case 1: payload.resize(random.below(payload.size())); break;
      default: payload.push_back(static_cast<std::uint8_t>(random.below(256)));
    }
    Seen whole = at_once(*batch, payload);
    Seen pieces = in_pieces(*batch, payload, random, 1 + random.below(100));
    EXPECT_EQ(pieces.error.has_value(), whole.error.has_value()) << "round " << round;
    if (!whole.error.has_value()) {
      EXPECT_EQ(pieces, whole);
    }
  }
}

TEST(RecordStream, large_records_are_never_held) {
  Random random(9);
  for (int round = 0; round < 12; ++round) {
    Bytes bytes = random_batch(random, RecordStream::kWhole);
    auto batch = BatchView::parse(bytes);
    ASSERT_TRUE(batch.has_value());
    std::size_t most = 0;
    EXPECT_EQ(in_pieces(*batch, batch->payload(), random, 100'000, &most), at_once(*batch, batch->payload()));
    EXPECT_LE(most, RecordStream::kWhole + 300'000);
    std::vector<std::uint8_t> payload(batch->payload().begin(), batch->payload().end());
    payload.resize(payload.size() - 1 - random.below(std::min<std::size_t>(payload.size(), 100)));
    EXPECT_TRUE(in_pieces(*batch, payload, random, 100'000).error.has_value()) << "cut";
    payload.assign(batch->payload().begin(), batch->payload().end());
    payload.push_back(0);
    EXPECT_EQ(in_pieces(*batch, payload, random, 100'000).error, RecordError::kTrailingBytes);
  }
}

}  // namespace
}  // namespace milena::wire
