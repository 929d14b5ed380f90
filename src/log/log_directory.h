/// LogDirectory: one directory of `log.dirs`, in Apache Kafka's layout: `meta.properties`, `.lock`, the
/// checkpoint files, `.kafka_cleanshutdown`, and one directory per partition.
///
/// A partition's directory is made with its `partition.metadata`, durably, before any record: Kafka takes a
/// directory without it for a stray and serves an empty partition in its place.
/// Threads: for one thread at a time; the calls that write are slow (they sync) and best offloaded.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/properties.h"
#include "io/disk.h"
#include "log/error.h"

namespace milena::log {

struct PartitionName {
  std::string topic;
  PartitionId partition{0};
  friend auto operator<=>(const PartitionName&, const PartitionName&) = default;
  std::string to_string() const;  // topic-N
  /// Empty result: not the name of a partition's directory.
  static std::optional<PartitionName> parse(std::string_view directory);
};

/// `meta.properties`, version 1. Other keys found there are kept.
struct MetaProperties {
  std::int32_t node_id = -1;
  std::string cluster_id;
  std::optional<Uuid> directory_id;
  Properties other;
};

enum class PartitionDirectoryKind : std::uint8_t { kPartition, kDelete, kFuture, kStray };

struct PartitionDirectory {
  std::string path;
  PartitionDirectoryKind kind = PartitionDirectoryKind::kPartition;
  PartitionName name;
  /// Of partition.metadata; nullopt: it has none.
  std::optional<TopicId> topic_id;
  /// Why the partition must not be served: data without partition.metadata, or one that cannot be read.
  std::string refusal;
};

struct DirectoryListing {
  std::vector<PartitionDirectory> partitions;  // sorted by path
  /// Directories that are no partition's: Kafka refuses to start on them. `lost+found` is left out.
  std::vector<std::string> unknown;
};

/// The content of an offset checkpoint file.
using OffsetCheckpoint = std::map<PartitionName, Offset>;

enum class CheckpointFile : std::uint8_t { kRecoveryPoint, kReplication, kLogStart, kCleaner };
const char* file_name(CheckpointFile file);
std::string format_offset_checkpoint(const OffsetCheckpoint& offsets);
/// Errors: kCorrupt.
LogResult<OffsetCheckpoint> parse_offset_checkpoint(std::string_view text);

class LogDirectory {
 public:
  /// Creates the directory where it is missing and takes `.lock`. Errors: kLocked, kIo, kCorrupt (a
  /// meta.properties that cannot be read or is of another version).
  static LogResult<std::unique_ptr<LogDirectory>> open(io::Disk& disk, std::string path);

  /// Stands for one whose disk does not work: not locked, nothing of it is known. Nothing else may be called on it.
  static std::unique_ptr<LogDirectory> broken(io::Disk& disk, std::string path);

  const std::string& path() const { return path_; }
  io::Disk& disk() const { return disk_; }
  /// nullptr: not formatted.
  const MetaProperties* meta() const { return meta_ ? &*meta_ : nullptr; }
  /// Reads meta.properties again: somebody else has formatted the directory. Errors: as open().
  LogResult<void> read_meta();
  /// Writes meta.properties. REQUIRES: not formatted, or the same cluster and node.
  LogResult<void> format(const MetaProperties& meta);

  LogResult<DirectoryListing> list();

  std::string partition_path(const PartitionName& name) const { return path_ + "/" + name.to_string(); }
  /// Makes the partition's directory with its partition.metadata, durably. One that is there with the same
  /// topic id is fine. Errors: kInvalid (name too long, another topic id), kCorrupt (data without metadata).
  LogResult<void> create_partition(const PartitionName& name, TopicId topic_id);
  /// The same for a copy that is to take the place of the partition's log in another directory; returns its path.
  /// Errors: kInvalid (name too long with `unique`).
  LogResult<std::string> create_future(const PartitionName& name, TopicId topic_id, Uuid unique);
  /// Gives the directory at `path`, a copy or one that was marked as deleted, the partition's name, durably.
  LogResult<void> promote_future(const std::string& path, const PartitionName& name);
  /// Renames the partition's directory for deletion, durably; returns the new path, to be removed later with
  /// Disk::remove_tree. `unique` is drawn by the caller.
  LogResult<std::string> mark_deleted(const PartitionName& name, Uuid unique);
  /// The same for a stray: a directory whose topic id the cluster does not know.
  LogResult<std::string> mark_stray(const PartitionName& name, Uuid unique);

  /// A missing file is an empty checkpoint.
  LogResult<OffsetCheckpoint> read_checkpoint(CheckpointFile file);
  LogResult<void> write_checkpoint(CheckpointFile file, const OffsetCheckpoint& offsets);

  /// Was the last stop clean? Reads `.kafka_cleanshutdown` and removes it durably, so that a crash from here
  /// on is seen as one. Call once, before any log is opened for writing.
  struct CleanShutdown {
    bool clean = false;
    std::int64_t broker_epoch = -1;  // -1: unknown
  };
  LogResult<CleanShutdown> take_clean_shutdown();
  /// The very last write of a clean stop, after every log's close plan, the epochs and the checkpoints.
  LogResult<void> write_clean_shutdown(std::int64_t broker_epoch);

 private:
  LogDirectory(io::Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
  LogResult<void> create_directory(const PartitionName& name, TopicId topic_id, const std::string& directory);
  LogResult<std::string> rename_partition(const PartitionName& name, Uuid unique, std::string_view suffix);
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

  io::Disk& disk_;
  std::string path_;
  std::unique_ptr<io::FileLock> lock_;
  std::optional<MetaProperties> meta_;
};

}  // namespace milena::log
