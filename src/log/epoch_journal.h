/// The journal of epoch starts of a log directory, `.milena-epochs`: one append for all partitions that an election
/// concerns, in place of rewriting each one's `leader-epoch-checkpoint`. An epoch that has records needs neither: its
/// batches tell, and the checkpoint is written before the recovery point passes them. A clean stop writes all
/// checkpoints and removes the journal; Apache Kafka needs nothing of it after a kill, since its own election replaces
/// epochs that have no records.
///
/// Records follow each other, each with a checksum; a reader stops at the first that is torn or damaged. Byte table:
/// docs/formats/milena-files.md. Threads: values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "io/disk.h"
#include "log/epoch_cache.h"
#include "log/error.h"
#include "log/log_directory.h"

namespace milena::log {

struct EpochStart {
  PartitionName name;
  TopicId topic_id;
  EpochEntry entry;
  bool operator==(const EpochStart&) const = default;
};

std::string epoch_journal_path(const std::string& directory);
std::string format_epoch_starts(const std::vector<EpochStart>& starts);
/// What stands before the first damage.
std::vector<EpochStart> parse_epoch_starts(std::string_view content);

/// Appends to the directory's journal and syncs it. Errors: kNoSpace: nothing was appended; kIo.
LogResult<void> append_epoch_starts(io::Disk& disk, const std::string& directory, const std::vector<EpochStart>& starts);

}  // namespace milena::log
