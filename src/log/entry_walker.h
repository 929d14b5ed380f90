/// Walking the entries of a segment's file: headers alone (EntryWalker), where the content is trusted, and
/// whole entries with their checksums (EntryScanner), where it is not.
///
/// An entry is a v2 batch, or a message or wrapper of the formats before it.
/// Threads: for one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"
#include "io/disk.h"
#include "log/error.h"
#include "wire/log_entry.h"

namespace milena::log {

struct EntryHeader {
  std::uint64_t position = 0;
  std::size_t size = 0;  // with the 12 bytes of offset and length
  std::int8_t magic = 0;
  bool has_producer = false;
  Offset base_offset{0};  // before v2: that of the last message, where compressed
  Offset last_offset{0};
  Epoch leader_epoch = kNoEpoch;
  Timestamp max_timestamp = kNoTimestamp;

  std::uint64_t end() const { return position + size; }
};

/// Bytes of a file that are not in memory.
struct ColdPages {
  std::uint64_t position = 0;
  std::size_t size = 0;
};

class EntryWalker {
 public:
  /// The entries in [from, end) of the file. With a place for `cold` it never waits for the device: it fails
  /// with kCold and says there what is missing.
  EntryWalker(io::File& file, std::uint64_t from, std::uint64_t end, ColdPages* cold = nullptr)
      : file_(file), at_(from), end_(end), cold_(cold) {}

  /// The next entry; nullopt at the end, and where no whole entry follows (then !finished()).
  LogResult<std::optional<EntryHeader>> next();
  std::uint64_t position() const { return at_; }
  bool finished() const { return at_ == end_; }

 private:
  LogResult<ByteView> peek(std::size_t count);

  io::File& file_;
  std::uint64_t at_;
  std::uint64_t end_;
  ColdPages* cold_;
  Buffer window_;
  std::uint64_t window_at_ = 0;
};

class EntryScanner {
 public:
  EntryScanner(io::File& file, std::uint64_t from, std::uint64_t end) : file_(file), at_(from), end_(end) {}

  /// The next entry, whole, its CRC right; nullopt at the end, and where none follows (then !finished(), and
  /// why() tells). The view lives until the next call.
  LogResult<std::optional<wire::LogEntryView>> next();
  /// Of the entry that next() returned last.
  std::uint64_t entry_position() const { return at_ - last_size_; }
  std::uint64_t position() const { return at_; }
  bool finished() const { return at_ == end_; }
  std::string_view why() const { return why_; }

 private:
  /// At least `count` bytes from at_ in window_, or as many as the file has.
  LogResult<ByteView> fill(std::size_t count);

  io::File& file_;
  std::uint64_t at_;
  std::uint64_t end_;
  std::size_t last_size_ = 0;
  Buffer window_;
  std::uint64_t window_at_ = 0;
  std::string_view why_;
};

/// Position of the first intact v2 batch at or behind `from` whose base offset could follow `expected`;
/// nullopt: none. Looks at every byte: a torn write leaves no boundaries.
LogResult<std::optional<std::uint64_t>> find_valid_batch(io::File& file, std::uint64_t from,
                                                         std::uint64_t end, Offset expected);

/// Whether [from, end) of the file, which is that long, is nothing but zeros.
LogResult<bool> only_zeros(io::File& file, std::uint64_t from, std::uint64_t end);

/// All of [position, position + size) of the file; `cold` as in EntryWalker.
LogResult<Bytes> read_block(io::File& file, std::uint64_t position, std::size_t size,
                            ColdPages* cold = nullptr);
/// The same, but less where the file ends.
LogResult<Bytes> read_up_to(io::File& file, std::uint64_t position, std::size_t size,
                            ColdPages* cold = nullptr);

}  // namespace milena::log
