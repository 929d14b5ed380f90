#include "replica/partition.h"

#include <algorithm>
#include <utility>

#include "base/coverage.h"
#include "base/mutant.h"

namespace milena::replica {

using wire::ErrorCode;

Partition::Partition(io::Loop& loop, TopicIdPartition id, std::string topic, std::unique_ptr<log::Log> log,
                     PartitionSettings settings, OnOffline on_offline)
    : loop_(loop),
      id_(id),
      topic_(std::move(topic)),
      log_(std::move(log)),
      settings_(std::move(settings)),
      on_offline_(std::move(on_offline)),
      last_flush_(loop.now()),
      opened_wall_(loop.wall_now()),
      opened_at_(loop.now()),
      progress_(loop) {
  log_->set_options(settings_.log);
  tell_moved();  // nobody yet: what is there is no news
}

Partition::~Partition() {
  while (first_watch_ != nullptr) first_watch_->leave();
}

void Partition::set_settings(const PartitionSettings& settings) {
  if (MILENA_MUTANT("stale-settings")) return;
  settings_ = settings;
  log_->set_options(settings_.log);
  note_change();
  note_unflushed();
}

void Partition::lead(Epoch epoch) {
  if (leading_ && epoch == leader_epoch_) return;
  leading_ = true;
  leader_epoch_ = epoch;
  if (!log_->offline()) log_->assign_epoch(epoch, log_->log_end_offset());
  move_high_watermark();
  tell_moved();
  tell_watches(kState);
}

void Partition::set_replicas(std::int32_t in_sync, std::int32_t all) {
  in_sync_ = in_sync;
  replicas_ = all;
}

void Partition::stand_down() {
  leading_ = false;
  progress_.notify_all();
  tell_watches(kState);
}

void Partition::retire() {
  retired_ = true;
  if (tail_ != nullptr) tail_->clear();
  stand_down();
  if (first_queued_ != nullptr) loop_.ready().push(writer_);  // a gate may have held them: they are refused
}

void Partition::set_gate(Gate gate) {
  gate_ = gate;
  if (first_queued_ != nullptr) loop_.ready().push(writer_);
  progress_.notify_all();
}

void Partition::replace_log(std::unique_ptr<log::Log> log) {
  marks_.reset();  // of the other directory
  log->set_options(settings_.log);
  log->adopt_producers(*log_);
  // Records may have been deleted since the copy was closed.
  Offset high_watermark = log->set_high_watermark(log_->high_watermark());
  auto moved = log->advance_log_start_offset(std::min(log_->log_start_offset(), high_watermark));
  if (moved.failed()) log->fail(moved.error().message);
  log->use_files(files_);
  log_ = std::move(log);
  if (tail_ != nullptr) tail_->clear();
  told_offline_ = false;
  told_no_room_ = false;
  if (log_->offline()) go_offline(log_->offline_reason());
  note_change();
  tell_moved();
}

void Partition::use_cache(std::shared_ptr<TailCache> cache) {
  tail_ = std::make_unique<TailCache::Tail>(std::move(cache));
}

ErrorCode Partition::check_leader(Epoch current_leader_epoch) const {
  if (log_->offline()) return ErrorCode::KAFKA_STORAGE_ERROR;
  if (!leading_) return ErrorCode::NOT_LEADER_OR_FOLLOWER;
  if (current_leader_epoch != kNoEpoch) {
    if (current_leader_epoch < leader_epoch_) return ErrorCode::FENCED_LEADER_EPOCH;
    if (current_leader_epoch > leader_epoch_) return ErrorCode::UNKNOWN_LEADER_EPOCH;
  }
  return ErrorCode::NONE;
}

// Kafka tells the log start offset with a refusal, except where the log itself is in doubt or the batch is
// damaged or too large.
Appended Partition::refuse(ErrorCode error, std::string message) const {
  Appended refused(error, std::move(message));
  bool tells = error != ErrorCode::CORRUPT_MESSAGE && error != ErrorCode::MESSAGE_TOO_LARGE &&
               error != ErrorCode::RECORD_LIST_TOO_LARGE && error != ErrorCode::KAFKA_STORAGE_ERROR;
  if (tells) refused.log_start_offset = log_->log_start_offset();
  return refused;
}

bool Partition::too_few_in_sync(WaitFor wait) const {
  return wait == WaitFor::kCommitted && in_sync_ < std::min(settings_.min_insync_replicas, replicas_);
}

// Kafka has looked at the framing before, and at nothing else.
Appended Partition::refuse_for_too_few(const Bytes& records, const AppendOptions& options) const {
  if (options.origin == Origin::kClient) {
    std::string name = topic_ + "-" + std::to_string(id_.partition.value());
    wire::ValidationOptions rules;
    rules.request_version = options.produce_version;
    rules.partition = name;
    auto framed = wire::check_framing(records.view(), rules);
    if (framed.failed()) return Appended(wire::to_error_code(framed.error().fault), std::move(framed.error().message));
  }
  return refuse(ErrorCode::NOT_ENOUGH_REPLICAS,
                std::to_string(in_sync_) + " replicas are in sync, fewer than min.insync.replicas asks for");
}

ErrorCode Partition::failed(const log::LogError& error) {
  if (log_->offline()) go_offline(error.message);
  return log::error_code(error.kind);
}

/// Awaited: `co_await queued`. It leaves the queue when its task is destroyed.
class Partition::Queued : private io::Ready {
 public:
  Queued(Partition& partition, Bytes bytes, log::AppendOrigin who)
      : records(std::move(bytes)), origin(who), partition_(partition) {}
  ~Queued() override { leave(); }

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    handle_ = handle;
    previous_ = partition_.last_queued_;
    (previous_ != nullptr ? previous_->next_ : partition_.first_queued_) = this;
    partition_.last_queued_ = this;
    waiting_ = true;
    partition_.loop_.ready().push(partition_.writer_);
  }
  void await_resume() const {}

