#include "log/segment.h"

#include <fmt/format.h>

#include "base/check.h"
#include "log/text_file.h"

namespace milena::log {
namespace {

constexpr std::size_t kDigits = 20;

}  // namespace

std::string segment_file_name(Offset base, std::string_view suffix) {
  return fmt::format("{:020}{}", base.value(), suffix);
}

std::optional<Offset> parse_segment_file_name(std::string_view name, std::string_view suffix) {
  if (name.size() != kDigits + suffix.size() || !name.ends_with(suffix)) return std::nullopt;
  std::int64_t offset = 0;
  if (!parse_number(name.substr(0, kDigits), offset) || offset < 0) return std::nullopt;
  return Offset(offset);
}

std::string Segment::path(std::string_view suffix) const {
  return context_.path + "/" + segment_file_name(base_, suffix);
}

LogResult<void> Segment::create() {
  index_.emplace(base_);
  missing_ = true;
  TRY_IO_ASSIGN(auto file, context_.disk.open(path(".log"), io::OpenMode::kCreate));
  TRY_IO(file->truncate(0));
  missing_ = false;
  file_ = std::move(file);
  ++context_.directory_version;
  return {};
}

LogResult<std::shared_ptr<io::File>> Segment::file() {
  if (missing_) TRY(create());
  if (file_ == nullptr) {
    TRY_IO_ASSIGN(auto file, context_.disk.open(path(".log"), io::OpenMode::kWrite));
    file_ = std::move(file);
  }
  return file_;
}

void Segment::cool() {
  file_.reset();
  if (context_.unsaved.contains(base_)) return;
  if (index_) max_timestamp_ = index_->max_timestamp();
  index_.reset();
}

LogResult<std::string> Segment::read_index_file(std::string_view suffix) {
  auto content = context_.disk.read_file(path(suffix), 2ULL << 30);
  if (!content.failed()) return std::move(*content);
  if (content.error().kind == io::ErrorKind::kNotFound) return std::string();
  return Err(from_io(std::move(content.error())));
}

LogResult<SegmentIndex*> Segment::index() {
  if (index_) return &*index_;
  TRY_ASSIGN(std::string txn_file, read_index_file(".txnindex"));
  TRY_ASSIGN(auto txns, parse_txn_index(txn_file, base_));
  TRY_ASSIGN(std::string offsets, read_index_file(".index"));
  TRY_ASSIGN(std::string times, read_index_file(".timeindex"));
  TRY_ASSIGN(auto log_file, file());
  auto parsed = SegmentIndex::parse(base_, offsets, times, txn_file);
  if (parsed.failed()) {
    TRY_ASSIGN(end_offset_, rebuild_index(std::move(txns), parsed.error().message));
    return &*index_;
  }
  TRY_ASSIGN(bool matches,
             parsed->resume(*log_file, size_, context_.options.index_interval_bytes, end_offset_));
  // Without time entries no look-up by time finds anything: that is right only where no record has a time.
  bool times_missing = times.empty() && parsed->max_timestamp().value() >= 0;
  if (!matches || times_missing) {
    TRY_ASSIGN(end_offset_, rebuild_index(std::move(txns), "it does not match the segment"));
    return &*index_;
  }
  index_ = std::move(*parsed);
  return &*index_;
}

LogResult<Offset> Segment::rebuild_index(std::vector<AbortedTransaction> txns, std::string_view why) {
  SegmentIndex rebuilt(base_);
  TRY_ASSIGN(auto log_file, file());
  EntryWalker walker(*log_file, 0, size_);
  Offset last = base_ - 1;
  while (true) {
    TRY_ASSIGN(auto header, walker.next());
    if (!header) break;
    if (header->last_offset <= last || header->last_offset - base_ > 0x7fffffff) {
      return Err(LogError{LogErrorKind::kCorrupt, fmt::format("{}: offsets do not ascend at position {}",
                                                              path(".log"), header->position)});
    }
    last = header->last_offset;
    rebuilt.add(last, header->position, header->size, header->max_timestamp,
                context_.options.index_interval_bytes);
  }
  if (!walker.finished()) {
    return Err(LogError{LogErrorKind::kCorrupt,
                        fmt::format("{}: no batch at position {}", path(".log"), walker.position())});
  }
  for (const AbortedTransaction& txn : txns) rebuilt.add_aborted(txn);
  // Whole or not at all: this may lie below the recovery point, where Kafka trusts what it finds.
  auto write = [&]() -> io::IoResult<void> {
    TRY(context_.disk.write_file(path(".index"), rebuilt.format_offsets()));
    return context_.disk.write_file(path(".timeindex"), rebuilt.format_times());
  };
  auto written = write();
  if (written.failed()) {
    LogError error = from_io(std::move(written.error()));
    if (error.kind != LogErrorKind::kNoSpace) return Err(std::move(error));
    context_.unsaved.insert(base_);  // reads go on without
  }
  context_.notes.push_back(fmt::format("{}: index rebuilt: {}", path(".index"), why));
  index_ = std::move(rebuilt);
  return last + 1;
}

LogResult<Offset> Segment::end_offset() {
  index_.reset();
  TRY(index());
  return end_offset_;
}

LogResult<std::optional<EntryHeader>> Segment::find(Offset offset) {
  TRY_ASSIGN(SegmentIndex * index, this->index());
  TRY_ASSIGN(auto log_file, file());
  EntryWalker walker(*log_file, index->position_before(offset), size_);
  while (true) {
    TRY_ASSIGN(auto header, walker.next());
    if (!header) {
      if (walker.finished()) return std::nullopt;
      return Err(LogError{LogErrorKind::kIo,
                          fmt::format("{}: no batch at position {}", path(".log"), walker.position())});
    }
    if (header->last_offset >= offset) return *header;
  }
}

LogResult<Timestamp> Segment::max_timestamp() {
  if (!index_ && max_timestamp_) return *max_timestamp_;
  TRY_ASSIGN(SegmentIndex * index, this->index());
  return index->max_timestamp();
}

LogResult<Timestamp> Segment::retention_timestamp() {
  TRY_ASSIGN(Timestamp max, max_timestamp());
  if (max.value() >= 0) return max;
  TRY_IO_ASSIGN(io::FileInfo info, context_.disk.stat(path(".log")));
  return Timestamp(info.mtime_ns / 1000000);
}

LogResult<std::optional<Timestamp>> Segment::first_timestamp() {
  if (first_timestamp_ || size_ == 0) return first_timestamp_;
  TRY_ASSIGN(auto log_file, file());
  EntryWalker walker(*log_file, 0, size_);
  TRY_ASSIGN(auto header, walker.next());
  if (header && header->max_timestamp.value() >= 0) first_timestamp_ = header->max_timestamp;
  return first_timestamp_;
}

LogResult<Offset> Segment::cut(std::uint64_t size, Offset offset) {
  TRY_ASSIGN(SegmentIndex * index, this->index());
  TRY_ASSIGN(auto log_file, file());
  TRY_IO(log_file->truncate(size));
  size_ = size;
  synced_size = std::min(synced_size, size);
  cut_unsynced = true;
  first_timestamp_.reset();
  index->truncate_to(offset);
  Offset next{0};
  TRY_ASSIGN(bool matches, index->resume(*log_file, size_, context_.options.index_interval_bytes, next));
  if (!matches) {
    auto txns = index->txns();
    TRY_ASSIGN(next, rebuild_index(std::move(txns), "the segment was cut"));
  }
  return next;
}

LogResult<std::vector<std::string>> Segment::write_indexes() {
  if (missing_) TRY(create());  // no index without its segment
  TRY_ASSIGN(SegmentIndex * index, this->index());
  std::vector<std::string> paths{path(".index"), path(".timeindex")};
  TRY_IO(context_.disk.write_unsynced(paths[0], index->format_offsets()));
  TRY_IO(context_.disk.write_unsynced(paths[1], index->format_times()));
  TRY(write_txn_index(index->format_txns(), paths));
  context_.unsaved.erase(base_);
  ++context_.directory_version;
  return paths;
}

// Unlike the other two it cannot be made again from the segment alone.
LogResult<void> Segment::write_txn_index(std::string_view content, std::vector<std::string>& paths) {
  std::string path = this->path(".txnindex");
  if (context_.disk.exists(path)) {
    TRY_ASSIGN(std::string old, read_index_file(".txnindex"));
    if (old != content) TRY_IO(context_.disk.write_file(path, content));
  } else if (!content.empty()) {
    TRY_IO(context_.disk.write_unsynced(path, content));
  } else {
    return {};
  }
  paths.push_back(std::move(path));
  return {};
}

LogResult<std::vector<std::string>> Segment::mark_deleted() {
  std::vector<std::string> renamed;
  for (std::string_view suffix : {".log", ".index", ".timeindex", ".txnindex", ".snapshot"}) {
    std::string from = path(suffix);
    std::string to = from + ".deleted";
    auto done = context_.disk.rename(from, to);
    if (!done.failed())
      renamed.push_back(std::move(to));
    else if (done.error().kind == io::ErrorKind::kNoSpace)
      done = context_.disk.remove_file(from);
    if (done.failed() && done.error().kind != io::ErrorKind::kNotFound)
      return Err(from_io(std::move(done.error())));
  }
  context_.unsaved.erase(base_);
  ++context_.directory_version;
  return renamed;
}

}  // namespace milena::log
