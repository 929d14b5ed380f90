/// Log::Sleep: a log of which nothing is open. For this room only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "log/log.h"

namespace milena::log {

struct Log::Sleep {
  Sleep(io::Disk& d, OpenLog h) : disk(d), how(std::move(h)) {}

  io::Disk& disk;
  OpenLog how;
  std::shared_ptr<OpenFiles> files;
  LogSummary summary;
  EpochCache epochs;
  std::uint64_t epoch_version = 0;
  std::uint64_t epoch_version_saved = 0;
  std::uint64_t epoch_version_journaled = 0;
  Offset high_watermark{0};
  bool start_moved = false;  // since the segments were last looked at
  bool closed = false;
  std::string offline;
  std::vector<std::string> notes;
  /// As they were known awake, where that is more than a snapshot holds.
  std::optional<ProducerState> producers;
  struct Refused {
    ProducerId producer_id;
    std::int16_t epoch;
    std::int32_t sequence;
  };
  /// Whose batches were refused because there was no room to wake for them, in their order.
  std::vector<Refused> refused;

  LogResult<void> usable() const;
  LogError cold() const { return {LogErrorKind::kCold, how.path + ": not open"}; }
  bool empty() const { return summary.log_start_offset == summary.log_end_offset; }
  bool nothing_to_read(Offset from, Offset upper_bound) const;
  std::optional<Offset> first_unstable() const;
  Offset move_high_watermark(Offset offset);
  void assign_epoch(Epoch epoch, Offset start);
  LogResult<bool> advance_start(Offset offset);
  /// Whether retention may find something to delete.
  bool retention_due(Timestamp now) const;
  Timestamp next_retention() const;
  FlushPlan begin_flush() const;
  void complete_flush(const FlushPlan& plan);
};

}  // namespace milena::log
