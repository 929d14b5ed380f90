/// Log::Impl: the state behind Log, and its steps. Spread over append.cc, read.cc, truncate.cc, retain.cc,
/// flush.cc and log.cc; filled by recovery.cc. For this room only.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "log/log.h"
#include "log/segment.h"
#include "wire/log_entry.h"

namespace milena::log {

/// The last batches of the active segment: readers at the tail need neither index nor file.
class RecentBatches {
 public:
  void add(const EntryHeader& header) { ring_[count_++ % kSize] = header; }
  void clear() { count_ = 0; }
  /// First batch whose last offset is at least `offset`, if that is certain from what is held.
  const EntryHeader* find(Offset offset) const;

 private:
  static constexpr std::size_t kSize = 16;
  std::array<EntryHeader, kSize> ring_{};
  std::size_t count_ = 0;
};

/// Batches that are to go out in one write to the active segment.
struct Staged {
  struct Entry {
    wire::LogEntryView view;
    std::uint64_t position;
    Offset base_offset;
    Offset last_offset;
    bool applied = false;  // the producers know it already
  };
  std::vector<Bytes> holders;  // keep the views alive
  std::vector<ByteView> pieces;
  std::vector<Entry> entries;
  std::vector<LogResult<AppendResult>*> outcomes;  // of the appends in it
  std::vector<ProducerUndo> undo;                  // the producers as they were, oldest first
  std::uint64_t bytes = 0;
  bool empty() const { return entries.empty(); }
  /// Its last batch belongs to a transaction.
  bool opens_transaction() const {
    return !empty() && !entries.back().applied && entries.back().view.batch().has_producer();
  }
  Offset end(Offset log_end) const { return empty() ? log_end : entries.back().last_offset + 1; }
  /// Keeps the memory for the next group.
  void clear() {
    holders.clear();
    pieces.clear();
    entries.clear();
    outcomes.clear();
    undo.clear();
    bytes = 0;
  }
};

struct Log::Impl {
  Impl(io::Disk& disk, OpenLog how)
      : context(disk, std::move(how.path), how.options),
        recovery_point(how.recovery_point),
        opened(how.now),
        random(how.seed) {}

  LogContext context;
  std::vector<std::unique_ptr<Segment>> segments;  // by base offset; never empty once open
  ProducerState producers;
  EpochCache epochs;
  std::set<Offset> snapshots;  // offsets of the snapshot files

  Offset log_start{0};
  Offset next_offset{0};  // log end
  Offset flushed{0};
  Offset recovery_point{0};
  Offset high_watermark{0};

  std::uint64_t epoch_version = 0;
  std::uint64_t epoch_version_saved = 0;
  std::uint64_t epoch_version_journaled = 0;
  std::uint64_t directory_version_synced = 0;
  std::uint64_t truncations = 0;
  std::vector<std::string> unsynced_paths;
  std::map<Offset, std::string> unsaved_snapshots;  // as context.unsaved
  std::vector<std::string> deleted_files;
  std::vector<Segment*> warm;  // sealed segments with an index in memory, the last used one last
  RecentBatches recent;
  Timestamp opened;  // when
  Staged staged;  // between stage_as_leader and commit_staged
  Random random;
  bool closed = false;
  std::string offline;

  Segment& active() { return *segments.back(); }
  const Segment& active() const { return *segments.back(); }
  LogResult<void> usable() const;
  /// Remembers that the disk failed, if this is such an error; hands the error on.
  LogError note(LogError error);

  // append.cc
  LogResult<AppendResult> append_leader(Bytes records, Epoch epoch, Timestamp now, AppendOrigin origin,
                                        std::int16_t marker_version, Staged& staged);
  void stage_entry(Staged& staged, const wire::LogEntryView& entry, Offset base_offset, bool apply);
  LogResult<AppendResult> append_raw(Bytes records, Timestamp now);
  void await_if_full(const LogError& error, const wire::BatchView& batch);
  /// Writes what is staged and takes it into indexes, producers, offsets. On error all is as before staging.
  LogResult<void> commit(Staged& staged);
  void index_entry(const Staged::Entry& entry);
  /// Makes room for `bytes` more; what is staged goes out first where the segment must be rolled.
  LogResult<void> make_room(Staged& staged, std::size_t bytes, Timestamp max_timestamp, Offset first,
                            Offset last, Timestamp now);
  LogResult<bool> should_roll(std::uint64_t size, std::size_t bytes, Timestamp max_timestamp, Offset last,
                              Timestamp now);
  LogResult<void> roll(Offset base, Timestamp now);
  LogResult<void> write_snapshot(Offset offset, std::string_view content);
  /// Makes it the active segment; where the disk is too full for its file, that is made by the first append.
  LogResult<void> add_empty(std::unique_ptr<Segment> segment);
  std::int64_t draw_jitter();
  void assign_epoch(Epoch epoch, Offset start);

  // read.cc
  /// Index into segments of the one that `offset` falls in; the first one below its base.
  std::size_t floor(Offset offset) const;
  Offset segment_end(std::size_t i) const {
    return i + 1 < segments.size() ? segments[i + 1]->base() : next_offset;
  }
  LogResult<std::optional<EntryHeader>> find(std::size_t i, Offset offset);
  LogResult<ReadPlan> plan_read(Offset from, std::size_t max_bytes, bool at_least_one, Offset upper_bound);
  LogResult<std::vector<AbortedTransaction>> aborted(Offset from, Offset upper_bound);
  LogResult<std::optional<TimestampedOffset>> find_time(Timestamp target);
  LogResult<std::optional<TimestampedOffset>> find_max_time();
  LogResult<void> warmed(ColdRead& read, LogResult<void> outcome);
  /// Keeps few sealed segments warm.
  void touch(Segment& segment);
  /// The same for segment `i`, if it is sealed and warm: a walk over all must not push out what it needs.
  void keep_warm(std::size_t i);

  // truncate.cc
  LogResult<Offset> truncate_to(Offset offset, Timestamp now);
  LogResult<void> truncate_fully(Offset offset, Timestamp now);
  LogResult<void> drop_segment(std::size_t i);
  LogResult<void> drop_snapshots_above(Offset offset);
  /// Producer state at the log end, from the newest snapshot at or below it and the batches behind.
  LogResult<void> reload_producers(Timestamp now);
  /// Takes batches of [from, next_offset) into the producer state.
  LogResult<void> replay_producers(Offset from, Offset end);

  // retain.cc
  /// How many segments, from the front, retention gives up.
  LogResult<std::size_t> count_old(Timestamp now);
  LogResult<std::size_t> delete_old(std::size_t count, Timestamp now);
  LogResult<bool> advance_start(Offset offset);

  // flush.cc
  /// Writes what recovery could not, the disk having been full; gives up when it still is.
  void save_unsaved();
  bool unsaved() const { return !context.unsaved.empty() || !unsaved_snapshots.empty(); }
  FlushPlan begin_flush();
  void complete_flush(const FlushPlan& plan);
  LogResult<FlushPlan> begin_close();

  Offset move_high_watermark(Offset offset);
  std::optional<Offset> first_unstable() const;
  void check_invariants() const;
};

}  // namespace milena::log
