/// Segment: one row of files `<base offset in 20 digits>.log, .index, .timeindex, .txnindex` of a partition.
///
/// Its file is opened and its index read when first needed; a sealed segment can let go of both. The index of
/// the active segment stays in memory and reaches the disk with write_indexes().
/// Threads: for one thread; the file may be shared with read plans on others.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "io/disk.h"
#include "log/cold_read.h"
#include "log/error.h"
#include "log/open_files.h"
#include "log/options.h"
#include "log/segment_index.h"

namespace milena::log {

class Segment;

/// What a log's segments share.
struct LogContext {
  LogContext(io::Disk& d, std::string p, const LogOptions& o) : disk(d), path(std::move(p)), options(o) {}

  io::Disk& disk;
  std::string path;
  LogOptions options;
  std::shared_ptr<OpenFiles> files;  // null: none is closed but by cool()
  /// Counts names that were made or removed in the directory.
  std::uint64_t directory_version = 0;
  std::vector<std::string> notes;  // repairs, for diagnostics
  /// Segments whose indexes stand in memory only, because the disk was full: written when there is room.
  std::set<Offset> unsaved;
  /// Of the look-up under way, and where it lacked what when it failed with kCold.
  Waits waits = Waits::kAllowed;
  const Segment* cold_segment = nullptr;
  bool cold_index = false;
  ColdPages cold_pages;
};

/// "00000000000000000042.log" for (42, ".log").
std::string segment_file_name(Offset base, std::string_view suffix);
/// The offset in such a name; nullopt: another name.
std::optional<Offset> parse_segment_file_name(std::string_view name, std::string_view suffix);

class Segment final : private OpenFiles::Holder {
 public:
  Segment(LogContext& context, Offset base, std::uint64_t size, Timestamp created,
          std::int64_t roll_jitter_ms)
      : context_(context), base_(base), size_(size), created_(created), roll_jitter_ms_(roll_jitter_ms) {}

  /// Makes the empty .log file, as long as a whole segment where the topic preallocates. After kNoSpace the segment is as good as without it: file() makes it.
  LogResult<void> create();

  Offset base() const { return base_; }
  std::uint64_t size() const { return size_; }
  Timestamp created() const { return created_; }
  std::int64_t roll_jitter_ms() const { return roll_jitter_ms_; }
  std::string path(std::string_view suffix) const;

  LogResult<std::shared_ptr<io::File>> file();
  /// The index, read from disk when first asked for, and rebuilt when it does not match the segment. Errors:
  /// kCold, and those of load_index.
  LogResult<SegmentIndex*> index();
  /// Takes what was loaded elsewhere, if the segment is still as it was then and lacks it.
  void warm_up(ColdRead& read);
  void set_index(SegmentIndex index) { index_ = std::move(index); }
  /// The log is one of a loop's from now on.
  void enter_files() {
    if (file_ != nullptr && context_.files != nullptr) context_.files->use(*this);
  }
  /// Lets go of the descriptor alone.
  void drop_file() {
    file_.reset();
    leave_files();
  }
  bool warm() const { return index_.has_value() || file_ != nullptr; }
  /// Lets go of the descriptor, and of the index unless that is unsaved. REQUIRES: write_indexes() was called
  /// if the index is newer than the disk.
  void cool();

  /// The offset behind the last batch; the base offset of an empty segment. Errors: kCorrupt: a broken batch.
  LogResult<Offset> end_offset();
  /// Where a walk through the file tells what it lacks; null where it may wait.
  ColdPages* cold_pages();
  /// For a ColdRead.
  IndexSource source() const;
  /// First entry whose last offset is at least `offset`; nullopt: none.
  LogResult<std::optional<EntryHeader>> find(Offset offset);
  /// Where to begin to look for the offset: by the index, which is made again where it is wrong.
  LogResult<std::uint64_t> start_of(Offset offset);
  /// Its aborted transactions, in order of their markers; valid until the next call of another function.
  LogResult<const std::vector<AbortedTransaction>*> aborted();
  /// Largest record timestamp; kNoTimestamp where no record has one.
  LogResult<Timestamp> max_timestamp();
  /// As max_timestamp where that is in memory; kNoTimestamp: it is not, or no record has one.
  Timestamp known_max_timestamp() const {
    return index_ ? index_->max_timestamp() : max_timestamp_.value_or(kNoTimestamp);
  }
  /// As first_timestamp, where that is in memory.
  std::optional<Timestamp> known_first_timestamp() const { return first_timestamp_; }
  /// As max_timestamp, or the file's time of change where no record has one (formats before 0.10).
  LogResult<Timestamp> retention_timestamp();
  /// Of the first batch: what segment.ms counts from.
  LogResult<std::optional<Timestamp>> first_timestamp();

  void set_first_timestamp(Timestamp timestamp) {
    if (timestamp.value() >= 0) first_timestamp_ = timestamp;
  }
  /// The file has grown by what was written at size().
  void grew(std::uint64_t bytes) { size_ += bytes; }
  /// Gives back the room behind the records that was made in advance. Nothing else is to be written.
  LogResult<void> trim();
  /// Cuts the file and brings the index in line; returns the offset behind the last batch left.
  LogResult<Offset> cut(std::uint64_t size, Offset offset);

  /// Writes .index, .timeindex and, where there are aborted transactions, .txnindex. Returns the paths, not
  /// synced. Errors: after kNoSpace the partial files are gone, and an older .txnindex is as it was.
  LogResult<std::vector<std::string>> write_indexes();
  /// Renames its files to `.deleted` and returns their new paths. A disk too full for a name loses them now.
  LogResult<std::vector<std::string>> mark_deleted();

  /// For Log's flushes: bytes known to be durable, and whether a cut is not yet.
  std::uint64_t synced_size = 0;
  bool cut_unsynced = false;

 private:
  void close_file() override { file_.reset(); }
  /// Writes an index that was made again, and takes it.
  LogResult<void> install(LoadedIndex loaded);
  bool stands_there(const std::optional<EntryHeader>& header, const SegmentIndex::Start& start) const;
  /// The index does not tell what stands at that position: it is made from the log.
  LogResult<void> mend_index(std::uint64_t position);
  /// It is the index from now on; where it was made again, the notes say why.
  void take(LoadedIndex loaded);
  LogResult<void> write_txn_index(std::string_view content, std::vector<std::string>& paths);

  LogContext& context_;
  Offset base_;
  std::uint64_t size_;
  Timestamp created_;
  std::int64_t roll_jitter_ms_;
  std::shared_ptr<io::File> file_;
  bool missing_ = false;  // the .log file could not be made yet
  bool preallocated_ = false;  // the file may be longer than size_
  std::optional<SegmentIndex> index_;
  Offset end_offset_{0};  // when index_ was loaded
  // Kept when the index is let go.
  std::optional<Timestamp> max_timestamp_;
  std::optional<std::vector<AbortedTransaction>> txns_;
  std::optional<Timestamp> first_timestamp_;
};

}  // namespace milena::log
