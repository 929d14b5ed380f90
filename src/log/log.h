/// Log: one partition's log, in Apache Kafka's on-disk format, to the byte.
///
/// A log is a row of segments named by the offset they begin at; only the last, active one grows. The caller
/// appends batches, plans reads, moves the high watermark, and now and then flushes, retains and checkpoints.
/// The log itself never starts anything: what is slow (sync, removal of files, cold reads) is handed out as a
/// plan or a list of paths, to be run elsewhere.
///
/// The active segment's index entries live in memory and are written when the segment is rolled or the log is
/// closed; idle sealed segments hold no descriptors. The recovery point never passes a byte whose indexes,
/// snapshot and epochs are not on disk, so it moves at rolls and at a clean close, while `flushed_offset`
/// moves with every flush. Recovery's rules: recovery.h. Files: docs/formats/log-directory.md.
///
/// A log may be asleep: all that is known of it is its summary and its epochs, no file of it is open, and it needs
/// well under 1 KB. What that answers it answers; what more is asked wakes it, which reads files: whoever may not
/// wait wakes it first (begin_wake), look-ups fail with kCold.
///
/// Failure: a full disk (kNoSpace) leaves the log as it was; any other failed write makes it offline(), and
/// everything fails with kOffline from then on.
///
/// Threads: for one thread (its loop); plans may be run by others. Time comes as arguments.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"
#include "io/disk.h"
#include "log/cold_read.h"
#include "log/epoch_cache.h"
#include "log/error.h"
#include "log/flush_plan.h"
#include "log/open_files.h"
#include "log/options.h"
#include "log/producer_state.h"
#include "log/read_plan.h"
#include "log/summary.h"
#include "log/txn_index.h"

namespace milena::log {

struct OpenLog {
  /// The partition's directory. It exists, with `partition.metadata` (LogDirectory::create_partition).
  std::string path;
  LogOptions options;
  /// Of the checkpoint files; 0 where they do not name the partition.
  Offset recovery_point{0};
  Offset log_start_offset{0};
  /// The log directory was stopped cleanly.
  bool clean = false;
  /// All that the files hold is durable: Disk::sync_all has run since they were last written to.
  bool synced = false;
  /// Not a clean stop, but the process alone was killed, and this is what the log was before it was last written to:
  /// it need not be read below that end.
  std::optional<LogSummary> known;
  Timestamp now = kNoTimestamp;
  /// Seeds the segments' roll jitter.
  std::uint64_t seed = 0;
};

/// What opening a log found and did, for the server's diagnostics.
struct RecoveryReport {
  std::uint64_t scanned_bytes = 0;
  std::uint64_t scanned_records = 0;
  std::uint64_t truncated_bytes = 0;
  std::vector<std::string> notes;  // one line each: a rebuilt index, a removed file, a cut tail
};

struct AppendResult {
  Offset first_offset = kNoOffset;
  Offset last_offset = kNoOffset;
  /// The append time given to the records; kNoTimestamp where the topic keeps the producers' times. For a
  /// duplicate, as in Kafka, the time of the batch that is in the log.
  Timestamp log_append_time = kNoTimestamp;
  Timestamp max_timestamp = kNoTimestamp;
  Offset log_start_offset{0};
  /// Nothing was appended: the log has the batch already, at first_offset.
  bool duplicate = false;
  std::size_t bytes = 0;
};

struct TimestampedOffset {
  Timestamp timestamp = kNoTimestamp;
  Offset offset = kNoOffset;
  Epoch leader_epoch = kNoEpoch;
  bool operator==(const TimestampedOffset&) const = default;
};

class Log {
 public:
  /// Opens, and where needed recovers, the log; an empty directory becomes an empty log that begins at
  /// log_start_offset. Errors: kCorrupt, with file and position in the message and nothing touched; kIo;
  /// kNoSpace.
  static LogResult<std::unique_ptr<Log>> open(io::Disk& disk, OpenLog how, RecoveryReport* report = nullptr);
  /// The same for a log whose files are as `summary` and `epochs` tell: it sleeps, and nothing is read. `how.clean` and
  /// `how.recovery_point` do not count.
  /// `epochs_saved`: leader-epoch-checkpoint has them all.
  static std::unique_ptr<Log> open_asleep(io::Disk& disk, OpenLog how, const LogSummary& summary, EpochCache epochs,
                                          bool epochs_saved = true);
  ~Log();