  void leave() {
    if (!waiting_) return;
    waiting_ = false;
    (previous_ != nullptr ? previous_->next_ : partition_.first_queued_) = next_;
    (next_ != nullptr ? next_->previous_ : partition_.last_queued_) = previous_;
    next_ = previous_ = nullptr;
  }
  /// Its outcome is known: the task goes on.
  void finish() {
    leave();
    partition_.loop_.ready().push(*this);
  }
  Queued* next() const { return next_; }

  Bytes records;
  Bytes kept;  // for the tail
  log::AppendOrigin origin;
  log::LogResult<log::AppendResult> outcome;
  ErrorCode refused = ErrorCode::NONE;  // no longer led when its turn came

 private:
  void run() override { handle_.resume(); }
  Partition& partition_;
  std::coroutine_handle<> handle_;
  Queued* next_ = nullptr;
  Queued* previous_ = nullptr;
  bool waiting_ = false;
};

std::optional<Appended> Partition::validate(Bytes& records, const AppendOptions& options,
                                            wire::CompressionScratch& scratch) {
  std::string name = topic_ + "-" + std::to_string(id_.partition.value());
  wire::ValidationOptions rules;
  rules.request_version = options.produce_version;
  rules.partition = name;
  rules.batch_bytes_max = static_cast<std::size_t>(settings_.max_message_bytes);
  rules.decompressed_bytes_max = wire::decompressed_limit(rules.batch_bytes_max);
  rules.compacted = settings_.compacted;
  rules.timestamp_type = settings_.log.message_timestamp_type;
  rules.timestamp_before_max_ms = settings_.timestamp_before_max_ms;
  rules.timestamp_after_max_ms = settings_.timestamp_after_max_ms;
  rules.now = loop_.wall_now();
  rules.codec = settings_.codec;
  rules.level = settings_.compression_level;
  auto valid = wire::validate_produce(std::move(records), rules, scratch);
  if (valid.failed()) {
    Appended refused = refuse(wire::to_error_code(valid.error().fault), std::move(valid.error().message));
    if (valid.error().misframed) refused.log_start_offset = kNoOffset;
    for (wire::RecordFault& fault : valid.error().records) {
      refused.record_faults.push_back({fault.batch_index, std::move(fault.message)});
    }
    return refused;
  }
  records = std::move(valid->bytes);
  return std::nullopt;
}

