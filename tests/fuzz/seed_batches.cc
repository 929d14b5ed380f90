#include <fmt/format.h>

#include <vector>

#include "base/endian.h"
#include "base/random.h"
#include "seeds.h"
#include "wire/batch_builder.h"
#include "wire/compression.h"
#include "wire/control_record.h"

namespace milena::fuzz {
namespace {

constexpr Timestamp kNow{1'700'000'000'000};

Bytes data_batch(Random& random, wire::Codec codec, int count, bool producer) {
  wire::BatchOptions options;
  options.codec = codec;
  if (producer) {
    options.producer_id = ProducerId(7);
    options.producer_epoch = 1;
    options.base_sequence = 3;
    options.transactional = random.one_in(2);
  }
  wire::BatchBuilder builder(options);
  std::string value(random.below(60), 'v');
  std::vector<wire::RecordHeader> headers{{"header", as_bytes("x")}, {"null", std::nullopt}};
  for (int i = 0; i < count; ++i) {
    wire::BatchBuilder::Field key;
    if (!random.one_in(4)) key = as_bytes("key");
    builder.append(
        kNow + i, key, as_bytes(value),
        random.one_in(2) ? std::span<wire::RecordHeader>(headers) : std::span<wire::RecordHeader>());
  }
  return builder.build();
}

/// A message of magic 0 or 1; the CRC is left zero, which no reader of entries minds.
Buffer legacy_message(std::int8_t magic, std::uint8_t codec, ByteView value) {
  std::size_t size = 12 + 4 + 2 + (magic == 1 ? 8 : 0) + 4 + 4 + value.size();
  Buffer bytes;
  bytes.resize(size);
  std::fill_n(bytes.data(), size, std::uint8_t{0});
  store_be(bytes.data() + 8, static_cast<std::int32_t>(size - 12));
  bytes.data()[16] = static_cast<std::uint8_t>(magic);
  bytes.data()[17] = codec;
  std::uint8_t* at = bytes.data() + (magic == 1 ? 26 : 18);
  store_be(at, std::int32_t{-1});
  store_be(at + 4, static_cast<std::int32_t>(value.size()));
  std::copy(value.begin(), value.end(), at + 8);
  return bytes;
}

void seed_legacy(const Sink& sink) {
  wire::CompressionScratch scratch;
  for (std::int8_t magic : {0, 1}) {
    Buffer message = legacy_message(magic, 0, as_bytes("value"));
    sink(fmt::format("legacy-{}", magic), 0, message.view());
    for (auto codec : {wire::Codec::kGzip, wire::Codec::kSnappy, wire::Codec::kLz4}) {
      Buffer packed;
      wire::compress(codec, wire::level_range(codec).standard, message.view(), packed, scratch);
      Buffer wrapper = legacy_message(magic, static_cast<std::uint8_t>(codec), packed.view());
      sink(fmt::format("legacy-{}-{}", magic, wire::codec_name(codec)), 0, wrapper.view());
    }
  }
}

}  // namespace

void seed_batches(const Sink& sink) {
  Random random(2);
  wire::CompressionScratch scratch;
  for (int id = 0; id < wire::kCodecs; ++id) {
    auto codec = static_cast<wire::Codec>(id);
    for (int count : {1, 5}) {
      Bytes batch = data_batch(random, codec, count, count == 5);
      std::string name = fmt::format("{}-{}", wire::codec_name(codec), count);
      Buffer two;
      two.append(batch);
      two.append(data_batch(random, codec, 2, false));
      sink("entries-" + name, 0, two.view());
      for (int settings : {0, 0x0a, 0x0c, 0x48, 0x88, 0xc8}) {
        Buffer produce;
        produce.push_back(static_cast<std::uint8_t>(settings));
        produce.append(batch);
        sink(fmt::format("produce-{}-{:02x}", name, settings), 2, produce.view());
      }
    }
    Buffer packed;
    packed.push_back(static_cast<std::uint8_t>(id));
    std::string text;
    for (int i = 0; i < 40; ++i) text += fmt::format("line {} of a text; ", random.below(20));
    wire::compress(codec, wire::level_range(codec).standard, as_bytes(text), packed, scratch);
    sink(fmt::format("data-{}", wire::codec_name(codec)), 3, packed.view());
  }
  Bytes marker = wire::make_end_txn_batch({true, 3, ProducerId(7), 1}, Offset(9), Epoch(2), kNow);
  sink("entries-marker", 0, marker);
  sink("entries-empty", 0, wire::make_empty_batch({}, Offset(4), kNow));
  seed_legacy(sink);
}

}  // namespace milena::fuzz
