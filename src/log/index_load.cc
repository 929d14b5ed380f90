#include "log/index_load.h"

#include <fmt/format.h>

#include <utility>

#include "base/coverage.h"
#include "base/mutant.h"

namespace milena::log {

LogResult<std::string> read_index_file(io::Disk& disk, const std::string& path) {
  auto content = disk.read_file(path, 2ULL << 30);
  if (!content.failed()) return std::move(*content);
  if (content.error().kind == io::ErrorKind::kNotFound) return std::string();
  return Err(from_io(std::move(content.error())));
}

LogResult<LoadedIndex> load_index(io::Disk& disk, IndexSource& source) {
  TRY_ASSIGN(std::string txn_file, read_index_file(disk, source.stem + ".txnindex"));
  TRY_ASSIGN(auto txns, parse_txn_index(txn_file, source.base));
  TRY_ASSIGN(std::string offsets, read_index_file(disk, source.stem + ".index"));
  TRY_ASSIGN(std::string times, read_index_file(disk, source.stem + ".timeindex"));
  if (source.file == nullptr) {
    TRY_IO_ASSIGN(auto file, disk.open(source.stem + ".log", io::OpenMode::kWrite));
    source.file = std::move(file);
  }
  auto parsed = SegmentIndex::parse(source.base, offsets, times, txn_file);
  if (parsed.failed()) return rebuild_index(source, txns, parsed.error().message);
  Offset end{0};
  TRY_ASSIGN(bool matches, parsed->resume(*source.file, source.size, source.interval_bytes, end));
  // Without time entries no look-up by time finds anything: that is right only where no record has a time.
  bool times_missing = times.empty() && parsed->max_timestamp().value() >= 0;
  if ((!matches || times_missing) && !MILENA_MUTANT("trusted-index"))
    return rebuild_index(source, txns, "it does not match the segment");
  return LoadedIndex{std::move(*parsed), end, {}};
}

LogResult<LoadedIndex> rebuild_index(const IndexSource& source, const std::vector<AbortedTransaction>& txns,
                                     std::string_view why) {
  MILENA_REACHED("recovery.index_rebuilt");
  SegmentIndex rebuilt(source.base);
  EntryWalker walker(*source.file, 0, source.size);
  Offset last = source.base - 1;
  while (true) {
    TRY_ASSIGN(auto header, walker.next());
    if (!header) break;
    if (header->last_offset <= last || header->last_offset - source.base > 0x7fffffff) {
      return Err(LogError{LogErrorKind::kCorrupt, fmt::format("{}.log: offsets do not ascend at position {}",
                                                              source.stem, header->position)});
    }
    last = header->last_offset;
    rebuilt.add(last, header->position, header->size, header->max_timestamp, source.interval_bytes);
  }
  if (!walker.finished()) {
    return Err(LogError{LogErrorKind::kCorrupt,
                        fmt::format("{}.log: no batch at position {}", source.stem, walker.position())});
  }
  for (const AbortedTransaction& txn : txns) rebuilt.add_aborted(txn);
  return LoadedIndex{std::move(rebuilt), last + 1, std::string(why)};
}

}  // namespace milena::log
