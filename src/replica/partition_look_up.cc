// Partition's look-ups: what memory answers is answered on the loop; what it lacks the pool fetches, and the
// look-up is made again.
#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "io/cached_file.h"
#include "replica/partition.h"
#include "replica/plan_load.h"

namespace milena::replica {

using wire::ErrorCode;

namespace {

template <class T>
bool is_cold(const log::LogResult<T>& result) {
  return result.failed() && result.error().kind == log::LogErrorKind::kCold;
}

// Where memory is so short that what was fetched is gone again, the loop waits after all.
log::Waits patience(const log::Log& log, std::size_t round) {
  constexpr std::size_t kRoundsMax = 64;
  return round < kRoundsMax + log.segment_count() ? log::Waits::kNever : log::Waits::kAllowed;
}

std::vector<AbortedRange> ranges_of(const std::vector<log::AbortedTransaction>& aborted) {
  std::vector<AbortedRange> ranges;
  for (const log::AbortedTransaction& one : aborted) ranges.push_back({one.producer_id, one.first_offset});
  return ranges;
}

// Whether the plan's bytes are best sent from their file: a slow reader would hold too much memory else. Smaller ones
// cost less processor time as a copy (docs/decisions/0010-tail-cache.md). Sending must not wait for the device.
bool may_send(const log::ReadPlan& plan) {
  constexpr std::size_t kSendFileMin = 4 << 20;
  if (plan.size < kSendFileMin || plan.size > Records::kPartsMax || plan.slices.size() != 1) return false;
  const log::FileSlice& slice = plan.slices.front();
  return io::is_cached(*slice.file, slice.position, slice.size);
}

}  // namespace

bool Partition::read_tail(const ReadRequest& request, Offset bound, Records& records) {
  if (tail_ == nullptr || request.form == Records::Form::kBlock) return false;
  Offset end = log_->log_end_offset();
  if (request.fetch_offset == end) tail_->follow();
  if (tail_->end() != end || request.fetch_offset < log_->log_start_offset()) return false;
  return tail_->read(request.fetch_offset, bound, static_cast<std::size_t>(std::max(request.max_bytes, 0)),
                     request.at_least_one, records);
}

io::Task<log::LogResult<void>> Partition::fetch_cold(std::shared_ptr<Partition> self) {
  std::shared_ptr<log::Log> log = self->log_;
  if (log->asleep()) co_return co_await wake(self);
  std::shared_ptr<log::ColdRead> cold = log->take_cold();
  auto outcome = std::make_shared<log::LogResult<void>>();
  io::Disk* disk = &self->loop_.disk();
  auto job = [cold, outcome, disk] { *outcome = cold->run(*disk); };
  co_await io::offload(self->loop_, std::move(job));
  // Whoever retired the partition need not have waited: the files may have been gone from where they were.
  if (self->retired_ || self->shut() || self->log_ != log) co_return log::LogResult<void>();
  auto warmed = self->log_->warmed(*cold, std::move(*outcome));
  self->note_change();  // for what it has to tell of repairs
  if (warmed.failed()) (void)self->failed(warmed.error());
  co_return warmed;
}

Partition::Planned Partition::plan(const ReadRequest& request, log::Waits waits) {
  Planned planned;
  ErrorCode state = check_leader(request.current_leader_epoch);
  if (state != ErrorCode::NONE) return Planned(state);
  ReadResult& result = planned.result;
  result.high_watermark = log_->high_watermark();
  result.last_stable_offset = log_->last_stable_offset();
  result.log_start_offset = log_->log_start_offset();
  if (request.last_fetched_epoch != kNoEpoch) {
    log::EpochEnd end = log_->end_offset_for(request.last_fetched_epoch);
    if (end.epoch == kNoEpoch) return Planned(ErrorCode::OFFSET_OUT_OF_RANGE);
    if (end.epoch < request.last_fetched_epoch || end.end_offset < request.fetch_offset) {
      result.diverging = {end.epoch, end.end_offset};
      return planned;
    }
  }
  Offset bound = request.read_committed ? result.last_stable_offset : result.high_watermark;
  if (request.to_log_end) bound = log_->log_end_offset();
  result.readable_end = bound;
  if (read_tail(request, bound, result.records)) {
    if (!request.read_committed) return planned;
    auto aborted = log_->aborted_transactions(request.fetch_offset, bound, waits);
    if (aborted.has_value()) {
      result.aborted = ranges_of(*aborted);
      return planned;
    }
    result.records = Records();  // its index is not in memory: as any other read
  }
  auto plan = log_->plan_read(request.fetch_offset, static_cast<std::size_t>(std::max(request.max_bytes, 0)),
                              request.at_least_one, bound, waits);
  planned.cold = is_cold(plan);
  if (planned.cold) return planned;
  if (plan.failed()) return Planned(failed(plan.error()));
  if (request.read_committed) {
    auto aborted =
        log_->aborted_transactions(request.fetch_offset, std::min(bound, plan->segment_end), waits);
    planned.cold = is_cold(aborted);
    if (planned.cold) return planned;
    if (aborted.failed()) return Planned(failed(aborted.error()));
    result.aborted = ranges_of(*aborted);
  }
  planned.plan = std::move(*plan);
  return planned;
}

io::Task<ReadResult> Partition::read(std::shared_ptr<Partition> self, ReadRequest request) {
  while (self->shut()) co_await self->progress_.wait();
  Planned planned = self->plan(request, log::Waits::kNever);
  for (std::size_t round = 1; planned.cold; ++round) {
    auto fetched = co_await fetch_cold(self);
    if (fetched.failed()) co_return ReadResult(log::error_code(fetched.error().kind));
    while (self->shut()) co_await self->progress_.wait();
    planned = self->plan(request, patience(*self->log_, round));
  }
  if (planned.plan.empty()) co_return std::move(planned.result);
  if (request.form == Records::Form::kPiecesOrFile && may_send(planned.plan)) {
    planned.result.records = Records(std::move(planned.plan.slices.front()));
    co_return std::move(planned.result);
  }
  auto data = co_await load(&self->loop_, std::move(planned.plan));
  if (data.failed()) {
    self->loop_.log().error("log", "reading {}-{} at offset {}: {}", self->topic_, self->id_.partition,
                            request.fetch_offset, data.error().what);
    co_return ReadResult(ErrorCode::KAFKA_STORAGE_ERROR);
  }
  planned.result.records = std::move(*data);
  co_return std::move(planned.result);
}

std::optional<LookupResult> Partition::look_up(const LookupRequest& request, log::Waits waits) {
  ErrorCode state = check_leader(request.current_leader_epoch);
  if (state != ErrorCode::NONE) return LookupResult(state);
  LookupResult result;
  Offset readable = request.read_committed ? log_->last_stable_offset() : log_->high_watermark();
  switch (request.timestamp) {
    case kLatest:
      result.offset = readable;
      result.leader_epoch = leader_epoch_;
      return result;
    case kEarliest:
    case kEarliestLocal:
      result.offset = log_->log_start_offset();
      result.leader_epoch = log_->epoch_at(result.offset).value_or(kNoEpoch);
      return result;
    case kLatestTiered:
    case kEarliestPendingUpload:
      return result;  // nothing is kept elsewhere, nothing is on its way there
    default:
      break;
  }
  auto found = request.timestamp == kMaxTimestamp
                   ? log_->offset_of_max_timestamp(waits)
                   : log_->offset_for_timestamp(Timestamp(request.timestamp), waits);
  if (is_cold(found)) return std::nullopt;
  if (found.failed()) return LookupResult(failed(found.error()));
  const auto& record = *found;
  if (record.has_value() && record->offset < readable) {
    result.offset = record->offset;
    result.timestamp = record->timestamp;
    result.leader_epoch = record->leader_epoch;
  }
  return result;
}

io::Task<LookupResult> Partition::lookup(std::shared_ptr<Partition> self, LookupRequest request) {
  while (self->shut()) co_await self->progress_.wait();
  std::optional<LookupResult> result = self->look_up(request, log::Waits::kNever);
  for (std::size_t round = 1; !result.has_value(); ++round) {
    auto fetched = co_await fetch_cold(self);
    if (fetched.failed()) co_return LookupResult(log::error_code(fetched.error().kind));
    while (self->shut()) co_await self->progress_.wait();
    result = self->look_up(request, patience(*self->log_, round));
  }
  co_return *result;
}

io::Task<std::vector<std::string>> Partition::retain(std::shared_ptr<Partition> self, Timestamp now) {
  std::shared_ptr<log::Log> held = self->log_;
  log::Log& log = *held;
  if (self->retired_ || self->gate_ != Gate::kOpen || log.offline()) co_return std::vector<std::string>();
  if (!log.asleep()) self->mark_written();
  auto rolled = log.roll_if_due(now);
  log.expire_producers(MILENA_MUTANT("wall-clock-expiry") ? now : self->steady_now());
  // Also where a full disk had no room to roll: this is what makes room.
  Offset start = log.log_start_offset();
  auto deleted = log.delete_old_segments(now, log::Waits::kNever);
  for (std::size_t round = 1; is_cold(deleted); ++round) {
    auto fetched = co_await fetch_cold(self);
    if (self->retired_ || self->shut() || self->log_ != held) co_return std::vector<std::string>();
    if (fetched.failed())
      deleted = Err(std::move(fetched.error()));
    else {
      self->mark_written();
      deleted = log.delete_old_segments(now, patience(log, round));
    }
  }
  if (log.offline()) {
    self->go_offline(log.offline_reason());
  } else if (log.wants_flush()) {
    self->start_flush();  // what had no room when it was due
  }
  if (rolled.failed() && deleted.failed()) {
    self->loop_.log().warn("log", "{}-{}: retention: {}", self->topic_, self->id_.partition,
                           deleted.error().message);
  }
  self->tell_moved();
  std::vector<std::string> files = log.take_deleted_files();
  if (log.log_start_offset() != start || deleted.failed()) self->note_change();
  // Who has only been read is not needed open until the next time.
  if (!self->flushing_ && !self->waking_ && self->first_queued_ == nullptr) {
    auto asleep = log.doze();
    if (asleep.failed()) (void)self->failed(asleep.error());
  }
  co_return files;
}

}  // namespace milena::replica