  // Sleeping.
  bool asleep() const { return sleep_ != nullptr; }
  /// What opens a log that is asleep: run() anywhere, then complete_wake() here. REQUIRES: asleep().
  std::shared_ptr<Waking> begin_wake(Timestamp now);
  /// Takes what was opened, unless the log is awake already. Errors: those of open(); kCorrupt also where the files do
  /// not hold what the log was known to hold. But for kNoSpace it is offline then.
  LogResult<void> complete_wake(Waking& waking);
  /// There was no room to wake for this client's batch: its producer is awaited (ProducerState::await) once it is awake.
  void note_refused(const wire::BatchView& batch);
  /// Of another log with the same records: what it knows of producers. It had up to five batches of each, a snapshot
  /// has one, and a retry may repeat any of them.
  void adopt_producers(const Log& other);
  /// Both at once; it may wait. An awake log stays as it is.
  LogResult<void> wake(Timestamp now);
  /// What is to be remembered of a log so that it need not be read again; nullopt while some of it is in memory only.
  /// Asks the file system. Errors: kIo.
  LogResult<std::optional<LogSummary>> summarize();
  /// Falls asleep, if that loses nothing; returns whether it did. As summarize().
  LogResult<bool> doze();

  // Offsets.
  Offset log_start_offset() const;
  Offset log_end_offset() const;
  /// All below it survives a power loss.
  Offset flushed_offset() const;
  /// For `recovery-point-offset-checkpoint`.
  Offset recovery_point() const;
  Offset high_watermark() const;
  /// min(first unstable offset, high watermark): the end of what read_committed sees.
  Offset last_stable_offset() const;
  std::optional<Offset> first_unstable_offset() const;
  /// Moves the high watermark, bounded to [log start, log end]; it may go back. Returns the new value.
  Offset set_high_watermark(Offset offset);

  /// What was repaired since the log was opened, one line each: index files that are lost or damaged are found
  /// out at the first read of their segment. Told once.
  std::vector<std::string> take_notes();

  // Appending.
  /// Appends records that a client, a coordinator or this node's quorum leader made: gives them offsets,
  /// stamps the leader epoch and, where the topic says so, the time, in place. `records`: one or more whole
  /// v2 batches (one from clients), validated by wire::validate_produce; nobody else may read them during the
  /// call. `marker_version`: see ProducerState::check.
  /// Errors: the producer kinds, kCorruptBatch, kBatchTooLarge, kNoSpace, kIo, kOffline.
  LogResult<AppendResult> append_as_leader(Bytes records, Epoch leader_epoch, Timestamp now,
                                           AppendOrigin origin = AppendOrigin::kClient,
                                           std::int16_t marker_version = 0);
  /// As append_as_leader, in a group: each append is checked and given its offsets now, and what passed goes out in
  /// one write at commit_staged(), or before it where a segment must be rolled. `outcome` is final then: an append
  /// that was staged fails with the write. Until then nothing else is asked of the log but further staging.
  void stage_as_leader(Bytes records, Epoch leader_epoch, Timestamp now, AppendOrigin origin,
                       LogResult<AppendResult>& outcome);
  void commit_staged();
  /// Appends batches that carry their offsets (a follower's fetch, a quorum follower): formats and CRCs are
  /// checked, offsets must ascend from the log end offset on; a batch cut short at the end is left out.
  /// Errors: kUnexpectedOffset, kCorruptBatch (nothing was appended), kBatchTooLarge, kNoSpace, kIo,
  /// kOffline.
  LogResult<AppendResult> append_raw(Bytes records, Timestamp now);
  /// Enters a leader epoch that begins at the log end offset (becoming leader) or at `start`.
  void assign_epoch(Epoch epoch, Offset start);
  /// Makes a new active segment when the current one has outlived segment.ms (no append needed).
  LogResult<void> roll_if_due(Timestamp now);
  /// Makes a new active segment if the current one holds records.
  LogResult<void> roll(Timestamp now);

