/// Inner side of compression.h: the codecs' working memory and the bounded output they write to.
#pragma once

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "wire/compression.h"
#include "wire/payload_sink.h"

namespace milena::wire {

struct CompressionScratch::State {
  struct InflateEnd {
    void operator()(z_stream* z) const;
  };
  struct DeflateEnd {
    void operator()(z_stream* z) const;
  };
  struct ZstdFree {
    void operator()(ZSTD_CCtx* c) const { ZSTD_freeCCtx(c); }
    void operator()(ZSTD_DCtx* d) const { ZSTD_freeDCtx(d); }
  };
  std::unique_ptr<z_stream, InflateEnd> inflate;
  std::unique_ptr<z_stream, DeflateEnd> deflate;
  int deflate_level = 0;
  std::unique_ptr<ZSTD_CCtx, ZstdFree> zstd_out;
  std::unique_ptr<ZSTD_DCtx, ZstdFree> zstd_in;
  std::vector<std::uint64_t> lz4_hc;  // aligned block for LZ4_compress_HC_extStateHC
};

/// What a decompressor writes to: the end of a Buffer, never past the caller's limit. A sink takes from its front.
class BoundedOutput {
 public:
  BoundedOutput(Buffer& buffer, std::size_t bytes_max, PayloadSink* sink = nullptr)
      : buffer_(buffer), start_(buffer.size()), bytes_max_(bytes_max), sink_(sink) {}

  std::size_t produced() const { return taken_ + buffer_.size() - start_; }
  std::size_t left() const { return bytes_max_ - produced(); }
  /// Room for up to `want` more bytes, cut at the limit; nothing is produced until commit().
  MutableByteView room(std::size_t want) {
    std::size_t size = buffer_.size();
    want = std::min(want, left());
    buffer_.resize(size + want);
    MutableByteView view{buffer_.data() + size, want};
    buffer_.resize(size);
    return view;
  }
  /// What the buffer has room for already, at least `at_least` unless the limit is nearer; a piece for a sink.
  MutableByteView room_to_fill(std::size_t at_least) {
    if (sink_ != nullptr) return room(kPiece);
    return room(std::max(at_least, buffer_.capacity() - buffer_.size()));
  }
  void commit(std::size_t count) {
    buffer_.resize(buffer_.size() + count);
    if (sink_ == nullptr) return;
    std::size_t size = buffer_.size() - start_;
    std::size_t taken = sink_->take({buffer_.data() + start_, size});
    if (taken == 0) return;
    std::memmove(buffer_.data() + start_, buffer_.data() + start_ + taken, size - taken);
    buffer_.resize(start_ + size - taken);
    taken_ += taken;
  }
  void undo() { buffer_.resize(start_); }

 private:
  static constexpr std::size_t kPiece = std::size_t{64} << 10;
  Buffer& buffer_;
  std::size_t start_;
  std::size_t bytes_max_;
  PayloadSink* sink_;
  std::size_t taken_ = 0;
};

using DecompressResult = Result<void, CompressionError>;

void compress_snappy(ByteView in, Buffer& out);
void compress_lz4(int level, ByteView in, Buffer& out, CompressionScratch::State& state);
DecompressResult decompress_snappy(ByteView in, BoundedOutput& out);
/// What is wrong with an LZ4 frame as far as its header tells, without decompressing: one whose blocks depend on each
/// other decodes elsewhere, but no Java client reads it.
std::optional<CompressionError> lz4_refused_at_sight(ByteView in);
DecompressResult decompress_lz4(ByteView in, bool any_header_checksum, BoundedOutput& out);

}  // namespace milena::wire
