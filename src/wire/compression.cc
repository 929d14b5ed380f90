#include "wire/compression.h"

#include <zstd_errors.h>

#include <array>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "wire/compression_state.h"

namespace milena::wire {
namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib: 32 KiB window, gzip wrapper
constexpr std::size_t kGrowMin = 4096;
// Up to here zstd's own window buffer is used; a larger window goes through the output buffer instead, so
// that a frame header alone never makes us allocate its window.
constexpr int kZstdStreamWindowLog = 23;

constexpr std::array<std::string_view, kCodecs> kNames{"none", "gzip", "snappy", "lz4", "zstd"};

uInt clamp_uint(std::size_t n) {
  return static_cast<uInt>(std::min<std::size_t>(n, std::numeric_limits<uInt>::max()));
}

void compress_gzip(int level, ByteView in, Buffer& out, CompressionScratch::State& state) {
  if (state.deflate == nullptr || state.deflate_level != level) {
    auto* z = new z_stream{};
    CHECK(deflateInit2(z, level, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    state.deflate.reset(z);
    state.deflate_level = level;
  } else {
    CHECK(deflateReset(state.deflate.get()) == Z_OK);
  }
  z_stream& z = *state.deflate;
  z.avail_in = 0;
  int flush = Z_NO_FLUSH;
  std::size_t size = out.size();
  out.reserve(size + deflateBound(&z, static_cast<uLong>(in.size())));
  int code = Z_OK;
  while (code != Z_STREAM_END) {
    if (z.avail_in == 0 && !in.empty()) {
      uInt part = clamp_uint(in.size());
      z.next_in = const_cast<Bytef*>(in.data());
      z.avail_in = part;
      in = in.subspan(part);
    }
    flush = in.empty() ? Z_FINISH : Z_NO_FLUSH;
    if (out.capacity() == size) out.reserve(size + kGrowMin);
    out.resize(out.capacity());
    uInt room = clamp_uint(out.size() - size);
    z.next_out = out.data() + size;
    z.avail_out = room;
    code = deflate(&z, flush);
    CHECK(code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR, "deflate: {}", code);
    size += room - z.avail_out;
    out.resize(size);
  }
}

void compress_zstd(int level, ByteView in, Buffer& out, CompressionScratch::State& state) {
  if (state.zstd_out == nullptr) state.zstd_out.reset(ZSTD_createCCtx());
  std::size_t size = out.size();
  std::size_t bound = ZSTD_compressBound(in.size());
  out.resize(size + bound);
  std::size_t n =
      ZSTD_compressCCtx(state.zstd_out.get(), out.data() + size, bound, in.data(), in.size(), level);
  CHECK(!ZSTD_isError(n), "zstd: {}", ZSTD_getErrorName(n));
  out.resize(size + n);
}

DecompressResult decompress_gzip(ByteView in, BoundedOutput& out, CompressionScratch::State& state) {
  if (state.inflate == nullptr) {
    auto* z = new z_stream{};
    CHECK(inflateInit2(z, kGzipWindow) == Z_OK);
    state.inflate.reset(z);
  }
  z_stream& z = *state.inflate;
  bool first = true;
  std::size_t guess = std::max(kGrowMin, in.size() * 4);
  // One turn per member; bytes after a member that do not start another one are ignored, as Java does.
  while (first || (in.size() >= 3 && in[0] == 0x1f && in[1] == 0x8b && in[2] == 8)) {
    first = false;
    CHECK(inflateReset(&z) == Z_OK);
    for (int code = Z_OK; code != Z_STREAM_END;) {
      std::uint8_t probe = 0;  // at the limit, one byte tells whether more would come
      MutableByteView room = out.room_to_fill(guess);
      bool probing = room.empty();
      uInt given_in = clamp_uint(in.size());
      uInt given_out = probing ? 1 : clamp_uint(room.size());
      z.next_in = const_cast<Bytef*>(in.data());
      z.avail_in = given_in;
      z.next_out = probing ? &probe : room.data();
      z.avail_out = given_out;
      code = inflate(&z, Z_NO_FLUSH);
      std::size_t produced = given_out - z.avail_out;
      std::size_t consumed = given_in - z.avail_in;
      in = in.subspan(consumed);
      if (probing && produced > 0) return Err(CompressionError::kTooLarge);
      out.commit(probing ? 0 : produced);
      if (code == Z_STREAM_END) break;
      if (code == Z_NEED_DICT) return Err(CompressionError::kUnsupported);
      if (code != Z_OK && code != Z_BUF_ERROR) return Err(CompressionError::kCorrupt);
      if (produced == 0 && consumed == 0) return Err(CompressionError::kTruncated);
    }
  }
  return {};
}

/// A frame whose window is larger than the stream decoder may hold: decoded in one go into the output, which
/// then is the window. A buffer that turns out too small is enlarged and the frame decoded again.
DecompressResult decompress_zstd_frame(ByteView& in, BoundedOutput& out, ZSTD_DCtx* context) {
  std::size_t frame = ZSTD_findFrameCompressedSize(in.data(), in.size());
  if (ZSTD_isError(frame)) {
    return Err(ZSTD_getErrorCode(frame) == ZSTD_error_srcSize_wrong ? CompressionError::kTruncated
                                                                    : CompressionError::kCorrupt);
  }
  std::size_t want = std::max<std::size_t>(1 << 20, frame * 4);
  while (true) {
    MutableByteView room = out.room(want);
    std::size_t n = ZSTD_decompressDCtx(context, room.data(), room.size(), in.data(), frame);
    if (!ZSTD_isError(n)) {
      out.commit(n);
      in = in.subspan(frame);
      return {};
    }
    if (ZSTD_getErrorCode(n) != ZSTD_error_dstSize_tooSmall) return Err(CompressionError::kCorrupt);
    if (room.size() == out.left()) return Err(CompressionError::kTooLarge);
    want = room.size() * 4;
  }
}

/// A frame of RFC 8878, skippable ones included. The library may also know formats from before it, whose decoders take
/// the window that a header asks for.
bool is_zstd_frame(ByteView in) {
  if (in.size() < 4) return false;
  std::uint32_t magic = 0;
  for (std::size_t i = 4; i-- > 0;) magic = magic << 8 | in[i];
  return magic == ZSTD_MAGICNUMBER || (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START;
}

DecompressResult decompress_zstd(ByteView in, BoundedOutput& out, CompressionScratch::State& state) {
  if (state.zstd_in == nullptr) {
    state.zstd_in.reset(ZSTD_createDCtx());
    std::size_t set = ZSTD_DCtx_setParameter(state.zstd_in.get(), ZSTD_d_windowLogMax, kZstdStreamWindowLog);
    CHECK(!ZSTD_isError(set));
  }
  ZSTD_DCtx* context = state.zstd_in.get();
  std::size_t guess = std::max(kGrowMin, in.size() * 4);
  do {
    if (!is_zstd_frame(in)) return Err(in.size() < 4 ? CompressionError::kTruncated : CompressionError::kCorrupt);
    ZSTD_DCtx_reset(context, ZSTD_reset_session_only);
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    for (std::size_t state_left = 1; state_left != 0;) {
      std::uint8_t probe = 0;
      MutableByteView room = out.room_to_fill(guess);
      bool probing = room.empty();
      ZSTD_outBuffer output{probing ? &probe : room.data(), probing ? 1 : room.size(), 0};
      std::size_t before = input.pos;
      state_left = ZSTD_decompressStream(context, &output, &input);
      if (ZSTD_isError(state_left)) {
        if (ZSTD_getErrorCode(state_left) != ZSTD_error_frameParameter_windowTooLarge) {
          return Err(CompressionError::kCorrupt);
        }
        TRY(decompress_zstd_frame(in, out, context));
        input = {in.data(), in.size(), 0};
        break;
      }
      if (probing && output.pos > 0) return Err(CompressionError::kTooLarge);
      out.commit(probing ? 0 : output.pos);
      if (state_left != 0 && output.pos == 0 && input.pos == before) return Err(CompressionError::kTruncated);
    }
    in = in.subspan(input.pos);
  } while (!in.empty());
  return {};
}

}  // namespace

void CompressionScratch::State::InflateEnd::operator()(z_stream* z) const {
  inflateEnd(z);
  delete z;
}
void CompressionScratch::State::DeflateEnd::operator()(z_stream* z) const {
  deflateEnd(z);
  delete z;
}
CompressionScratch::CompressionScratch() : state_(std::make_unique<State>()) {}
CompressionScratch::~CompressionScratch() = default;
CompressionScratch::CompressionScratch(CompressionScratch&&) noexcept = default;
CompressionScratch& CompressionScratch::operator=(CompressionScratch&&) noexcept = default;

std::string_view codec_name(Codec codec) {
  return kNames[static_cast<std::size_t>(codec)];
}

LevelRange level_range(Codec codec) {
  switch (codec) {
    case Codec::kGzip:
      return {1, 9, -1};
    case Codec::kLz4:
      return {1, 17, 9};
    case Codec::kZstd:
      return {-131072, 22, 3};
    case Codec::kNone:
    case Codec::kSnappy:
      break;
  }
  return {0, 0, 0};
}

std::string_view describe(CompressionError error) {
  switch (error) {
    case CompressionError::kCorrupt:
      return "the compressed data is corrupt";
    case CompressionError::kTruncated:
      return "the compressed data ends early";
    case CompressionError::kTooLarge:
      return "the data decompresses to more than is allowed";
    case CompressionError::kUnsupported:
      return "the compressed data uses an unsupported feature";
  }
  return "";
}

void compress(Codec codec, int level, ByteView in, Buffer& out, CompressionScratch& scratch) {
  LevelRange range = level_range(codec);
  if (level != range.standard) level = std::clamp(level, range.min, range.max);
  switch (codec) {
    case Codec::kNone:
      out.append(in);
      return;
    case Codec::kGzip:
      compress_gzip(level, in, out, scratch.state());
      return;
    case Codec::kSnappy:
      compress_snappy(in, out);
      return;
    case Codec::kLz4:
      compress_lz4(level, in, out, scratch.state());
      return;
    case Codec::kZstd:
      compress_zstd(level, in, out, scratch.state());
      return;
  }
}

namespace {

DecompressResult run(Codec codec, ByteView in, const DecompressOptions& options, BoundedOutput& out,
                     CompressionScratch& scratch) {
  switch (codec) {
    case Codec::kNone: {
      if (in.size() > options.bytes_max) return Err(CompressionError::kTooLarge);
      MutableByteView room = out.room(in.size());
      if (!in.empty()) std::memcpy(room.data(), in.data(), in.size());
      out.commit(in.size());
      return {};
    }
    case Codec::kGzip:
      return decompress_gzip(in, out, scratch.state());
    case Codec::kSnappy:
      return decompress_snappy(in, out);
    case Codec::kLz4:
      return decompress_lz4(in, options.any_lz4_header_checksum, out);
    case Codec::kZstd:
      return decompress_zstd(in, out, scratch.state());
  }
  return Err(CompressionError::kUnsupported);
}

}  // namespace

Result<void, CompressionError> decompress(Codec codec, ByteView in, const DecompressOptions& options,
                                          Buffer& out, CompressionScratch& scratch) {
  BoundedOutput bounded(out, options.bytes_max);
  auto result = run(codec, in, options, bounded, scratch);
  if (result.failed()) bounded.undo();
  return result;
}

Result<void, CompressionError> decompress_to(PayloadSink& sink, Codec codec, ByteView in,
                                             const DecompressOptions& options, Buffer& window,
                                             CompressionScratch& scratch) {
  window.clear();
  BoundedOutput bounded(window, options.bytes_max, &sink);
  return run(codec, in, options, bounded, scratch);
}

}  // namespace milena::wire