  // Reading. Look-ups that may not wait for the device fail with kCold: see cold_read.h.
  /// The batches from the one that contains `from` on, none that reaches past `upper_bound` (an offset
  /// readers may not pass: high watermark, last stable offset, log end). At most max_bytes; with
  /// `at_least_one` the first batch comes whole even if it alone is larger. Empty at or past the upper bound.
  /// Errors: kOffsetOutOfRange (from < log start or > log end), kIo, kOffline.
  LogResult<ReadPlan> plan_read(Offset from, std::size_t max_bytes, bool at_least_one, Offset upper_bound,
                                Waits waits = Waits::kAllowed);
  /// Aborted transactions that overlap [from, upper_bound): what read_committed consumers must skip. In order
  /// of their markers.
  LogResult<std::vector<AbortedTransaction>> aborted_transactions(Offset from, Offset upper_bound,
                                                                  Waits waits = Waits::kAllowed);
  /// The first record at or behind the log start whose timestamp is at least `target` (ListOffsets).
  LogResult<std::optional<TimestampedOffset>> offset_for_timestamp(Timestamp target,
                                                                   Waits waits = Waits::kAllowed);
  /// The record with the largest timestamp, the first of equals (ListOffsets -3).
  LogResult<std::optional<TimestampedOffset>> offset_of_max_timestamp(Waits waits = Waits::kAllowed);
  /// What the last call lacked that failed with kCold. REQUIRES: it did, and this was not called since.
  std::shared_ptr<ColdRead> take_cold();
  /// Takes what was run; of use only if the log is still as it was, harmless otherwise. Errors: the run's, if
  /// they still matter.
  LogResult<void> warmed(ColdRead& read, LogResult<void> outcome);

  // Epochs (OffsetForLeaderEpoch, truncation).
  /// The epochs as they are now stand in a journal: no flush is wanted for them alone.
  void epochs_journaled();
  EpochEnd end_offset_for(Epoch epoch) const;
  std::optional<Epoch> epoch_at(Offset offset) const;
  const std::vector<EpochEntry>& epochs() const;

  // Truncating. The caller rewrites the recovery point checkpoint before it appends again.
  /// Drops all from `offset` on; a batch that contains it goes whole. Returns the new log end offset.
  LogResult<Offset> truncate_to(Offset offset, Timestamp now);
  /// Drops everything; the log is empty and begins at `offset`.
  LogResult<void> truncate_fully_and_start_at(Offset offset, Timestamp now);

  // Retention. Files are renamed to `.deleted`: see take_deleted_files.
  /// DeleteRecords, a follower's leader, a snapshot: records below `offset` are gone for readers. Returns
  /// whether it moved. Errors: kOffsetOutOfRange above the high watermark.
  LogResult<bool> advance_log_start_offset(Offset offset);
  /// Deletes whole segments that retention.ms, retention.bytes or the log start offset give up; never records
  /// at or above the high watermark. Returns how many.
  LogResult<std::size_t> delete_old_segments(Timestamp now, Waits waits = Waits::kAllowed);
  /// When delete_old_segments, roll_if_due and expire_producers may next find something to do if nothing is appended
  /// and no setting changes; Timestamp::max(): never.
  Timestamp next_retention() const;
  /// Paths of files that retention and truncation gave up since the last call: remove them elsewhere, after
  /// file.delete.delay.ms (readers may still hold plans on them).
  std::vector<std::string> take_deleted_files();
  void expire_producers(Timestamp now);

  // Durability.
  /// Messages appended since the last flush: compare with flush.messages.
  std::int64_t unflushed_messages() const;
  /// A flush would move the recovery point or make epochs durable.
  bool wants_flush() const;
  /// What makes all up to the current log end durable. Plans may overlap with appends, not with each other.
  FlushPlan begin_flush();
  void complete_flush(const FlushPlan& plan);
  /// A plan's run failed, or the caller found the disk broken: the log is offline.
  void fail(std::string why);
  /// Writes indexes, snapshot and epochs for a clean stop; after the plan has run and complete_flush, the
  /// recovery point is the log end offset. Nothing may be appended in between.
  LogResult<FlushPlan> begin_close();

  /// Its files count among these from now on; without, a log closes none by itself.
  void use_files(std::shared_ptr<OpenFiles> files);
  /// Closes them all; they are opened again when they are needed.
  void close_files();

  bool offline() const;
  const std::string& offline_reason() const;
  const std::string& path() const;
  const LogOptions& options() const;
  void set_options(const LogOptions& options);
  std::uint64_t size_bytes() const;
  std::size_t segment_count() const;
  /// REQUIRES: awake.
  const ProducerState& producers() const;

  /// Statements about the log's own state that must hold; for tests and the simulator.
  void check_invariants() const;

 private:
  friend class LogLoader;
  struct Impl;
  struct Sleep;
  explicit Log(std::unique_ptr<Impl> impl);
  explicit Log(std::unique_ptr<Sleep> sleep);
  /// Wakes the log if it is asleep.
  LogResult<void> usable();
  std::unique_ptr<Impl> impl_;    // null: asleep
  std::unique_ptr<Sleep> sleep_;  // null: awake
};

}  // namespace milena::log
