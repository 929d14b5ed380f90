// The two codecs whose container is Java's or our own work: snappy in xerial's framing and LZ4 frames.
//
// xerial:  82 53 4e 41 50 50 59 00 | version i32 | compatible version i32 | { length i32 | snappy block }*
//          all big-endian; version 1.
// LZ4:     04 22 4d 18 | FLG | BD | [content size u64] | HC | { size u32 | block | [checksum u32] }* | 0 u32
//          all little-endian; bit 31 of a size: the block is stored as it is. HC is the second byte of
//          XXH32 over FLG to content size.
#include <lz4.h>
#include <lz4hc.h>
#include <snappy-c.h>

#include <array>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "base/endian.h"
#include "base/mutant.h"
#include "wire/compression_state.h"

namespace milena::wire {
namespace {

constexpr std::array<std::uint8_t, 16> kXerialHeader{0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0,
                                                     0,    0,   0,   1,   0,   0,   0,   1};
constexpr std::size_t kXerialMagic = 8;
constexpr std::size_t kSnappyChunk = 32UL * 1024;
// A copy element of three bytes makes at most 64: no snappy block expands more than this.
constexpr std::uint64_t kSnappyExpansionMax = 22;

constexpr std::uint32_t kLz4Magic = 0x184d2204;
constexpr std::size_t kLz4Block = 64UL * 1024;
constexpr std::uint8_t kLz4Flags = 0x60;           // version 1, independent blocks
constexpr std::uint8_t kLz4Descriptor = 0x40;      // blocks of 64 KiB
constexpr std::uint32_t kLz4Stored = 0x80000000U;  // block size flag
// One more byte of length makes at most 255 bytes of output.
constexpr std::uint64_t kLz4ExpansionMax = 255;

std::uint32_t load_le32(const std::uint8_t* at) {
  std::uint32_t v = load_be<std::uint32_t>(at);
  return std::byteswap(v);
}
void append_le32(Buffer& out, std::uint32_t v) {
  std::uint8_t bytes[4];
  store_be(bytes, std::byteswap(v));
  out.append(ByteView(bytes));
}

/// XXH32 with seed 0 (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md).
std::uint32_t xxh32(ByteView in) {
  constexpr std::uint32_t p1 = 0x9E3779B1U, p2 = 0x85EBCA77U, p3 = 0xC2B2AE3DU, p4 = 0x27D4EB2FU,
                          p5 = 0x165667B1U;
  const std::uint8_t* at = in.data();
  std::size_t left = in.size();
  std::uint32_t hash = p5;
  if (left >= 16) {
    std::uint32_t lanes[4] = {p1 + p2, p2, 0, 0U - p1};
    for (; left >= 16; left -= 16) {
      for (std::uint32_t& lane : lanes) {
        lane = std::rotl(lane + load_le32(at) * p2, 13) * p1;
        at += 4;
      }
    }
    hash =
        std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) + std::rotl(lanes[2], 12) + std::rotl(lanes[3], 18);
  }
  hash += static_cast<std::uint32_t>(in.size());
  for (; left >= 4; left -= 4, at += 4) hash = std::rotl(hash + load_le32(at) * p3, 17) * p4;
  for (; left > 0; --left, ++at) hash = std::rotl(hash + *at * p5, 11) * p1;
  hash = (hash ^ (hash >> 15)) * p2;
  hash = (hash ^ (hash >> 13)) * p3;
  return hash ^ (hash >> 16);
}

DecompressResult snappy_block(ByteView block, BoundedOutput& out) {
  const char* data = reinterpret_cast<const char*>(block.data());
  std::size_t length = 0;
  if (snappy_uncompressed_length(data, block.size(), &length) != SNAPPY_OK ||
      (length > block.size() * kSnappyExpansionMax && !MILENA_MUTANT("believed-chunk"))) {
    return Err(CompressionError::kCorrupt);
  }
  if (length > out.left()) return Err(CompressionError::kTooLarge);
  MutableByteView room = out.room(length);
  std::uint8_t nothing = 0;
  char* target = reinterpret_cast<char*>(length == 0 ? &nothing : room.data());
  if (snappy_uncompress(data, block.size(), target, &length) != SNAPPY_OK) {
    return Err(CompressionError::kCorrupt);
  }
  out.commit(length);
  return {};
}

/// Reads the frame header and cuts it from `in`. Returns the flags and the largest block.
struct Lz4Frame {
  bool block_checksum;
  std::size_t block_max;
};
Result<Lz4Frame, CompressionError> lz4_header(ByteView& in, bool any_checksum) {
  if (in.size() < 7) return Err(CompressionError::kTruncated);
  if (load_le32(in.data()) != kLz4Magic) return Err(CompressionError::kCorrupt);
  std::uint8_t flags = in[4];
  std::uint8_t descriptor = in[5];
  bool independent = (flags & 0x20) != 0;
  if ((flags >> 6) != 1 || (flags & 0x03) != 0 || !independent) return Err(CompressionError::kUnsupported);
  int block_size = descriptor >> 4;
  if ((descriptor & 0x8f) != 0 || block_size < 4) return Err(CompressionError::kUnsupported);
  std::size_t header = (flags & 0x08) != 0 ? 14 : 6;
  if (in.size() < header + 1) return Err(CompressionError::kTruncated);
  std::uint8_t expected = static_cast<std::uint8_t>(xxh32(in.subspan(4, header - 4)) >> 8);
  if (!any_checksum && in[header] != expected) return Err(CompressionError::kCorrupt);
  in = in.subspan(header + 1);
  return Lz4Frame{(flags & 0x10) != 0, std::size_t{1} << (2 * block_size + 8)};
}

DecompressResult lz4_block(ByteView block, bool stored, std::size_t block_max, BoundedOutput& out) {
  if (stored) {
    if (block.size() > out.left()) return Err(CompressionError::kTooLarge);
    MutableByteView room = out.room(block.size());
    std::memcpy(room.data(), block.data(), block.size());
    out.commit(block.size());
    return {};
  }
  std::size_t bound = std::min<std::uint64_t>(block_max, block.size() * kLz4ExpansionMax + 64);
  std::uint8_t probe = 0;  // at the limit an empty block still decodes, into nothing
  MutableByteView room = out.room(bound);
  char* target = reinterpret_cast<char*>(room.empty() ? &probe : room.data());
  int n = LZ4_decompress_safe(reinterpret_cast<const char*>(block.data()), target,
                              static_cast<int>(block.size()), static_cast<int>(room.size()));
  if (n < 0) return Err(room.size() < bound ? CompressionError::kTooLarge : CompressionError::kCorrupt);
  out.commit(static_cast<std::size_t>(n));
  return {};
}

}  // namespace

