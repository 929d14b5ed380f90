/// MetadataStore: the files of the metadata log, `__cluster_metadata-0` in metadata.log.dir: the log itself,
/// `quorum-state`, the snapshots, and `bootstrap.checkpoint` beside them. Opening reads everything that a node
/// needs to go on: the newest finished snapshot and the batches behind it.
///
/// Kafka never records a recovery point for this log: it is scanned from its start at each open.
/// Calls are synchronous. Threads: one at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/record.h"
#include "io/disk.h"
#include "log/log.h"
#include "log/log_directory.h"
#include "raft/batch.h"
#include "raft/raft.h"

namespace milena::replica {

struct StoreError {
  std::string message;
};

struct LoadedMetadata {
  raft::Recovered recovered;
  std::vector<image::MetadataRecord> snapshot;  // contents of the newest snapshot; its id is in `recovered`
  std::vector<raft::LogBatch> batches;          // behind it
  std::vector<image::MetadataRecord> bootstrap; // of bootstrap.checkpoint, or this release's defaults
  std::vector<std::string> notes;               // what recovery did
};

class MetadataStore {
 public:
  /// `directory`: the log directory, formatted. Errors: anything unreadable, with the file's name.
  static Result<std::unique_ptr<MetadataStore>, StoreError> open(io::Disk& disk, log::LogDirectory& directory,
                                                                 log::LogOptions options, Timestamp now,
                                                                 LoadedMetadata& loaded);

  log::Log& log() { return *log_; }
  /// The oldest snapshot that is kept.
  std::optional<raft::SnapshotId> earliest_snapshot() const {
    return snapshots_.empty() ? std::nullopt : std::optional(snapshots_.front().id);
  }
  std::string snapshot_path(const raft::SnapshotId& id) const;
  /// Durable before it returns. After kNoSpace the one before stands.
  io::IoResult<void> write_quorum_state(const raft::QuorumState& state);
  /// Writes the snapshot as one durable step; after kNoSpace nothing is left of it. Any thread: nothing but the disk
  /// changes, until add_snapshot.
  io::IoResult<void> write_snapshot(const raft::SnapshotId& id, const Bytes& content) const;
  /// It was written. REQUIRES: newer than the others.
  void add_snapshot(const raft::RetentionInput::Snapshot& snapshot) { snapshots_.push_back(snapshot); }
  /// Removes snapshots and whole segments by Kafka's retention rule. Returns the new log start, if it moved.
  std::optional<Offset> clean(std::int64_t max_bytes, std::int64_t max_ms, Timestamp now);

 private:
  MetadataStore(io::Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
  Result<void, StoreError> load_snapshot(LoadedMetadata& loaded);
  struct Unreadable {
    raft::SnapshotId id;
    std::string why;
  };
  Result<std::optional<std::string>, StoreError> read_snapshot(const raft::SnapshotId& id, LoadedMetadata& loaded);
  Result<void, StoreError> do_without(const std::vector<Unreadable>& damaged, LoadedMetadata& loaded);
  Result<void, StoreError> load_log(LoadedMetadata& loaded, Timestamp now);
  Result<void, StoreError> load_bootstrap(const std::string& directory, LoadedMetadata& loaded);
  void remove_unfinished();

  io::Disk& disk_;
  std::string path_;
  std::unique_ptr<log::Log> log_;
  std::vector<raft::RetentionInput::Snapshot> snapshots_;  // ascending
  std::vector<Unreadable> unreadable_;
};

}  // namespace milena::replica
