/// Kafka's four compression codecs, bounded.
///
/// A decompressor is fed by strangers, so each call takes the largest output the caller will bear; memory
/// grows with the bytes that come out (at most doubled), never with a length that the input claims.
///
/// Written forms: gzip (RFC 1952); snappy in the block framing of Java's snappy-java ("xerial": 16 byte
/// header, then chunks of 32 KiB); LZ4 frames with independent blocks of 64 KiB and no content checksum;
/// one zstd frame (RFC 8878). Read as well: several gzip members, raw snappy without framing, all LZ4 block
/// sizes and block checksums, several zstd frames. Sources: KIP-110 (zstd), KIP-390/KIP-780 (levels).
///
/// Threads: a CompressionScratch belongs to one thread at a time; the functions have no other state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace milena::wire {

/// The lower three attribute bits of a batch. The numbers are the format.
enum class Codec : std::uint8_t { kNone = 0, kGzip = 1, kSnappy = 2, kLz4 = 3, kZstd = 4 };

inline constexpr int kCodecs = 5;

/// nullopt: no such codec (5 to 7 are not assigned).
constexpr std::optional<Codec> codec_of(int id) {
  if (id < 0 || id >= kCodecs) return std::nullopt;
  return static_cast<Codec>(id);
}
/// The name in configuration: none, gzip, snappy, lz4, zstd.
std::string_view codec_name(Codec codec);

/// Levels that configuration accepts. `standard` is Kafka's default; 0 to 0 for codecs without levels.
struct LevelRange {
  int min;
  int max;
  int standard;
};
LevelRange level_range(Codec codec);

enum class CompressionError : std::uint8_t {
  kCorrupt,      ///< not the codec's format, or a checksum of the codec does not match
  kTruncated,    ///< ends before its end mark
  kTooLarge,     ///< more output than the caller's limit
  kUnsupported,  ///< a feature of the format that Kafka refuses too (dependent LZ4 blocks, dictionaries)
};
std::string_view describe(CompressionError error);

/// Working memory of the codecs, kept between calls: about 300 KiB a codec once used. One per event loop.
class CompressionScratch {
 public:
  CompressionScratch();
  ~CompressionScratch();
  CompressionScratch(CompressionScratch&&) noexcept;
  CompressionScratch& operator=(CompressionScratch&&) noexcept;
  struct State;
  State& state() { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

/// Appends `in`, compressed, to `out`. A level outside the codec's range is clamped; Kafka's default level of
/// lz4 (9) means its fast compressor, as in Java.
void compress(Codec codec, int level, ByteView in, Buffer& out, CompressionScratch& scratch);

struct DecompressOptions {
  /// Output over this fails with kTooLarge.
  std::size_t bytes_max = 0;
  /// Skips the LZ4 header checksum: old producers computed it over the wrong bytes (messages before v2).
  bool any_lz4_header_checksum = false;
};

/// Appends what `in` decompresses to to `out`, at most options.bytes_max bytes. On failure `out` holds
/// what was there before.
Result<void, CompressionError> decompress(Codec codec, ByteView in, const DecompressOptions& options,
                                          Buffer& out, CompressionScratch& scratch);

}  // namespace milena::wire