void compress_snappy(ByteView in, Buffer& out) {
  out.append(ByteView(kXerialHeader));
  while (!in.empty()) {
    ByteView chunk = in.first(std::min(in.size(), kSnappyChunk));
    in = in.subspan(chunk.size());
    std::size_t at = out.size();
    std::size_t length = snappy_max_compressed_length(chunk.size());
    out.resize(at + 4 + length);
    snappy_status status = snappy_compress(reinterpret_cast<const char*>(chunk.data()), chunk.size(),
                                           reinterpret_cast<char*>(out.data() + at + 4), &length);
    CHECK(status == SNAPPY_OK);
    store_be(out.data() + at, static_cast<std::int32_t>(length));
    out.resize(at + 4 + length);
  }
}

DecompressResult decompress_snappy(ByteView in, BoundedOutput& out) {
  bool framed = in.size() >= kXerialMagic && std::memcmp(in.data(), kXerialHeader.data(), kXerialMagic) == 0;
  if (!framed) return snappy_block(in, out);
  if (in.size() < kXerialHeader.size()) return Err(CompressionError::kTruncated);
  if (load_be<std::int32_t>(in.data() + 8) < 1) return Err(CompressionError::kUnsupported);
  in = in.subspan(kXerialHeader.size());
  while (!in.empty()) {
    if (in.size() < 4) return Err(CompressionError::kTruncated);
    // A second stream may follow the first: its header stands where a length would.
    if (std::memcmp(in.data(), kXerialHeader.data(), 4) == 0) {
      if (in.size() < kXerialHeader.size()) return Err(CompressionError::kTruncated);
      in = in.subspan(kXerialHeader.size());
      continue;
    }
    auto length = load_be<std::int32_t>(in.data());
    in = in.subspan(4);
    if (length < 0) return Err(CompressionError::kCorrupt);
    if (static_cast<std::size_t>(length) > in.size()) return Err(CompressionError::kTruncated);
    TRY(snappy_block(in.first(static_cast<std::size_t>(length)), out));
    in = in.subspan(static_cast<std::size_t>(length));
  }
  return {};
}