void Partition::write_queued() {
  if (gate_ != Gate::kOpen && !retired_) return;  // set_gate() comes back to them, in their order
  Timestamp now = loop_.wall_now();
  ErrorCode state = check_leader(kNoEpoch);
  if (state == ErrorCode::NONE && log_->asleep() && first_queued_ != nullptr) {
    MILENA_REACHED("log.woken_by_an_append");
    if (!waking_) loop_.spawn(wake_for_appends(shared_from_this()));
    return;  // wake() comes back to them
  }
  if (state == ErrorCode::NONE && marks_ != nullptr && first_queued_ != nullptr) {
    mark_written();
    state = check_leader(kNoEpoch);
  }
  bool keep = tail_ != nullptr && tail_->followed();
  if (tail_ != nullptr && (!keep || tail_->end() != log_->log_end_offset())) tail_->clear();
  for (Queued* one = first_queued_; one != nullptr; one = one->next()) {
    one->refused = state;
    if (keep && one->origin == log::AppendOrigin::kClient) one->kept = one->records;  // one batch
    if (state == ErrorCode::NONE)
      log_->stage_as_leader(std::move(one->records), leader_epoch_, now, one->origin, one->outcome);
  }
  if (state == ErrorCode::NONE) log_->commit_staged();
  while (first_queued_ != nullptr) {
    Queued* one = first_queued_;
    Bytes kept = std::move(one->kept);
    if (one->refused == ErrorCode::NONE && one->outcome.has_value() && !one->outcome->duplicate) {
      const log::AppendResult& result = *one->outcome;
      after_append(result);
      if (!kept.empty()) tail_->add(result.first_offset, result.last_offset + 1, std::move(kept));
    }
    one->finish();
  }
  tell_moved();
}

void Partition::report_to(ChangeLists* lists, std::shared_ptr<log::OpenFiles> files) {
  changes_ = lists;
  files_ = std::move(files);
  log_->use_files(files_);
  note_change();
}

void Partition::note_change() {
  if (changes_ == nullptr || retired_) return;
  if (!std::exchange(listed_for_checkpoints_, true)) changes_->checkpoints.push_back(shared_from_this());
  if (!std::exchange(listed_for_retention_, true)) changes_->retention.push_back(shared_from_this());
}

void Partition::note_unflushed() {
  if (changes_ == nullptr || retired_ || log_->unflushed_messages() == 0 ||
      settings_.log.flush_ms == INT64_MAX)
    return;
  if (!std::exchange(listed_for_flush_, true)) changes_->unflushed.push_back(shared_from_this());
}

void Partition::known_as(std::shared_ptr<WriteMarks> marks, std::uint32_t index) {
  marks_ = std::move(marks);
  mark_ = index;
}

void Partition::mark_written() {
  std::shared_ptr<WriteMarks> marks = std::exchange(marks_, nullptr);
  if (marks != nullptr && !marks->mark(mark_))
    go_offline("the manifest of its directory can neither be written nor removed");
}

// The log could not be woken, and is not offline: the disk is full.
void Partition::refuse_queued(const log::LogError& why) {
  while (first_queued_ != nullptr) {
    auto batch = wire::BatchView::parse(first_queued_->records.view());
    if (first_queued_->origin == log::AppendOrigin::kClient && batch.has_value()) log_->note_refused(*batch);
    first_queued_->outcome = Err(why);
    first_queued_->finish();
  }
}

