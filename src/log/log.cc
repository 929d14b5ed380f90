#include "log/log.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/mutant.h"
#include "log/log_impl.h"
#include "log/recovery.h"
#include "log/sleep.h"

namespace milena::log {
namespace {

// For the length of one look-up.
class Patience {
 public:
  Patience(LogContext& context, Waits waits) : context_(context) {
    context_.waits = waits;
    context_.cold_segment = nullptr;
  }
  ~Patience() { context_.waits = Waits::kAllowed; }
  Patience(const Patience&) = delete;
  Patience& operator=(const Patience&) = delete;

 private:
  LogContext& context_;
};

}  // namespace

LogResult<void> Log::Impl::usable() const {
  if (!offline.empty()) return Err(LogError{LogErrorKind::kOffline, offline});
  if (closed) return Err(LogError{LogErrorKind::kOffline, "the log is closed"});
  return {};
}

LogError Log::Impl::note(LogError error) {
  if (error.kind == LogErrorKind::kIo && offline.empty()) offline = error.message;
  return error;
}

Offset Log::Impl::move_high_watermark(Offset offset) {
  high_watermark = MILENA_MUTANT("unbounded-high-watermark") ? offset : std::clamp(offset, log_start, next_offset);
  producers.high_watermark_moved(high_watermark);
  return high_watermark;
}

std::optional<Offset> Log::Impl::first_unstable() const {
  auto first = producers.first_unstable_offset();
  if (!first) return std::nullopt;
  return std::max(*first, log_start);
}

void Log::Impl::check_invariants() const {
  CHECK(!segments.empty());
  for (std::size_t i = 0; i + 1 < segments.size(); ++i) {
    CHECK(segments[i]->base() < segments[i + 1]->base());
  }
  CHECK(segments.front()->base() <= log_start && log_start <= next_offset, "start {} end {}", log_start,
        next_offset);
  CHECK(segments.back()->base() <= next_offset);
  CHECK(log_start <= high_watermark && high_watermark <= next_offset);
  CHECK(flushed <= next_offset && recovery_point <= flushed, "recovery point {} flushed {} end {}",
        recovery_point, flushed, next_offset);
  CHECK(epochs.entries().empty() || epochs.entries().back().start_offset <= next_offset);
  for (const Segment* segment : warm) {
    CHECK(std::ranges::any_of(segments, [&](const auto& held) { return held.get() == segment; }));
  }
}

LogResult<std::unique_ptr<Log>> Log::open(io::Disk& disk, OpenLog how, RecoveryReport* report) {
  return LogLoader(disk, std::move(how)).load(report);
}

Log::Log(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Log::Log(std::unique_ptr<Sleep> sleep) : sleep_(std::move(sleep)) {}
Log::~Log() = default;

Offset Log::log_start_offset() const {
  return asleep() ? sleep_->summary.log_start_offset : impl_->log_start;
}
Offset Log::log_end_offset() const {
  return asleep() ? sleep_->summary.log_end_offset : impl_->next_offset;
}
Offset Log::flushed_offset() const {
  return asleep() ? sleep_->summary.log_end_offset : impl_->flushed;
}
Offset Log::recovery_point() const {
  return asleep() ? sleep_->summary.log_end_offset : impl_->recovery_point;
}
Offset Log::high_watermark() const {
  return asleep() ? sleep_->high_watermark : impl_->high_watermark;
}
std::optional<Offset> Log::first_unstable_offset() const {
  return asleep() ? sleep_->first_unstable() : impl_->first_unstable();
}

Offset Log::last_stable_offset() const {
  auto first = first_unstable_offset();
  return first ? std::min(*first, high_watermark()) : high_watermark();
}

Offset Log::set_high_watermark(Offset offset) {
  return asleep() ? sleep_->move_high_watermark(offset) : impl_->move_high_watermark(offset);
}

/// Runs `call` unless the log is offline, and takes the log offline if the disk failed in it.
#define GUARDED(call)                                                          \
  do {                                                                         \
    TRY(usable());                                                             \
    auto result_ = (call);                                                     \
    if (result_.failed()) return Err(impl_->note(std::move(result_.error()))); \
    return result_;                                                            \
  } while (false)

LogResult<AppendResult> Log::append_as_leader(Bytes records, Epoch leader_epoch, Timestamp now,
                                              AppendOrigin origin, std::int16_t marker_version) {
  TRY(usable());
  Staged staged;
  auto result = impl_->append_leader(std::move(records), leader_epoch, now, origin, marker_version, staged);
  if (result.failed()) return Err(impl_->note(std::move(result.error())));
  auto committed = impl_->commit(staged);
  if (committed.failed()) return Err(impl_->note(std::move(committed.error())));
  return result;
}

void Log::stage_as_leader(Bytes records, Epoch leader_epoch, Timestamp now, AppendOrigin origin,
                          LogResult<AppendResult>& outcome) {
  auto attempt = [&]() -> LogResult<AppendResult> {
    TRY(usable());
    return impl_->append_leader(std::move(records), leader_epoch, now, origin, 0, impl_->staged);
  };
  outcome = attempt();
  if (asleep()) return;
  if (outcome.failed()) outcome = Err(impl_->note(std::move(outcome.error())));
  else if (!outcome->duplicate) impl_->staged.outcomes.push_back(&outcome);
  // The group's next append must see what this one opened.
  if (impl_->staged.opens_transaction()) commit_staged();
}

void Log::commit_staged() {
  if (asleep()) return;
  if (impl_->commit(impl_->staged).failed()) return;  // each outcome tells
}

LogResult<AppendResult> Log::append_raw(Bytes records, Timestamp now) {
  GUARDED(impl_->append_raw(std::move(records), now));
}

void Log::assign_epoch(Epoch epoch, Offset start) {
  if (asleep()) sleep_->assign_epoch(epoch, start);
  else impl_->assign_epoch(epoch, start);
}

LogResult<void> Log::roll_if_due(Timestamp now) {
  if (asleep()) return {};  // the next append looks
  TRY(usable());
  auto due = impl_->should_roll(impl_->active().size(), 0, now, impl_->next_offset, now);
  if (due.failed()) return Err(impl_->note(std::move(due.error())));
  if (!*due) return {};
  return roll(now);
}

LogResult<void> Log::roll(Timestamp now) {
  TRY(usable());
  if (impl_->active().size() == 0) return {};
  GUARDED(impl_->roll(impl_->next_offset, now));
}

/// As GUARDED, for a look-up that may or may not wait.
#define LOOK_UP(waits_, call)                    \
  do {                                           \
    if (asleep() && (waits_) == Waits::kNever) return Err(sleep_->cold()); \
    TRY(usable());                               \
    Patience patience(impl_->context, (waits_)); \
    GUARDED(call);                               \
  } while (false)

LogResult<ReadPlan> Log::plan_read(Offset from, std::size_t max_bytes, bool at_least_one, Offset upper_bound,
                                   Waits waits) {
  if (asleep() && sleep_->nothing_to_read(from, upper_bound)) return ReadPlan();
  LOOK_UP(waits, impl_->plan_read(from, max_bytes, at_least_one, upper_bound));
}

LogResult<std::vector<AbortedTransaction>> Log::aborted_transactions(Offset from, Offset upper_bound,
                                                                     Waits waits) {
  if (from > upper_bound) return std::vector<AbortedTransaction>();
  LOOK_UP(waits, impl_->aborted(from, upper_bound));
}

LogResult<std::optional<TimestampedOffset>> Log::offset_for_timestamp(Timestamp target, Waits waits) {
  if (asleep() && sleep_->empty()) return std::nullopt;
  LOOK_UP(waits, impl_->find_time(target));
}

LogResult<std::optional<TimestampedOffset>> Log::offset_of_max_timestamp(Waits waits) {
  if (asleep() && sleep_->empty()) return std::nullopt;
  LOOK_UP(waits, impl_->find_max_time());
}

std::shared_ptr<ColdRead> Log::take_cold() {
  CHECK(!asleep(), "what is asleep is woken");
  LogContext& context = impl_->context;
  const Segment* segment = std::exchange(context.cold_segment, nullptr);
  CHECK(segment != nullptr, "no look-up lacked anything");
  return std::make_shared<ColdRead>(context.cold_index, segment->source(), context.cold_pages,
                                    impl_->truncations);
}

LogResult<void> Log::warmed(ColdRead& read, LogResult<void> outcome) {
  if (asleep()) return {};
  GUARDED(impl_->warmed(read, std::move(outcome)));
}

void Log::epochs_journaled() {
  if (asleep()) sleep_->epoch_version_journaled = sleep_->epoch_version;
  else impl_->epoch_version_journaled = impl_->epoch_version;
}

EpochEnd Log::end_offset_for(Epoch epoch) const {
  return (asleep() ? sleep_->epochs : impl_->epochs).end_offset_for(epoch, log_end_offset());
}
std::optional<Epoch> Log::epoch_at(Offset offset) const {
  return (asleep() ? sleep_->epochs : impl_->epochs).epoch_at(offset);
}
const std::vector<EpochEntry>& Log::epochs() const {
  return (asleep() ? sleep_->epochs : impl_->epochs).entries();
}

LogResult<Offset> Log::truncate_to(Offset offset, Timestamp now) {
  GUARDED(impl_->truncate_to(offset, now));
}

LogResult<void> Log::truncate_fully_and_start_at(Offset offset, Timestamp now) {
  GUARDED(impl_->truncate_fully(offset, now));
}

LogResult<bool> Log::advance_log_start_offset(Offset offset) {
  if (asleep()) return sleep_->advance_start(offset);
  GUARDED(impl_->advance_start(offset));
}

LogResult<std::size_t> Log::delete_old_segments(Timestamp now, Waits waits) {
  if (asleep() && !sleep_->retention_due(now)) return std::size_t{0};
  auto count_old = [&]() -> LogResult<std::size_t> { LOOK_UP(waits, impl_->count_old(now)); };
  TRY_ASSIGN(std::size_t count, count_old());
  if (count == 0) return count;
  GUARDED(impl_->delete_old(count, now));
}

std::vector<std::string> Log::take_deleted_files() {
  if (asleep()) return {};
  return std::exchange(impl_->deleted_files, {});
}

void Log::expire_producers(Timestamp now) {
  if (asleep()) return;  // waking does it
  impl_->producers.expire(now, impl_->context.options.producer_id_expiration_ms);
}

std::int64_t Log::unflushed_messages() const {
  return log_end_offset() - flushed_offset();
}

bool Log::wants_flush() const {
  if (asleep()) return false;
  return impl_->recovery_point < impl_->active().base() ||
         impl_->epoch_version != std::max(impl_->epoch_version_saved, impl_->epoch_version_journaled) ||
         impl_->unsaved();
}

FlushPlan Log::begin_flush() {
  return asleep() ? sleep_->begin_flush() : impl_->begin_flush();
}
void Log::complete_flush(const FlushPlan& plan) {
  if (asleep()) sleep_->complete_flush(plan);
  else impl_->complete_flush(plan);
}

void Log::fail(std::string why) {
  std::string& offline = asleep() ? sleep_->offline : impl_->offline;
  if (offline.empty()) offline = std::move(why);
}

LogResult<FlushPlan> Log::begin_close() {
  if (asleep()) {
    TRY(sleep_->usable());
    sleep_->closed = true;
    return sleep_->begin_flush();
  }
  TRY(usable());
  auto plan = impl_->begin_close();
  if (plan.failed()) return Err(impl_->note(std::move(plan.error())));
  impl_->closed = true;
  return plan;
}

std::vector<std::string> Log::take_notes() {
  return std::exchange(asleep() ? sleep_->notes : impl_->context.notes, {});
}

void Log::use_files(std::shared_ptr<OpenFiles> files) {
  if (asleep()) {
    sleep_->files = std::move(files);
    return;
  }
  impl_->context.files = std::move(files);
  for (const auto& segment : impl_->segments) segment->enter_files();
}

void Log::close_files() {
  if (asleep()) return;
  for (const auto& segment : impl_->segments) segment->drop_file();
}

bool Log::offline() const {
  return !offline_reason().empty();
}
const std::string& Log::offline_reason() const {
  return asleep() ? sleep_->offline : impl_->offline;
}
const std::string& Log::path() const {
  return asleep() ? sleep_->how.path : impl_->context.path;
}
const LogOptions& Log::options() const {
  return asleep() ? sleep_->how.options : impl_->context.options;
}
void Log::set_options(const LogOptions& options) {
  (asleep() ? sleep_->how.options : impl_->context.options) = options;
}

std::uint64_t Log::size_bytes() const {
  if (asleep()) return sleep_->summary.size_bytes;
  std::uint64_t total = 0;
  for (const auto& segment : impl_->segments) total += segment->size();
  return total;
}

std::size_t Log::segment_count() const {
  return asleep() ? sleep_->summary.segments : impl_->segments.size();
}
const ProducerState& Log::producers() const {
  CHECK(!asleep(), "a log that is asleep knows no producers");
  return impl_->producers;
}

void Log::check_invariants() const {
  if (!asleep()) impl_->check_invariants();
}

}  // namespace milena::log
