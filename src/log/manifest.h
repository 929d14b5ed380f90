/// The manifest of a log directory, `.milena-manifest`: what is known of the logs in it, so that a start need not open
/// them; and its marks, `.milena-marks-<n>`: which of them have been written to since. Both can be made again at any
/// time by opening the logs, and whoever doubts them does.
///
/// A manifest is written at a clean stop (kStopped) and when a node has registered (kRunning). What a reader must know
/// before it believes one:
///   kStopped: `.kafka_cleanshutdown` has the same broker epoch, and the quorum's epoch is still the same: nobody else
///     ran on the directory since;
///   kRunning: same boot of the machine and same file system, so that what a killed process wrote is in the page cache;
///     the node's last registration has the same incarnation; the quorum's epoch is the same; every file of marks is
///     there and whole. A log that is marked is known up to its summary's end, and to be read from there.
/// And of each log: its active segment's .log file has the same inode, size and time of change.
///
/// A loop has a file of marks of its own: one record of 8 bytes per log, before the log's first write. A process that
/// is killed tears at most the last one, and has not written to that log then. Nothing here is synced but a stopped
/// manifest: after a power loss the boot is another one. Byte tables: docs/formats/milena-files.md.
/// Threads: values; a MarkFile is for one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "io/disk.h"
#include "log/epoch_cache.h"
#include "log/error.h"
#include "log/log_directory.h"
#include "log/summary.h"

namespace milena::log {

struct ManifestEntry {
  PartitionName name;
  TopicId topic_id;
  LogSummary summary;
  std::vector<EpochEntry> epochs;
  bool operator==(const ManifestEntry&) const = default;
};

struct Manifest {
  enum class Kind : std::uint8_t { kStopped = 0, kRunning = 1 };
  Kind kind = Kind::kRunning;
  std::uint8_t mark_files = 0;
  std::int64_t broker_epoch = -1;
  Epoch quorum_epoch = kNoEpoch;
  Uuid incarnation;
  io::DiskIdentity identity;
  std::vector<ManifestEntry> entries;  // the index of one is what marks name it by
};

/// `checksum`: of the manifest, which its marks repeat.
std::string format_manifest(const Manifest& manifest, std::uint32_t* checksum = nullptr);
/// Errors: kCorrupt.
LogResult<Manifest> parse_manifest(std::string_view content, std::uint32_t* checksum = nullptr);

/// Whether the files in a partition's directory may be those that the summary tells of: same inode, size and time of
/// change of the active segment.
bool matches_files(io::Disk& disk, const std::string& partition_path, const LogSummary& summary);

std::string manifest_path(const std::string& directory);
std::string marks_path(const std::string& directory, std::size_t number);

/// The indexes that are marked. Errors: kCorrupt: not the marks of this manifest, or damaged.
LogResult<std::vector<std::uint32_t>> parse_marks(std::string_view content, std::uint32_t manifest_checksum);

class MarkFile {
 public:
  /// Makes the file anew. Errors: kIo, kNoSpace.
  static LogResult<std::unique_ptr<MarkFile>> create(io::Disk& disk, const std::string& path,
                                                     std::uint32_t manifest_checksum);
  /// The log is about to be written to. Errors: kIo, kNoSpace: it must not be then, or the marks must go.
  LogResult<void> mark(std::uint32_t index);

 private:
  MarkFile(std::unique_ptr<io::File> file, std::uint32_t checksum) : file_(std::move(file)), checksum_(checksum) {}
  std::unique_ptr<io::File> file_;
  std::uint32_t checksum_;
  std::uint64_t size_ = 0;
};

}  // namespace milena::log