io::Task<log::LogResult<void>> Partition::wake(std::shared_ptr<Partition> self) {
  while (self->waking_) co_await self->progress_.wait();
  std::shared_ptr<log::Log> log = self->log_;
  if (self->retired_ || self->shut() || !log->asleep() || log->offline()) co_return log::LogResult<void>();
  self->waking_ = true;
  std::shared_ptr<log::Waking> waking = log->begin_wake(self->steady_now());
  auto job = [waking] { waking->run(); };
  co_await io::offload(self->loop_, std::move(job));
  self->waking_ = false;
  self->progress_.notify_all();
  log::LogResult<void> outcome;
  // As in fetch_cold: the files may have been gone from where they were.
  if (!self->retired_ && !self->shut() && self->log_ == log) outcome = log->complete_wake(*waking);
  if (outcome.failed()) {
    self->damaged_ = outcome.error().kind == log::LogErrorKind::kCorrupt;
    (void)self->failed(outcome.error());
    if (log->asleep() && !log->offline()) self->refuse_queued(outcome.error());
  }
  if (self->first_queued_ != nullptr) self->loop_.ready().push(self->writer_);
  self->note_change();  // it may sleep again when nothing was written, and its notes are to be told
  co_return outcome;
}

io::Task<void> Partition::wake_for_appends(std::shared_ptr<Partition> self) {
  (void)co_await wake(self);
}

io::Task<Appended> Partition::append(std::shared_ptr<Partition> self, Bytes records, AppendOptions options,
                                     wire::CompressionScratch* scratch) {
  ErrorCode state = self->check_leader(kNoEpoch);
  if (state != ErrorCode::NONE) co_return Appended(state);
  if (self->too_few_in_sync(options.wait)) co_return self->refuse_for_too_few(records, options);
  bool client = options.origin == Origin::kClient;
  if (client) {
    auto refused = self->validate(records, options, *scratch);
    if (refused.has_value()) co_return *std::move(refused);
  }
  Queued queued(*self, std::move(records),
                client ? log::AppendOrigin::kClient : log::AppendOrigin::kCoordinator);
  co_await queued;
  if (queued.refused != ErrorCode::NONE) co_return Appended(queued.refused);
  const auto& result = queued.outcome;
  if (result.failed()) {
    ErrorCode why = self->failed(result.error());
    co_return self->refuse(why, result.error().message);
  }

  Appended appended;
  appended.base_offset = result->first_offset;
  appended.last_offset = result->last_offset;
  appended.log_append_time = result->log_append_time;
  appended.log_start_offset = result->log_start_offset;
  appended.high_watermark = self->high_watermark();
  Offset end = result->last_offset + 1;
  bool arrived = co_await wait_until(self, options.wait, end, options.deadline);
  if (!arrived) {
    ErrorCode why = self->check_leader(kNoEpoch);
    appended.error = why != ErrorCode::NONE ? why : ErrorCode::REQUEST_TIMED_OUT;
  } else if (self->too_few_in_sync(options.wait)) {
    appended.error = ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND;  // they left while it waited
  }
  co_return appended;
}

void Partition::after_append(const log::AppendResult& result) {
  note_change();
  note_unflushed();
  if (log_->unflushed_messages() >= settings_.log.flush_messages) {
    if (!held_from_.has_value()) held_from_ = result.first_offset;
    start_flush();
  } else if (log_->wants_flush()) {
    start_flush();  // a segment was rolled: its recovery point can move
  }
  move_high_watermark();
}

void Partition::move_high_watermark() {
  Offset target = log_->log_end_offset();
  if (held_from_.has_value() && !MILENA_MUTANT("early-ack")) target = std::min(target, *held_from_);
  target = std::max(target, log_->high_watermark());  // one replica: what was committed stays so
  Offset before = log_->high_watermark();
  if (log_->set_high_watermark(target) == before) return;
  note_change();
  progress_.notify_all();
}

