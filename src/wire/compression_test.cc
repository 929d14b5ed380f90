#include "wire/compression.h"

#include <gtest/gtest.h>

#include <zlib.h>
#include <zstd.h>

#include <string>

#include "base/endian.h"
#include "base/random.h"

namespace milena::wire {
namespace {

constexpr Codec kReal[] = {Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd};

std::string text_of(std::size_t size, std::uint64_t seed) {
  Random random(seed);
  std::string text;
  text.reserve(size);
  while (text.size() < size) {
    std::uint64_t word = random.next();
    if (random.one_in(3)) {
      text.append(random.below(50) + 1, static_cast<char>('a' + word % 26));
    } else {
      text.append(reinterpret_cast<const char*>(&word), sizeof word);
    }
  }
  text.resize(size);
  return text;
}

Buffer packed(Codec codec, int level, std::string_view text) {
  CompressionScratch scratch;
  Buffer out;
  compress(codec, level, as_bytes(text), out, scratch);
  return out;
}

TEST(Compression, EveryCodecAndLevelReadsItsOwnOutput) {
  CompressionScratch scratch;
  for (std::size_t size : {0UL, 1UL, 15UL, 65535UL, 65536UL, 65537UL, 300000UL}) {
    std::string text = text_of(size, size);
    for (Codec codec : {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
      LevelRange range = level_range(codec);
      for (int level : {range.standard, range.min, range.max}) {
        Buffer out;
        out.append("before");
        compress(codec, level, as_bytes(text), out, scratch);
        Buffer back;
        back.append("kept");
        auto result = decompress(codec, out.view().subspan(6), {.bytes_max = size}, back, scratch);
        ASSERT_TRUE(result.has_value()) << codec_name(codec) << " " << level << " " << size;
        EXPECT_EQ(as_text(back.view()), "kept" + text);
      }
    }
  }
}

TEST(Compression, OutputNeverPassesTheLimit) {
  CompressionScratch scratch;
  std::string text = text_of(200000, 3);
  for (Codec codec : kReal) {
    Buffer out = packed(codec, level_range(codec).standard, text);
    for (std::size_t limit : {0UL, 1UL, 1000UL, 65536UL, 131072UL, 199999UL}) {
      Buffer back;
      auto result = decompress(codec, out.view(), {.bytes_max = limit}, back, scratch);
      ASSERT_TRUE(result.failed()) << codec_name(codec) << " " << limit;
      EXPECT_EQ(result.error(), CompressionError::kTooLarge) << codec_name(codec) << " " << limit;
      EXPECT_EQ(back.size(), 0U);
      EXPECT_LE(back.capacity(), 2 * limit + 4096) << codec_name(codec);
    }
  }
}

// A gigabyte of zeros in a megabyte or less: refused at the limit, with memory of the limit's order.
TEST(Compression, BombsStopAtTheLimit) {
  CompressionScratch scratch;
  std::string zeros(std::size_t{64} << 20, '\0');
  for (Codec codec : kReal) {
    Buffer bomb = packed(codec, level_range(codec).standard, zeros);
    Buffer back;
    auto result = decompress(codec, bomb.view(), {.bytes_max = 1 << 20}, back, scratch);
    ASSERT_TRUE(result.failed());
    EXPECT_EQ(result.error(), CompressionError::kTooLarge);
    EXPECT_LE(back.capacity(), std::size_t{8} << 20) << codec_name(codec);
  }
}

// CVE-2023-34455: chunk lengths that are negative or claim more than there is.
TEST(Compression, SnappyChunkLengthsAreChecked) {
  CompressionScratch scratch;
  Buffer out = packed(Codec::kSnappy, 0, "some text, some text, some text");
  for (std::int32_t length : {-1, std::int32_t(0x80000000), 0x7fffffff, 0x52450000}) {
    store_be(out.data() + 16, length);
    Buffer back;
    auto result = decompress(Codec::kSnappy, out.view(), {.bytes_max = 1 << 30}, back, scratch);
    EXPECT_TRUE(result.failed());
    EXPECT_LE(back.capacity(), 4096U);
  }
  // A block of five bytes that claims four gigabytes.
  const std::uint8_t claim[] = {0xff, 0xff, 0xff, 0xff, 0x0f, 0x00};
  Buffer back;
  EXPECT_EQ(
      decompress(Codec::kSnappy, ByteView(claim), {.bytes_max = std::size_t{1} << 40}, back, scratch).error(),
      CompressionError::kCorrupt);
  EXPECT_LE(back.capacity(), 4096U);
}

TEST(Compression, ReadsSnappyWithoutFramingAndConcatenatedStreams) {
  CompressionScratch scratch;
  Buffer framed = packed(Codec::kSnappy, 0, "hello hello hello");
  ByteView raw = framed.view().subspan(20);
  Buffer back;
  ASSERT_TRUE(decompress(Codec::kSnappy, raw, {.bytes_max = 100}, back, scratch).has_value());
  EXPECT_EQ(as_text(back.view()), "hello hello hello");
  for (Codec codec : {Codec::kSnappy, Codec::kGzip, Codec::kZstd}) {
    Buffer twice = packed(codec, level_range(codec).standard, "one ");
    Buffer second = packed(codec, level_range(codec).standard, "two");
    twice.append(second.view());
    Buffer both;
    ASSERT_TRUE(decompress(codec, twice.view(), {.bytes_max = 7}, both, scratch).has_value())
        << codec_name(codec);
    EXPECT_EQ(as_text(both.view()), "one two");
  }
}

TEST(Compression, Lz4HeaderChecksumMayBeIgnoredForOldMessages) {
  CompressionScratch scratch;
  Buffer out = packed(Codec::kLz4, 9, "text text text text text text");
  EXPECT_EQ(out.data()[6], 0x82);  // the value every Java producer writes for this descriptor
  out.data()[6] ^= 0x55;
  Buffer back;
  EXPECT_TRUE(decompress(Codec::kLz4, out.view(), {.bytes_max = 100}, back, scratch).failed());
  DecompressOptions lenient{.bytes_max = 100, .any_lz4_header_checksum = true};
  ASSERT_TRUE(decompress(Codec::kLz4, out.view(), lenient, back, scratch).has_value());
  EXPECT_EQ(as_text(back.view()), "text text text text text text");
}

// A frame header may ask for a window of 128 MiB; what is allocated follows the output all the same.
TEST(Compression, ZstdWindowsAboveTheStreamLimitAreRead) {
  CompressionScratch scratch;
  std::string text = text_of(3 << 20, 8);
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 27);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  Buffer out;
  out.resize(ZSTD_compressBound(text.size()));
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  ZSTD_inBuffer half{text.data(), text.size() / 2, 0};
  ASSERT_FALSE(ZSTD_isError(ZSTD_compressStream2(context, &to, &half, ZSTD_e_continue)));
  ZSTD_inBuffer rest{text.data() + text.size() / 2, text.size() - text.size() / 2, 0};
  while (ZSTD_compressStream2(context, &to, &rest, ZSTD_e_end) != 0) {
  }
  ZSTD_freeCCtx(context);
  out.resize(to.pos);
  Buffer back;
  ASSERT_TRUE(decompress(Codec::kZstd, out.view(), {.bytes_max = text.size()}, back, scratch).has_value());
  EXPECT_EQ(as_text(back.view()), text);
  Buffer small;
  EXPECT_EQ(decompress(Codec::kZstd, out.view(), {.bytes_max = 2 << 20}, small, scratch).error(),
            CompressionError::kTooLarge);
  EXPECT_LE(small.capacity(), std::size_t{4} << 20);
}

TEST(Compression, CutAndFlippedInputsFailOrStayWithinTheLimit) {
  CompressionScratch scratch;
  std::string text = text_of(3000, 11);
  Random random(12);
  for (Codec codec : kReal) {
    Buffer good = packed(codec, level_range(codec).standard, text);
    for (std::size_t cut = 0; cut < good.size(); ++cut) {
      Buffer back;
      auto result = decompress(codec, good.view().first(cut), {.bytes_max = 10000}, back, scratch);
      // Xerial's framing has no end mark: cut between chunks it is whole.
      if (codec == Codec::kSnappy && result.has_value()) continue;
      EXPECT_TRUE(result.failed()) << codec_name(codec) << " cut at " << cut;
    }
    for (int i = 0; i < 20000; ++i) {
      Buffer bad;
      bad.append(good.view());
      for (std::uint64_t flips = random.below(3) + 1; flips > 0; --flips) {
        bad.data()[random.below(bad.size())] ^= static_cast<std::uint8_t>(1U << random.below(8));
      }
      Buffer back;
      auto result = decompress(codec, bad.view(), {.bytes_max = 10000}, back, scratch);
      EXPECT_LE(back.size(), 10000U);
      if (result.failed()) {
        EXPECT_EQ(back.size(), 0U);
      }
    }
    Buffer again;  // and the scratch has taken no harm
    ASSERT_TRUE(decompress(codec, good.view(), {.bytes_max = 10000}, again, scratch).has_value());
    EXPECT_EQ(as_text(again.view()), text);
  }
}

TEST(Compression, RandomBytesNeverCrash) {
  CompressionScratch scratch;
  Random random(99);
  for (int i = 0; i < 20000; ++i) {
    Buffer in;
    std::size_t size = random.below(100);
    for (std::size_t n = 0; n < size; ++n) in.push_back(static_cast<std::uint8_t>(random.next()));
    for (Codec codec : kReal) {
      Buffer back;
      auto result = decompress(codec, in.view(), {.bytes_max = 4096}, back, scratch);
      EXPECT_TRUE(result.failed() || back.size() <= 4096);
    }
  }
}

TEST(Compression, NamesAndNumbersAreKafkas) {
  EXPECT_EQ(codec_name(Codec::kZstd), "zstd");
  EXPECT_EQ(codec_of(4), Codec::kZstd);
  EXPECT_EQ(codec_of(5), std::nullopt);
  EXPECT_EQ(codec_of(-1), std::nullopt);
}

}  // namespace
}  // namespace milena::wire
