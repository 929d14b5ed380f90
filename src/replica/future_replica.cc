#include "replica/future_replica.h"

#include <algorithm>
#include <utility>

#include "wire/log_entry.h"

namespace milena::replica {

using Step = FutureReplica::Step;
using wire::ErrorCode;

namespace {

constexpr std::int32_t kChunkBytes = 1 << 20;
constexpr std::size_t kNearlyAllBytes = 64 << 10;
constexpr Duration kThrottleSlice = 50ms;

// The first offset of the batch that the records begin with.
Offset first_offset(const Bytes& records, Offset otherwise) {
  wire::LogEntryCursor cursor(records.view());
  wire::LogEntryView entry;
  if (!cursor.next(entry)) return otherwise;
  return std::min(entry.base_offset().value_or(otherwise), otherwise);
}

}  // namespace

FutureReplica::FutureReplica(io::Loop& loop, std::string path, std::uint64_t seed,
                             std::shared_ptr<CopyThrottle> throttle)
    : loop_(loop), path_(std::move(path)), seed_(seed), throttle_(std::move(throttle)) {}

Step FutureReplica::failed(std::string why) {
  failure_ = std::move(why);
  return Step::kFailed;
}

io::Task<Step> FutureReplica::begin(log::LogOptions options, Offset start) {
  log::OpenLog how;
  how.path = path_;
  how.options = options;
  how.log_start_offset = start;
  how.now = loop_.wall_now();
  how.seed = seed_;
  using Opened = log::LogResult<std::unique_ptr<log::Log>>;
  auto opened = std::make_shared<std::optional<Opened>>();
  io::Disk* disk = &loop_.disk();
  auto job = [opened, how, disk] { opened->emplace(log::Log::open(*disk, how)); };
  co_await io::offload(loop_, std::move(job));
  if ((*opened)->failed()) {
    bool full = (*opened)->error().kind == log::LogErrorKind::kNoSpace;
    co_return full ? Step::kLater : failed((*opened)->error().message);
  }
  log_ = std::move(***opened);
  co_return Step::kCaughtUp;
}

Step FutureReplica::append(ReadResult read, bool throttled) {
  if (!read.records.empty()) {
    auto appended = log_->append_raw(read.records.block(), loop_.wall_now());
    if (appended.failed()) {
      bool full = appended.error().kind == log::LogErrorKind::kNoSpace;
      return full ? Step::kLater : failed(appended.error().message);
    }
    // Without the batch that a read cuts short: the next read begins with it.
    if (throttled) throttle_->copied(loop_.now(), appended->bytes);
  }
  Offset high_watermark = log_->set_high_watermark(read.high_watermark);
  auto moved = log_->advance_log_start_offset(std::min(read.log_start_offset, high_watermark));
  return moved.failed() ? failed(moved.error().message) : Step::kCaughtUp;
}

io::Task<Step> FutureReplica::flush() {
  auto plan = std::make_shared<log::FlushPlan>(log_->begin_flush());
  io::Disk* disk = &loop_.disk();
  auto job = [plan, disk] { return plan->run(*disk); };
  auto synced = co_await io::offload(loop_, std::move(job));
  if (synced.failed()) co_return failed(synced.error().what);
  log_->complete_flush(*plan);
  co_return Step::kCaughtUp;
}

io::Task<Step> FutureReplica::catch_up(std::shared_ptr<FutureReplica> self, std::shared_ptr<Partition> from,
                                       bool to_the_end) {
  while (true) {
    if (self->ended_ || from->retired()) co_return Step::kEnded;
    ReadRequest request;
    request.id = from->id();
    request.fetch_offset = self->log_ != nullptr ? self->log_->log_end_offset() : from->log().log_start_offset();
    request.max_bytes = kChunkBytes;
    request.at_least_one = true;
    ReadResult read = co_await Partition::read(from, request);
    if (self->ended_ || from->retired() || read.error == ErrorCode::KAFKA_STORAGE_ERROR) co_return Step::kEnded;
    if (read.error == ErrorCode::OFFSET_OUT_OF_RANGE && self->log_ != nullptr) {
      // What was to be copied next has been deleted meanwhile.
      auto anew = self->log_->truncate_fully_and_start_at(from->log().log_start_offset(), self->loop_.wall_now());
      if (anew.failed()) co_return self->failed(anew.error().message);
      continue;
    }
    if (read.error != ErrorCode::NONE) co_return Step::kLater;
    if (self->log_ == nullptr) {
      // A log start may lie within a batch: the copy begins with the whole batch.
      Offset start = first_offset(read.records.block(), read.log_start_offset);
      Step begun = co_await self->begin(from->settings().log, start);
      if (begun != Step::kCaughtUp) co_return begun;
      if (self->ended_) co_return Step::kEnded;
      if (self->log_->log_end_offset() > request.fetch_offset) continue;  // it was closed, and goes on
    }
    bool all = read.records.empty() || (!to_the_end && read.records.size() < kNearlyAllBytes);
    Step appended = self->append(std::move(read), !to_the_end);
    if (appended != Step::kCaughtUp) co_return appended;
    while (!to_the_end && !self->ended_ && self->loop_.now() < self->throttle_->free_at()) {
      co_await io::sleep_for(self->loop_, kThrottleSlice);
    }
    if (all) co_return Step::kCaughtUp;
    if (self->log_->wants_flush()) {
      Step flushed = co_await self->flush();
      if (flushed != Step::kCaughtUp) co_return flushed;
    }
    co_await io::sleep_for(self->loop_, Duration::zero());  // others have their turn
  }
}

io::Task<Step> FutureReplica::finish(std::shared_ptr<FutureReplica> self, std::shared_ptr<Partition> from) {
  from->set_gate(Partition::Gate::kReads);
  from->start_flush();  // who waits for a commit gets it
  co_await from->flushes_done();
  Step step = co_await catch_up(self, from, true);
  if (step == Step::kCaughtUp && self->log_->log_end_offset() != from->log().log_end_offset()) step = Step::kLater;
  if (step != Step::kCaughtUp) {
    from->set_gate(Partition::Gate::kOpen);
    co_return step;
  }
  from->set_gate(Partition::Gate::kShut);
  log::Log& log = *self->log_;
  // An epoch that has no records yet counts, too.
  if (!from->log().epochs().empty()) {
    const log::EpochEntry& latest = from->log().epochs().back();
    log.assign_epoch(latest.epoch, latest.start_offset);
  }
  self->closed_ = {log.log_start_offset(), log.log_end_offset()};
  std::string why;
  bool full = false;
  auto plan = log.begin_close();
  if (plan.failed()) {
    why = plan.error().message;
    full = plan.error().kind == log::LogErrorKind::kNoSpace;
  } else {
    auto shared = std::make_shared<log::FlushPlan>(std::move(*plan));
    io::Disk* disk = &self->loop_.disk();
    auto job = [shared, disk] { return shared->run(*disk); };
    auto synced = co_await io::offload(self->loop_, std::move(job));
    if (synced.failed()) why = synced.error().what;
    full = shared->no_room;
  }
  self->log_.reset();
  if (why.empty() && !full) co_return Step::kCaughtUp;
  from->set_gate(Partition::Gate::kOpen);
  co_return full ? Step::kLater : self->failed(std::move(why));
}

}  // namespace milena::replica