void Partition::go_offline(const std::string& why) {
  log_->fail(why);
  if (std::exchange(told_offline_, true)) return;
  loop_.log().error("log", "partition {}-{} is offline: {}", topic_, id_.partition, why);
  progress_.notify_all();
  tell_watches(kState);
  if (on_offline_) on_offline_(*this);
}

bool Partition::reached(WaitFor what, Offset offset) const {
  switch (what) {
    case WaitFor::kNothing:
      return true;
    case WaitFor::kSynced:
      return !held_from_.has_value() || *held_from_ >= offset || MILENA_MUTANT("hasty-leader");
    case WaitFor::kCommitted:
      return high_watermark() >= offset;
  }
  return false;
}

io::Task<bool> Partition::wait_until(std::shared_ptr<Partition> self, WaitFor what, Offset offset,
                                     Instant deadline) {
  while (!self->reached(what, offset) && self->leading_ && !self->log_->offline()) {
    bool notified = co_await self->progress_.wait(deadline);
    if (!notified) break;
  }
  co_return self->reached(what, offset);
}

io::Task<Offset> Partition::wait_committed(std::shared_ptr<Partition> self, Offset offset, Instant deadline) {
  bool arrived = co_await wait_until(self, WaitFor::kCommitted, offset, deadline);
  co_return arrived ? offset : std::min(self->high_watermark(), offset);
}

EpochEndResult Partition::end_offset_for(Epoch current_leader_epoch, Epoch epoch) const {
  EpochEndResult result;
  result.error = check_leader(current_leader_epoch);
  if (result.error != ErrorCode::NONE) return result;
  log::EpochEnd end = log_->end_offset_for(epoch);
  result.epoch = end.epoch;
  result.end_offset = end.end_offset;
  return result;
}

DeletedRecords Partition::delete_records(Offset offset) {
  ErrorCode state = check_leader(kNoEpoch);
  if (state != ErrorCode::NONE) return DeletedRecords(state);
  // Where compaction alone gives records up, clients do not.
  if (settings_.compacted && !settings_.log.delete_old_segments)
    return DeletedRecords(ErrorCode::POLICY_VIOLATION);
  if (offset == kUpToHighWatermark) offset = log_->high_watermark();
  if (offset < Offset(0)) return DeletedRecords(ErrorCode::OFFSET_OUT_OF_RANGE);
  auto moved = log_->advance_log_start_offset(offset);
  if (moved.failed()) return DeletedRecords(failed(moved.error()));
  note_change();
  DeletedRecords deleted;
  deleted.low_watermark = log_->log_start_offset();
  tell_moved();
  return deleted;
}

void Partition::Watch::leave() {
  if (partition_ == nullptr) return;
  (previous_ != nullptr ? previous_->next_ : partition_->first_watch_) = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
  partition_ = nullptr;
  next_ = previous_ = nullptr;
}

void Partition::add_watch(Watch& watch) {
  watch.leave();
  watch.partition_ = this;
  watch.next_ = first_watch_;
  if (first_watch_ != nullptr) first_watch_->previous_ = &watch;
  first_watch_ = &watch;
}

void Partition::tell_watches(News news) {
  for (Watch* watch = first_watch_; watch != nullptr;) {
    Watch* next = watch->next_;  // it may leave
    watch->on_news(news);
    watch = next;
  }
}

void Partition::tell_moved() {
  Told now{log_->high_watermark(), log_->last_stable_offset(), log_->log_end_offset(),
           log_->log_start_offset()};
  News news = 0;
  if (now.high_watermark != told_.high_watermark) news |= kHighWatermark;
  if (now.stable_offset != told_.stable_offset) news |= kStableOffset;
  if (now.log_end != told_.log_end) news |= kLogEnd;
  if (now.log_start != told_.log_start) news |= kLogStart;
  if (tail_ != nullptr && now.log_start != told_.log_start) tail_->drop_below(now.log_start);
  told_ = now;
  if (news != 0) tell_watches(news);
}

}  // namespace milena::replica
