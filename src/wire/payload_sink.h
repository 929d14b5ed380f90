/// Decompression in pieces: what comes out goes to a sink at once, so that a package of much costs little memory.
#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/compression.h"

namespace milena::wire {

/// Takes a payload as it is unpacked.
class PayloadSink {
 public:
  /// The bytes that were not taken yet. Returns how many it takes, from the front; the rest comes again with more behind.
  virtual std::size_t take(ByteView bytes) = 0;

 protected:
  ~PayloadSink() = default;
};

/// Unpacks `in` into `sink`, at most options.bytes_max bytes in all; `window` (its content is replaced) then holds what
/// the sink left. Memory: what the sink does not take, and a piece: 64 KiB for gzip and zstd, a block for lz4 and
/// snappy, a frame for zstd with a window over 8 MiB. Errors: those of decompress().
Result<void, CompressionError> decompress_to(PayloadSink& sink, Codec codec, ByteView in,
                                             const DecompressOptions& options, Buffer& window,
                                             CompressionScratch& scratch);

}  // namespace milena::wire
