#include "log/segment.h"

#include <fmt/format.h>

#include <utility>

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
  if (name.starts_with('-') || !parse_number(name.substr(0, kDigits), offset)) return std::nullopt;
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
  if (context_.options.preallocate) {
    auto room = file->truncate(static_cast<std::uint64_t>(context_.options.segment_bytes));
    // It is only done in advance: without room for it the file grows as it is written.
    if (room.failed() && room.error().kind != io::ErrorKind::kNoSpace) return Err(from_io(std::move(room.error())));
    preallocated_ = true;
  }
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
  if (context_.files != nullptr) context_.files->use(*this);
  return file_;
}

void Segment::cool() {
  drop_file();
  if (context_.unsaved.contains(base_)) return;
  if (index_) {
    max_timestamp_ = index_->max_timestamp();
    txns_ = index_->txns();
  }
  index_.reset();
}

IndexSource Segment::source() const {
  return {base_, path(""), size_, context_.options.index_interval_bytes, file_};
}

LogResult<SegmentIndex*> Segment::index() {
  if (index_) return &*index_;
  if (context_.waits == Waits::kNever) {
    context_.cold_segment = this;
    context_.cold_index = true;
    return Err(LogError{LogErrorKind::kCold, path(".index") + ": not in memory"});
  }
  TRY(file());
  IndexSource from = source();
  TRY_ASSIGN(LoadedIndex loaded, load_index(context_.disk, from));
  TRY(install(std::move(loaded)));
  return &*index_;
}

LogResult<void> Segment::install(LoadedIndex loaded) {
  if (!loaded.rebuilt.empty()) {
    // Whole or not at all: this may lie below the recovery point, where Kafka trusts what it finds.
    auto write = [&]() -> io::IoResult<void> {
      TRY(context_.disk.write_file(path(".index"), loaded.index.format_offsets()));
      return context_.disk.write_file(path(".timeindex"), loaded.index.format_times());
    };
    auto written = write();
    if (written.failed()) {
      LogError error = from_io(std::move(written.error()));
      if (error.kind != LogErrorKind::kNoSpace) return Err(std::move(error));
      context_.unsaved.insert(base_);  // reads go on without
    }
  }
  take(std::move(loaded));
  return {};
}

void Segment::take(LoadedIndex loaded) {
  if (!loaded.rebuilt.empty()) {
    context_.notes.push_back(fmt::format("{}: index rebuilt: {}", path(".index"), loaded.rebuilt));
  }
  end_offset_ = loaded.end_offset;
  index_ = std::move(loaded.index);
}

void Segment::warm_up(ColdRead& read) {
  if (index_ || read.source.size != size_) return;
  auto loaded = std::exchange(read.loaded, std::nullopt);
  if (!loaded.has_value()) return;
  if (!loaded->rebuilt.empty()) context_.unsaved.insert(base_);  // the next flush writes it
  if (file_ == nullptr) {
    file_ = read.source.file;
    enter_files();
  }
  take(*std::move(loaded));
}

ColdPages* Segment::cold_pages() {
  if (context_.waits == Waits::kAllowed) return nullptr;
  context_.cold_segment = this;
  context_.cold_index = false;
  return &context_.cold_pages;
}

LogResult<Offset> Segment::end_offset() {
  index_.reset();
  TRY(index());
  return end_offset_;
}

LogResult<void> Segment::mend_index(std::uint64_t position) {
  std::vector<AbortedTransaction> txns = index_->txns();
  std::string why = fmt::format("it is wrong about position {}", position);
  TRY_ASSIGN(LoadedIndex rebuilt, rebuild_index(source(), txns, why));
  return install(std::move(rebuilt));
}

LogResult<std::uint64_t> Segment::start_of(Offset offset) {
  TRY_ASSIGN(SegmentIndex * index, this->index());
  TRY_ASSIGN(auto log_file, file());
  SegmentIndex::Start start = index->start_for(offset);
  if (!start.last_offset) return start.position;
  EntryWalker walker(*log_file, start.position, size_, cold_pages());
  TRY_ASSIGN(auto header, walker.next());
  if (stands_there(header, start)) return start.position;
  TRY(mend_index(start.position));
  return index_->position_before(offset);
}

bool Segment::stands_there(const std::optional<EntryHeader>& header, const SegmentIndex::Start& start) const {
  if (!start.last_offset) return true;
  return header && header->base_offset >= base_ && header->last_offset <= *start.last_offset;
}

LogResult<std::optional<EntryHeader>> Segment::find(Offset offset) {
  TRY_ASSIGN(SegmentIndex * index, this->index());
  TRY_ASSIGN(auto log_file, file());
  SegmentIndex::Start start = index->start_for(offset);
  EntryWalker walker(*log_file, start.position, size_, cold_pages());
  for (bool first = true;; first = false) {
    TRY_ASSIGN(auto header, walker.next());
    if (first && !stands_there(header, start)) {
      TRY(mend_index(start.position));
      return find(offset);
    }
    if (!header) {
      if (walker.finished()) return std::nullopt;
      return Err(LogError{LogErrorKind::kIo,
                          fmt::format("{}: no batch at position {}", path(".log"), walker.position())});
    }
    if (header->last_offset >= offset) return *header;
  }
}

LogResult<const std::vector<AbortedTransaction>*> Segment::aborted() {
  if (!index_ && txns_) return &*txns_;
  TRY_ASSIGN(SegmentIndex * index, this->index());
  return &index->txns();
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

LogResult<void> Segment::trim() {
  if (!preallocated_) return {};
  TRY_ASSIGN(auto log_file, file());
  TRY_IO(log_file->truncate(size_));
  preallocated_ = false;
  cut_unsynced = true;
  return {};
}

LogResult<Offset> Segment::cut(std::uint64_t size, Offset offset) {
  TRY_ASSIGN(SegmentIndex * index, this->index());
  TRY_ASSIGN(auto log_file, file());
  TRY_IO(log_file->truncate(size));
  preallocated_ = false;
  size_ = size;
  synced_size = std::min(synced_size, size);
  cut_unsynced = true;
  first_timestamp_.reset();
  index->truncate_to(offset);
  Offset next{0};
  TRY_ASSIGN(bool matches, index->resume(*log_file, size_, context_.options.index_interval_bytes, next));
  if (!matches) {
    TRY_ASSIGN(LoadedIndex rebuilt, rebuild_index(source(), index->txns(), "the segment was cut"));
    TRY(install(std::move(rebuilt)));
    next = end_offset_;
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
    TRY_ASSIGN(std::string old, read_index_file(context_.disk, path));
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
