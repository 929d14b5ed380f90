#include "replica/metadata_driver.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/mutant.h"
#include "image/builder.h"
#include "image/writer.h"
#include "meta/activation.h"

namespace milena::replica {
namespace {

constexpr Duration kFullDiskRetry = 100ms;

}  // namespace

MetadataDriver::MetadataDriver(io::Loop& control, const meta::ConfigSchema& schema, MetadataOptions options,
                               OnCommit on_commit, OnFatal on_fatal)
    : loop_(control),
      schema_(schema),
      options_(std::move(options)),
      on_commit_(std::move(on_commit)),
      on_fatal_(std::move(on_fatal)),
      turn_(control),
      changed_(control) {}
MetadataDriver::~MetadataDriver() = default;

Result<void, StoreError> MetadataDriver::open(MetadataDriver* self, log::LogDirectory* directory, Timestamp now,
                                              LoadedMetadata* loaded) {
  TRY_ASSIGN(self->store_, MetadataStore::open(directory->disk(), *directory, self->options_.log, now, *loaded));
  return {};
}

io::Task<Result<void, StoreError>> MetadataDriver::start(log::LogDirectory* directory) {
  auto loaded = std::make_shared<LoadedMetadata>();
  Timestamp now = loop_.wall_now();
  auto job = [this, directory, now, loaded] {
    return open(this, directory, now, loaded.get());
  };
  auto opened = co_await io::offload(loop_, std::move(job));
  if (opened.failed()) co_return opened;
  for (const std::string& note : loaded->notes) loop_.log().info("raft", "metadata log: {}", note);
  auto replayed = replay(*loaded);
  if (replayed.failed()) co_return replayed;
  auto refused = check_understood();
  if (refused.failed()) co_return refused;

  raft_ = std::make_unique<raft::Raft>(options_.raft, loaded->recovered);
  epoch_found_ = raft_->epoch();
  auto alone = check_voters(raft_->voters());
  if (alone.failed()) co_return alone;
  kraft_version_.store(raft_->voters().kraft_version, std::memory_order_relaxed);
  {
    auto turn = co_await turn_.lock();
    raft::Effects effects = raft_->step(raft_now(), raft::Start{});
    bool leads = co_await perform(std::move(effects), {});
    if (!leads || !raft_->is_leader()) co_return Err(StoreError{"the metadata log failed while the node took the lead"});
  }
  bool elected = co_await wait_committed(raft_->epoch_start() + 1);
  if (!elected) co_return Err(StoreError{"the metadata log failed while the node took the lead"});
  {
    auto turn = co_await turn_.lock();
    std::vector<image::MetadataRecord> first = controller_->activate(bootstrap_, loop_.now());
    if (!first.empty()) {
      bool appended = co_await append(std::move(first));
      if (!appended) co_return Err(StoreError{"the first metadata records could not be written"});
    }
  }
  bool committed = co_await wait_committed(raft_->log_end());
  if (!committed) co_return Err(StoreError{"the metadata log failed while the controller became active"});
  timers_running_ = true;
  loop_.spawn(run_timers(this));
  co_return Result<void, StoreError>();
}

Result<void, StoreError> MetadataDriver::replay(LoadedMetadata& loaded) {
  image::ImageBuilder builder;
  for (const image::MetadataRecord& record : loaded.snapshot) {
    auto applied = builder.apply(record);
    if (applied.failed()) return Err(StoreError{"metadata snapshot: " + applied.error().message});
  }
  if (loaded.recovered.latest_snapshot.has_value()) {
    const raft::SnapshotId& id = *loaded.recovered.latest_snapshot;
    builder.set_position(id.end_offset - 1, id.epoch, kNoTimestamp);
  }
  bootstrap_ = std::move(loaded.bootstrap);
  controller_ = std::make_unique<meta::Controller>(
      options_.settings, schema_, builder.take_image(), [this] { return loop_.entropy().random_uuid(); },
      loop_.entropy().random64());
  for (const raft::LogBatch& batch : loaded.batches) {
    std::vector<image::MetadataRecord> records;
    for (const Bytes& value : batch.values) {
      auto record = image::decode_record(value);
      if (record.failed()) {
        return Err(StoreError{"metadata log, batch at offset " + std::to_string(batch.base_offset.value()) + ": " +
                              record.error().message});
      }
      records.push_back(std::move(*record));
    }
    auto applied = controller_->replay(records, batch.last_offset, batch.epoch, batch.timestamp, loop_.now());
    if (applied.failed()) {
      return Err(StoreError{"metadata log, batch at offset " + std::to_string(batch.base_offset.value()) + ": " +
                            applied.error().message});
    }
    snapshot_policy_.committed(static_cast<std::int64_t>(batch.size_in_bytes), loop_.now());
  }
  return {};
}

// What the log says at its end, and an empty log's first records, must be within what this release knows.
Result<void, StoreError> MetadataDriver::check_understood() const {
  const image::Image& found = controller_->image();
  image::ImageBuilder first(found);
  if (found.feature_level(image::kMetadataVersionFeature) == 0) {
    for (const image::MetadataRecord& record : bootstrap_) {
      auto applied = first.apply(record);
      if (applied.failed()) return Err(StoreError{"bootstrap.checkpoint: " + applied.error().message});
    }
  }
  image::Image image = first.take_image();
  std::optional<std::string> why = meta::unsupported_feature(image);
  if (!why.has_value() && options_.refusal) why = options_.refusal(image);
  if (why.has_value()) return Err(StoreError{*std::move(why)});
  return {};
}

Result<void, StoreError> MetadataDriver::check_voters(const raft::VoterSet& voters) const {
  if (voters.is_only_voter(options_.raft.node_id, options_.raft.directory_id)) return {};
  bool recorded = voters.kraft_version > 0;
  std::string where = recorded ? "the metadata's VotersRecord" : "controller.quorum.voters";
  if (voters.voters.empty()) {
    return Err(StoreError{"the metadata has no VotersRecord and controller.quorum.voters is not set: nobody leads. Was the "
                          "directory formatted with --no-initial-controllers?"});
  }
  if (voters.voters.size() != 1) {
    return Err(StoreError{fmt::format("{} names {} voters, and only one is possible yet", where, voters.voters.size())});
  }
  const raft::Voter& other = voters.voters.front();
  return Err(StoreError{fmt::format("{} names node {} with directory {} as the only voter, and this is node {} with "
                                    "directory {} (node.id, directory.id in meta.properties)",
                                    where, other.id, other.directory_id, options_.raft.node_id,
                                    options_.raft.directory_id)});
}

io::Task<bool> MetadataDriver::append(std::vector<image::MetadataRecord> records) {
  if (failed_) co_return false;
  raft::Propose proposal;
  for (const image::MetadataRecord& record : records) proposal.values.push_back(image::encode_record(record));
  raft::Effects effects = raft_->step(raft_now(), proposal);
  if (effects.rejected) co_return false;
  bool done = co_await perform(std::move(effects), std::move(records));
  co_return done;
}

// `records` are those of the data batches among the effects, in order.
io::Task<bool> MetadataDriver::perform(raft::Effects effects, std::vector<image::MetadataRecord> records) {
  if (effects.write_quorum_state.has_value()) {
    bool written = co_await write_quorum_state(&*effects.write_quorum_state);
    if (!written) co_return false;
  }
  auto next = records.begin();
  for (const raft::Append& batch : effects.append) {
    bool appended = co_await append_to_log(&batch);
    if (!appended) co_return false;
    auto end = next + static_cast<std::ptrdiff_t>(batch.values.size());
    std::vector<image::MetadataRecord> of_batch(std::make_move_iterator(next), std::make_move_iterator(end));
    next = end;
    auto replayed = controller_->replay(of_batch, batch.last_offset, batch.epoch, batch.timestamp, loop_.now());
    CHECK(replayed.has_value(), "the controller's own records do not replay: {}", replayed.error().message);
    if (!batch.control) snapshot_policy_.committed(static_cast<std::int64_t>(batch.batch.size()), loop_.now());
  }
  if (effects.sync_log) start_sync();
  if (effects.high_watermark.has_value()) commit(*effects.high_watermark);
  changed_.notify_all();
  co_return true;
}

io::Task<bool> MetadataDriver::append_to_log(const raft::Append* batch) {
  while (!failed_) {
    auto result = store_->log().append_raw(batch->batch, loop_.wall_now());
    if (result.has_value()) {
      told_full_ = false;
      co_return true;
    }
    if (result.error().kind != log::LogErrorKind::kNoSpace) {
      fatal("metadata log: " + result.error().message);
      break;
    }
    bool again = co_await wait_for_room();
    if (!again) break;
  }
  co_return false;
}

io::Task<bool> MetadataDriver::write_quorum_state(const raft::QuorumState* state) {
  while (!failed_) {
    auto copy = std::make_shared<raft::QuorumState>(*state);
    auto job = [this, copy] { return store_->write_quorum_state(*copy); };
    auto written = co_await io::offload(loop_, std::move(job));
    if (written.has_value()) co_return true;
    if (written.error().kind != io::ErrorKind::kNoSpace) {
      fatal(written.error().what);
      break;
    }
    bool again = co_await wait_for_room();
    if (!again) break;
  }
  co_return false;
}

io::Task<bool> MetadataDriver::wait_for_room() {
  if (!std::exchange(told_full_, true)) {
    loop_.log().error("raft", "the disk of the metadata log is full; changes wait until there is room");
  }
  if (waits_for_room_) co_await io::sleep_for(loop_, kFullDiskRetry);
  if (waits_for_room_) co_return true;
  // The quorum's state is ahead of the log now: nothing may be appended behind the gap.
  failed_ = true;
  changed_.notify_all();
  co_return false;
}

void MetadataDriver::start_sync() {
  sync_again_ = true;
  if (std::exchange(syncing_, true)) return;
  loop_.spawn(run_syncs(this));
}

io::Task<void> MetadataDriver::run_syncs(MetadataDriver* self) {
  while (self->sync_again_ && !self->failed_) {
    self->sync_again_ = false;
    auto plan = std::make_shared<log::FlushPlan>(self->store_->log().begin_flush());
    if (!plan->empty() && !MILENA_MUTANT("unsynced-metadata")) {
      io::Disk* disk = &self->loop_.disk();
      auto job = [plan, disk] { return plan->run(*disk); };
      auto synced = co_await io::offload(self->loop_, std::move(job));
      if (synced.failed()) {
        self->store_->log().fail(synced.error().what);
        self->fatal("metadata log: " + synced.error().what);
        break;
      }
    }
    self->store_->log().complete_flush(*plan);
    raft::Effects effects = self->raft_->step(self->raft_now(), raft::LogSynced{plan->up_to});
    if (effects.high_watermark.has_value()) self->commit(*effects.high_watermark);
    self->changed_.notify_all();
  }
  self->syncing_ = false;
  self->changed_.notify_all();
}

void MetadataDriver::commit(Offset high_watermark) {
  store_->log().set_high_watermark(high_watermark);
  auto delta = controller_->commit(high_watermark);
  if (!delta.has_value()) return;
  committed_image_ = std::make_shared<const image::Image>(controller_->committed());
  on_commit_(committed_image_, *delta);
}

io::Task<bool> MetadataDriver::wait_committed(Offset end) {
  while (raft_->high_watermark() < end && !failed_) co_await changed_.wait();
  co_return raft_->high_watermark() >= end;
}

io::Task<void> MetadataDriver::wait_beyond(Offset offset, Instant deadline) {
  while (active() && !failed_ && raft_->high_watermark() <= offset) {
    bool notified = co_await changed_.wait(deadline);
    if (!notified) break;
  }
}

io::Task<void> MetadataDriver::run_timers(MetadataDriver* self) {
  while (!self->stopping_ && !self->failed_) {
    Instant deadline = std::min(self->controller_->next_deadline(),
                                self->snapshot_policy_.next_deadline(self->options_.settings));
    if (self->loop_.now() < deadline && !self->snapshot_policy_.due(self->options_.settings, self->loop_.now())) {
      co_await self->changed_.wait(deadline);
      continue;
    }
    auto turn = co_await self->turn_.lock();
    if (!self->active()) break;
    while (true) {
      std::vector<image::MetadataRecord> records =
          self->controller_->advance(self->raft_->log_end(), self->loop_.now());
      if (records.empty()) break;
      bool appended = co_await self->append(std::move(records));
      if (!appended) break;
    }
    if (self->snapshot_policy_.due(self->options_.settings, self->loop_.now())) co_await self->take_snapshot();
  }
  self->timers_running_ = false;
  self->changed_.notify_all();
}

io::Task<void> MetadataDriver::take_snapshot() {
  ImagePtr image = committed_image_;
  snapshot_policy_.taken(loop_.now());
  if (image == nullptr) co_return;
  raft::SnapshotId id{image->offset + 1, image->epoch};
  std::optional<raft::SnapshotId> latest = raft_->latest_snapshot();
  if (latest.has_value() && id <= *latest) co_return;
  auto contents = std::make_shared<raft::SnapshotContents>();
  contents->last_contained_log_timestamp = image->timestamp;
  if (raft_->voters().kraft_version > 0) contents->voters = raft_->voters();
  Timestamp now = loop_.wall_now();
  auto snapshot = std::make_shared<raft::RetentionInput::Snapshot>();
  snapshot->id = id;
  snapshot->last_contained_log_timestamp = image->timestamp;
  auto job = [this, image, contents, snapshot, now] {
    for (const image::MetadataRecord& record : image::to_records(*image)) {
      contents->values.push_back(image::encode_record(record));
    }
    Bytes file = raft::encode_snapshot(*contents, snapshot->id.epoch, now);
    snapshot->size_bytes = static_cast<std::int64_t>(file.size());
    return store_->write_snapshot(snapshot->id, file);
  };
  auto written = co_await io::offload(loop_, std::move(job));
  if (written.failed()) {
    loop_.log().warn("raft", "no snapshot of the metadata was written: {}", written.error().what);
    co_return;
  }
  store_->add_snapshot(*snapshot);
  (void)raft_->step(raft_now(), raft::SnapshotCreated{id});
  auto start = store_->clean(options_.max_retention_bytes, options_.max_retention_ms, now);
  if (start.has_value()) (void)raft_->step(raft_now(), raft::LogStartMoved{*start});
}

io::Task<void> MetadataDriver::stop() {
  {
    auto turn = co_await turn_.lock();
    stopping_ = true;
    if (raft_ != nullptr && !failed_) {
      (void)raft_->step(raft_now(), raft::Resign{});
      controller_->deactivate();
    }
  }
  changed_.notify_all();
  while (syncing_ || timers_running_) co_await changed_.wait();
  if (store_ == nullptr || failed_ || store_->log().offline()) co_return;
  auto plan = store_->log().begin_close();
  if (plan.failed()) {
    loop_.log().error("raft", "metadata log: {}", plan.error().message);
    co_return;
  }
  auto shared = std::make_shared<log::FlushPlan>(std::move(*plan));
  io::Disk* disk = &loop_.disk();
  auto job = [shared, disk] { return shared->run(*disk); };
  auto synced = co_await io::offload(loop_, std::move(job));
  if (synced.failed()) loop_.log().error("raft", "metadata log: {}", synced.error().what);
  else store_->log().complete_flush(*shared);
}

void MetadataDriver::fatal(std::string why) {
  if (std::exchange(failed_, true)) return;
  loop_.log().error("raft", "the metadata log is lost: {}", why);
  changed_.notify_all();
  on_fatal_(std::move(why));
}

}  // namespace milena::replica
