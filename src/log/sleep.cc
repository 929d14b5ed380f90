// A log that is asleep: what it answers, how it wakes, and when it may fall asleep.
#include "log/sleep.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/coverage.h"
#include "log/log_impl.h"
#include "log/recovery.h"

namespace milena::log {
namespace {

class LogWaking final : public Waking {
 public:
  LogWaking(io::Disk& disk, OpenLog how) : disk_(disk), how_(std::move(how)) {}
  void run() override { outcome = LogLoader(disk_, std::move(how_)).load(&report); }

  LogResult<std::unique_ptr<Log>> outcome;
  RecoveryReport report;

 private:
  io::Disk& disk_;
  OpenLog how_;
};

constexpr Timestamp kNever(std::numeric_limits<std::int64_t>::max());

/// The first moment that is more than `delay_ms` behind.
Timestamp later(Timestamp from, std::int64_t delay_ms) {
  if (delay_ms >= std::numeric_limits<std::int64_t>::max() - std::max<std::int64_t>(from.value(), 0) - 1)
    return kNever;
  return Timestamp(from.value() + delay_ms + 1);
}

}  // namespace

Timestamp Log::next_retention() const {
  if (asleep()) return sleep_->next_retention();
  const Impl& log = *impl_;
  const LogOptions& options = log.context.options;
  Timestamp next = kNever;
  const Segment& active = log.active();
  bool any = log.segments.size() > 1 || active.size() > 0;
  if (options.delete_old_segments && options.retention_ms >= 0 && any) {
    Timestamp oldest = log.segments.front()->known_max_timestamp();
    next = oldest.value() < 0 ? Timestamp(0) : later(oldest, options.retention_ms);  // 0: look each time
  }
  if (active.size() > 0) {
    Timestamp first = active.known_first_timestamp().value_or(Timestamp(0));
    next = std::min(next, later(first, options.segment_ms - active.roll_jitter_ms()));
  }
  for (const ProducerEntry& entry : log.producers.producers()) {
    if (!entry.txn_first_offset)
      next = std::min(next, later(entry.last_timestamp, options.producer_id_expiration_ms));
  }
  return next;
}

LogResult<void> Log::Sleep::usable() const {
  if (!offline.empty()) return Err(LogError{LogErrorKind::kOffline, offline});
  if (closed) return Err(LogError{LogErrorKind::kOffline, "the log is closed"});
  return {};
}

bool Log::Sleep::nothing_to_read(Offset from, Offset upper_bound) const {
  return from >= summary.log_start_offset && from <= summary.log_end_offset &&
         from >= std::min(upper_bound, summary.log_end_offset);
}

std::optional<Offset> Log::Sleep::first_unstable() const {
  if (!summary.first_unstable_offset) return std::nullopt;
  return std::max(*summary.first_unstable_offset, summary.log_start_offset);
}

Offset Log::Sleep::move_high_watermark(Offset offset) {
  high_watermark = std::clamp(offset, summary.log_start_offset, summary.log_end_offset);
  return high_watermark;
}

void Log::Sleep::assign_epoch(Epoch epoch, Offset start) {
  if (epoch.value() >= 0 && start.value() >= 0 && epochs.assign(epoch, start)) ++epoch_version;
}

LogResult<bool> Log::Sleep::advance_start(Offset offset) {
  TRY(usable());
  if (offset > high_watermark) {
    return Err(LogError{LogErrorKind::kOffsetOutOfRange,
                        fmt::format("log start {} above the high watermark {}", offset, high_watermark)});
  }
  if (offset <= summary.log_start_offset) return false;
  summary.log_start_offset = offset;
  start_moved = true;
  if (epochs.truncate_from_start(offset)) ++epoch_version;
  return true;
}

bool Log::Sleep::retention_due(Timestamp now) const {
  const LogOptions& options = how.options;
  if (summary.size_bytes == 0 && summary.segments <= 1) return false;
  if (start_moved) return true;
  if (!options.delete_old_segments) return false;
  if (options.retention_bytes >= 0 &&
      summary.size_bytes > static_cast<std::uint64_t>(options.retention_bytes))
    return true;
  if (options.retention_ms < 0) return false;
  return summary.oldest == kNoTimestamp || now - summary.oldest > options.retention_ms;
}

Timestamp Log::Sleep::next_retention() const {
  const LogOptions& options = how.options;
  if (retention_due(Timestamp(0))) return Timestamp(0);
  bool by_time = options.delete_old_segments && options.retention_ms >= 0 && summary.size_bytes > 0;
  return by_time ? later(summary.oldest, options.retention_ms) : kNever;
}

FlushPlan Log::Sleep::begin_flush() const {
  FlushPlan plan;
  plan.up_to = plan.recovery_point = summary.log_end_offset;
  plan.epoch_version = epoch_version;
  if (epoch_version != epoch_version_saved) {
    plan.replacements.emplace_back(how.path + "/leader-epoch-checkpoint", epochs.format());
  }
  return plan;
}

void Log::Sleep::complete_flush(const FlushPlan& plan) {
  if (!plan.no_room) epoch_version_saved = std::max(epoch_version_saved, plan.epoch_version);
}

std::unique_ptr<Log> Log::open_asleep(io::Disk& disk, OpenLog how, const LogSummary& summary,
                                      EpochCache epochs, bool epochs_saved) {
  auto sleep = std::make_unique<Sleep>(disk, std::move(how));
  sleep->summary = summary;
  sleep->epochs = std::move(epochs);
  sleep->high_watermark = summary.log_start_offset;
  sleep->epoch_version = epochs_saved ? 0 : 1;
  return std::unique_ptr<Log>(new Log(std::move(sleep)));
}

std::shared_ptr<Waking> Log::begin_wake(Timestamp now) {
  OpenLog how = sleep_->how;
  how.clean = true;
  how.recovery_point = sleep_->summary.log_end_offset;  // nothing is to be cut
  how.log_start_offset = sleep_->summary.log_start_offset;
  how.now = now;
  return std::make_shared<LogWaking>(sleep_->disk, std::move(how));
}

LogResult<void> Log::complete_wake(Waking& waking) {
  if (!asleep()) return {};
  TRY(sleep_->usable());
  auto& done = static_cast<LogWaking&>(waking);
  Sleep& sleep = *sleep_;
  if (done.outcome.failed()) {
    if (done.outcome.error().kind != LogErrorKind::kNoSpace) fail(done.outcome.error().message);
    return Err(done.outcome.error());
  }
  Impl& impl = *(*done.outcome)->impl_;
  if (impl.next_offset != sleep.summary.log_end_offset) {
    LogError error{LogErrorKind::kCorrupt, fmt::format("{}: ends at offset {}, not {}", sleep.how.path,
                                                       impl.next_offset, sleep.summary.log_end_offset)};
    fail(error.message);
    return Err(std::move(error));
  }
  impl.context.options = sleep.how.options;
  impl.context.notes.insert(impl.context.notes.end(), done.report.notes.begin(), done.report.notes.end());
  impl.context.notes.insert(impl.context.notes.end(), sleep.notes.begin(), sleep.notes.end());
  // The epochs that were entered meanwhile; the file is written again also where opening had to mend it.
  bool mended = impl.epoch_version != impl.epoch_version_saved;
  impl.epochs = std::move(sleep.epochs);
  impl.epoch_version = sleep.epoch_version + (mended ? 1 : 0);
  impl.epoch_version_saved = sleep.epoch_version_saved;
  impl.epoch_version_journaled = sleep.epoch_version_journaled;
  Offset start = std::max(sleep.summary.log_start_offset, impl.log_start);
  Offset high_watermark = sleep.high_watermark;
  std::shared_ptr<OpenFiles> files = std::move(sleep.files);
  impl_ = std::move((*done.outcome)->impl_);
  if (sleep.producers) impl_->producers = std::move(*sleep.producers);
  for (const auto& one : sleep.refused) impl_->producers.await(one.producer_id, one.epoch, one.sequence);
  sleep_.reset();
  use_files(std::move(files));
  impl_->move_high_watermark(high_watermark);
  auto moved = impl_->advance_start(std::min(start, impl_->high_watermark));
  return moved.failed() ? LogResult<void>(Err(impl_->note(std::move(moved.error())))) : LogResult<void>();
}

void Log::adopt_producers(const Log& other) {
  if (asleep() || other.offline() || log_end_offset() != other.log_end_offset()) return;
  if (!other.asleep())
    impl_->producers = other.impl_->producers;
  else if (other.sleep_->producers)
    impl_->producers = *other.sleep_->producers;
}

LogResult<void> Log::wake(Timestamp now) {
  if (!asleep()) return {};
  TRY(sleep_->usable());
  auto waking = begin_wake(now);
  waking->run();
  return complete_wake(*waking);
}

void Log::note_refused(const wire::BatchView& batch) {
  constexpr std::size_t kMax = 1'000;
  if (!asleep() || !batch.has_producer() || batch.control() || sleep_->refused.size() >= kMax) return;
  sleep_->refused.push_back({batch.producer_id(), batch.producer_epoch(), batch.base_sequence()});
}

LogResult<void> Log::usable() {
  if (asleep()) TRY(wake(sleep_->how.now));
  return impl_->usable();
}

LogResult<std::optional<LogSummary>> Log::summarize() {
  if (asleep()) return std::optional(sleep_->summary);
  Impl& log = *impl_;
  bool saved = log.offline.empty() && log.staged.empty() && log.flushed == log.next_offset &&
               log.recovery_point == log.next_offset && !log.unsaved() && log.unsynced_paths.empty() &&
               log.context.directory_version == log.directory_version_synced && log.deleted_files.empty();
  // What a clean stop leaves, so that it need not wake the log for it.
  saved = saved && (log.next_offset == Offset(0) || log.snapshots.contains(log.next_offset));
  Segment& active = log.active();
  if (!saved || active.cut_unsynced || active.synced_size < active.size()) return std::optional<LogSummary>();
  auto info = log.context.disk.stat(active.path(".log"));
  if (info.failed() && info.error().kind == io::ErrorKind::kNotFound) return std::optional<LogSummary>();
  if (info.failed()) return Err(log.note(from_io(std::move(info.error()))));
  if (info->size != active.size()) return std::optional<LogSummary>();
  LogSummary summary;
  summary.log_start_offset = log.log_start;
  summary.log_end_offset = log.next_offset;
  summary.first_unstable_offset = log.producers.first_unstable_offset_at(log.next_offset);
  summary.size_bytes = size_bytes();
  summary.segments = static_cast<std::uint32_t>(log.segments.size());
  summary.oldest = log.segments.front()->known_max_timestamp();
  summary.active_base = active.base();
  summary.inode = info->inode;
  summary.active_size = info->size;
  summary.mtime_ns = info->mtime_ns;
  return std::optional(summary);
}

LogResult<bool> Log::doze() {
  if (asleep()) return true;
  TRY_ASSIGN(auto summary, summarize());
  if (!summary || impl_->closed) return false;
  Impl& log = *impl_;
  OpenLog how;
  how.path = log.context.path;
  how.options = log.context.options;
  how.now = log.opened;
  how.seed = log.random.next();
  auto sleep = std::make_unique<Sleep>(log.context.disk, std::move(how));
  sleep->summary = *summary;
  sleep->epochs = std::move(log.epochs);
  sleep->epoch_version = log.epoch_version;
  sleep->epoch_version_saved = log.epoch_version_saved;
  sleep->epoch_version_journaled = log.epoch_version_journaled;
  sleep->high_watermark = log.high_watermark;
  sleep->notes = std::move(log.context.notes);
  if (log.producers.knows_more_than_snapshot()) sleep->producers = std::move(log.producers);
  sleep->files = log.context.files;
  sleep_ = std::move(sleep);
  impl_.reset();
  MILENA_REACHED("log.fell_asleep");
  return true;
}

}  // namespace milena::log
