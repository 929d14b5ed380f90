#include "log/entry_walker.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crc32c.h"
#include "base/endian.h"

namespace milena::log {
namespace {

constexpr std::size_t kWalkWindow = 16 << 10;
constexpr std::size_t kScanWindow = 1 << 20;
constexpr std::size_t kLegacyHeader = 26;  // with a timestamp

MutableByteView writable(Buffer& buffer) {
  return {buffer.data(), buffer.size()};
}

LogResult<std::size_t> read_into(io::File& file, std::uint64_t at, MutableByteView into, ColdPages* cold) {
  auto got = cold == nullptr ? file.read_at(at, into) : file.read_cached(at, into);
  if (!got.failed()) return *got;
  if (got.error().kind == io::ErrorKind::kWouldBlock && cold != nullptr) *cold = {at, into.size()};
  return Err(from_io(std::move(got.error())));
}

EntryHeader decode(ByteView b, std::size_t size, std::uint64_t position) {
  EntryHeader header;
  header.position = position;
  header.size = size;
  header.magic = static_cast<std::int8_t>(b[16]);
  header.base_offset = Offset(load_be<std::int64_t>(b.data()));
  if (header.magic == wire::kMagicV2) {
    header.leader_epoch = Epoch(load_be<std::int32_t>(b.data() + 12));
    header.last_offset = header.base_offset + load_be<std::int32_t>(b.data() + 23);
    header.max_timestamp = Timestamp(load_be<std::int64_t>(b.data() + 35));
    header.has_producer = load_be<std::int64_t>(b.data() + 43) >= 0;
  } else {
    header.last_offset = header.base_offset;
    if (header.magic == 1) header.max_timestamp = Timestamp(load_be<std::int64_t>(b.data() + 18));
  }
  return header;
}

}  // namespace

LogResult<ByteView> EntryWalker::peek(std::size_t count) {
  count = static_cast<std::size_t>(std::min<std::uint64_t>(count, end_ - at_));
  if (at_ < window_at_ || at_ + count > window_at_ + window_.size()) {
    window_at_ = at_;
    window_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kWalkWindow, end_ - at_)));
    TRY_ASSIGN(std::size_t got, read_into(file_, at_, writable(window_), cold_));
    window_.resize(got);
    count = std::min(count, got);
  }
  return window_.view().subspan(static_cast<std::size_t>(at_ - window_at_), count);
}

LogResult<std::optional<EntryHeader>> EntryWalker::next() {
  TRY_ASSIGN(ByteView bytes, peek(wire::kBatchHeader));
  auto size = wire::entry_size(bytes);
  if (size.failed() || *size > end_ - at_) return std::nullopt;
  auto magic = static_cast<std::int8_t>(bytes[16]);
  std::size_t needed = magic == wire::kMagicV2 ? wire::kBatchHeader : magic == 1 ? kLegacyHeader : 18;
  if (bytes.size() < needed) return std::nullopt;
  EntryHeader header = decode(bytes, *size, at_);
  if (header.last_offset < header.base_offset || header.base_offset.value() < 0) return std::nullopt;
  at_ += *size;
  return header;
}

LogResult<ByteView> EntryScanner::fill(std::size_t count) {
  count = static_cast<std::size_t>(std::min<std::uint64_t>(count, end_ - at_));
  std::size_t skip = static_cast<std::size_t>(at_ - window_at_);
  if (skip + count > window_.size()) {
    std::size_t rest = window_.size() > skip ? window_.size() - skip : 0;
    if (rest > 0) std::memmove(window_.data(), window_.data() + skip, rest);
    window_at_ = at_;
    skip = 0;
    std::size_t want =
        static_cast<std::size_t>(std::min<std::uint64_t>(std::max(count, kScanWindow), end_ - at_));
    window_.resize(want);
    MutableByteView into = writable(window_).subspan(rest);
    TRY_IO_ASSIGN(std::size_t got, file_.read_at(at_ + rest, into));
    window_.resize(rest + got);
  }
  return window_.view().subspan(skip, std::min(count, window_.size() - skip));
}

LogResult<std::optional<wire::LogEntryView>> EntryScanner::next() {
  last_size_ = 0;
  if (finished()) return std::nullopt;
  TRY_ASSIGN(ByteView head, fill(wire::kBatchHeader));
  auto size = wire::entry_size(head);
  if (size.failed()) {
    why_ = wire::describe(size.error());
    return std::nullopt;
  }
  if (*size > end_ - at_) {
    why_ = "the file ends inside it";
    return std::nullopt;
  }
  TRY_ASSIGN(ByteView whole, fill(*size));
  auto entry = wire::LogEntryView::parse(whole);
  if (entry.failed()) {
    why_ = wire::describe(entry.error());
    return std::nullopt;
  }
  if (!entry->crc_ok()) {
    why_ = "its checksum does not match";
    return std::nullopt;
  }
  last_size_ = entry->size();
  at_ += last_size_;
  return *entry;
}

LogResult<std::optional<std::uint64_t>> find_valid_batch(io::File& file, std::uint64_t from,
                                                         std::uint64_t end, Offset expected) {
  Buffer window;
  for (std::uint64_t at = from; at + wire::kBatchHeader <= end;) {
    window.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kScanWindow, end - at)));
    TRY_IO_ASSIGN(std::size_t got, file.read_at(at, writable(window)));
    if (got < wire::kBatchHeader) break;
    std::size_t last = got - wire::kBatchHeader;
    for (std::size_t i = 0; i <= last; ++i) {
      if (window.data()[i + 16] != wire::kMagicV2) continue;
      Offset base(load_be<std::int64_t>(window.data() + i));
      // No record takes less than 7 bytes, so offsets cannot run ahead of the bytes in between by more.
      if (base < expected || base.value() - expected.value() > static_cast<std::int64_t>(end - from))
        continue;
      auto size = wire::entry_size({window.data() + i, wire::kBatchHeader});
      if (size.failed() || *size > end - (at + i)) continue;
      TRY_ASSIGN(Bytes whole, read_block(file, at + i, *size));
      auto batch = wire::BatchView::parse(whole.view());
      if (!batch.failed() && batch->crc_ok()) return at + i;
    }
    at += last + 1;
  }
  return std::nullopt;
}

LogResult<bool> only_zeros(io::File& file, std::uint64_t from, std::uint64_t end) {
  for (std::uint64_t at = from; at < end;) {
    TRY_ASSIGN(Bytes block, read_block(file, at, static_cast<std::size_t>(std::min<std::uint64_t>(kScanWindow, end - at))));
    if (std::ranges::any_of(block.view(), [](std::uint8_t byte) { return byte != 0; })) return false;
    at += block.size();
  }
  return true;
}

LogResult<Bytes> read_up_to(io::File& file, std::uint64_t position, std::size_t size, ColdPages* cold) {
  Buffer block;
  block.resize(size);
  TRY_ASSIGN(std::size_t got, read_into(file, position, writable(block), cold));
  block.resize(got);
  return block.freeze();
}

LogResult<Bytes> read_block(io::File& file, std::uint64_t position, std::size_t size, ColdPages* cold) {
  TRY_ASSIGN(Bytes block, read_up_to(file, position, size, cold));
  if (block.size() < size) {
    return Err(
        LogError{LogErrorKind::kIo, fmt::format("unexpected end of file: {} bytes at position {}, not {}",
                                                block.size(), position, size)});
  }
  return block;
}

}  // namespace milena::log