void compress_lz4(int level, ByteView in, Buffer& out, CompressionScratch::State& state) {
  std::uint8_t header[7];
  store_be(header, std::byteswap(kLz4Magic));
  header[4] = kLz4Flags;
  header[5] = kLz4Descriptor;
  header[6] = static_cast<std::uint8_t>(xxh32(ByteView(header + 4, 2)) >> 8);
  out.append(ByteView(header));
  bool fast = level == level_range(Codec::kLz4).standard;
  if (!fast && state.lz4_hc.empty()) {
    state.lz4_hc.resize((static_cast<std::size_t>(LZ4_sizeofStateHC()) + 7) / 8);
  }
  while (!in.empty()) {
    ByteView block = in.first(std::min(in.size(), kLz4Block));
    in = in.subspan(block.size());
    std::size_t at = out.size();
    int bound = LZ4_compressBound(static_cast<int>(block.size()));
    out.resize(at + 4 + static_cast<std::size_t>(bound));
    const char* source = reinterpret_cast<const char*>(block.data());
    char* target = reinterpret_cast<char*>(out.data() + at + 4);
    int size = static_cast<int>(block.size());
    int n = fast ? LZ4_compress_default(source, target, size, bound)
                 : LZ4_compress_HC_extStateHC(state.lz4_hc.data(), source, target, size, bound, level);
    CHECK(n > 0);
    out.resize(at);
    if (n >= size) {
      append_le32(out, static_cast<std::uint32_t>(size) | kLz4Stored);
      out.append(block);
    } else {
      append_le32(out, static_cast<std::uint32_t>(n));
      out.resize(at + 4 + static_cast<std::size_t>(n));
    }
  }
  append_le32(out, 0);
}

std::optional<CompressionError> lz4_refused_at_sight(ByteView in) {
  auto frame = lz4_header(in, false);
  if (frame.failed()) return frame.error();
  return std::nullopt;
}

DecompressResult decompress_lz4(ByteView in, bool any_header_checksum, BoundedOutput& out) {
  TRY_ASSIGN(Lz4Frame frame, lz4_header(in, any_header_checksum));
  while (true) {
    if (in.size() < 4) return Err(CompressionError::kTruncated);
    std::uint32_t word = load_le32(in.data());
    in = in.subspan(4);
    std::size_t size = word & ~kLz4Stored;
    if (size == 0) return {};  // the end mark; Kafka, too, looks at nothing behind it
    if (size > frame.block_max) return Err(CompressionError::kCorrupt);
    if (size + (frame.block_checksum ? 4 : 0) > in.size()) return Err(CompressionError::kTruncated);
    ByteView block = in.first(size);
    in = in.subspan(size);
    if (frame.block_checksum) {
      if (load_le32(in.data()) != xxh32(block)) return Err(CompressionError::kCorrupt);
      in = in.subspan(4);
    }
    TRY(lz4_block(block, (word & kLz4Stored) != 0, frame.block_max, out));
  }
}

}  // namespace milena::wire
