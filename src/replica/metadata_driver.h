/// MetadataDriver: the metadata quorum and the controller of this node at work. It binds the pure machines `raft`
/// and `meta` to the metadata log: does raft's effects in their order (quorum-state synced, batches appended, log
/// synced), replays each batch at append, commits when the log is synced, and tells its listeners what became
/// visible. Requests are decided one after the other and answered once their records are committed.
///
/// Syncs are group commits: what is appended while one runs is covered by the next. A full disk makes an append, or
/// quorum-state, wait for room, with everything behind it; any other failure of the metadata log ends the node
/// (`on_fatal`).
///
/// Threads: the control loop; other loops come by io::run_on.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "image/image.h"
#include "io/loop.h"
#include "io/mutex.h"
#include "io/signal.h"
#include "meta/controller.h"
#include "meta/decision.h"
#include "meta/snapshot_policy.h"
#include "raft/raft.h"
#include "replica/metadata_store.h"

namespace milena::replica {

using ImagePtr = std::shared_ptr<const image::Image>;

struct MetadataOptions {
  /// Why this node must not serve the metadata found in its log; nothing: it may. May be empty.
  using Refusal = std::function<std::optional<std::string>(const image::Image&)>;

  meta::Settings settings;
  raft::Config raft;
  log::LogOptions log;
  std::int64_t max_retention_bytes = 100LL << 20;            // metadata.max.retention.bytes
  std::int64_t max_retention_ms = 7LL * 24 * 3600 * 1000;    // metadata.max.retention.ms
  Refusal refusal;  // asked once, before anything is written
};

class MetadataDriver {
 public:
  /// What became visible: the new image, and what changed since the last call.
  using OnCommit = std::function<void(const ImagePtr&, const image::Delta&)>;
  using OnFatal = std::function<void(std::string why)>;

  MetadataDriver(io::Loop& control, const meta::ConfigSchema& schema, MetadataOptions options, OnCommit on_commit,
                 OnFatal on_fatal);
  ~MetadataDriver();

  /// Who this node is, as its formatted directory says. REQUIRES: before start().
  void set_identity(const std::string& cluster_id, const Uuid& directory_id) {
    options_.settings.cluster_id = options_.raft.cluster_id = cluster_id;
    options_.raft.directory_id = directory_id;
  }
  /// Opens the metadata log in `directory`, replays it, takes the lead (one voter) and activates the controller;
  /// ends when its first records are committed. Errors: unreadable files, more than one voter, what
  /// is not understood or `refusal` says; nothing was written then.
  io::Task<Result<void, StoreError>> start(log::LogDirectory* directory);
  /// From now on nothing waits for room on a full disk: what would, fails, and with it all that comes after.
  void stop_waiting() { waits_for_room_ = false; }
  /// Gives up leadership and closes the log cleanly. Requests fail from then on.
  io::Task<void> stop();

  bool active() const { return controller_ != nullptr && controller_->active() && !stopping_; }
  /// Committed, for readers; null before start.
  const ImagePtr& committed() const { return committed_image_; }
  const raft::Raft& raft() const { return *raft_; }
  /// The quorum's epoch as `quorum-state` told it at the start, before this node took part in it.
  Epoch epoch_found() const { return epoch_found_; }
  /// The finalized level of kraft.version, which stands beside the metadata, not in it: 0 before start. Any loop.
  std::int16_t kraft_version() const { return kraft_version_.load(std::memory_order_relaxed); }
  const meta::Settings& settings() const { return options_.settings; }
  log::Log& log() { return store_->log(); }
  Offset high_watermark() const { return raft_->high_watermark(); }
  /// The oldest snapshot that is kept: nothing before its end is in the log.
  std::optional<raft::SnapshotId> earliest_snapshot() const { return store_->earliest_snapshot(); }
  std::string snapshot_path(const raft::SnapshotId& id) const { return store_->snapshot_path(id); }
  /// Ends when the high watermark is beyond `offset`, at the deadline, or when this node stops being the active
  /// controller.
  io::Task<void> wait_beyond(Offset offset, Instant deadline);
  /// Another node fetched the log from `offset` on. REQUIRES: not this node.
  void note_fetch(BrokerId id, const Uuid& directory_id, Offset offset) {
    (void)raft_->step(raft_now(), raft::ReplicaFetched{id, directory_id, offset});
  }

  /// Runs `decide(const meta::Context&)`, which returns something with `records` and `response`; appends the
  /// records, then calls `applied(controller, decision)` in the same turn, and gives the decision back once
  /// they are committed. Nothing: this node is not the active controller.
  template <class Decide, class Applied, class D = std::invoke_result_t<Decide&, const meta::Context&>>
  io::Task<std::optional<D>> decide(Decide decide, Applied applied) {
    std::optional<D> decision;
    Offset end{0};
    bool appended = true;
    {
      auto turn = co_await turn_.lock();
      if (!active()) co_return std::optional<D>();
      decision.emplace(decide(controller_->context(raft_->log_end(), loop_.now())));
      if (!decision->records.empty()) {
        std::vector<image::MetadataRecord> records = std::move(decision->records);
        appended = co_await append(std::move(records));
        end = raft_->log_end();
      }
      if (appended) applied(*controller_, *decision);
    }
    if (appended && end > Offset(0)) appended = co_await wait_committed(end);
    if (!appended) decision.reset();
    co_return std::move(decision);
  }
  template <class Decide, class D = std::invoke_result_t<Decide&, const meta::Context&>>
  io::Task<std::optional<D>> decide(Decide function) {
    auto nothing = [](meta::Controller&, D&) {};
    co_return co_await decide(std::move(function), nothing);
  }

  /// Durable state and what replay of the log alone gives; for tests and the simulator.
  const meta::Controller& controller() const { return *controller_; }

 private:
  static Result<void, StoreError> open(MetadataDriver* self, log::LogDirectory* directory, Timestamp now,
                                       LoadedMetadata* loaded);
  Result<void, StoreError> replay(LoadedMetadata& loaded);
  Result<void, StoreError> check_understood() const;
  Result<void, StoreError> check_voters(const raft::VoterSet& voters) const;
  raft::Now raft_now() const { return {loop_.now(), loop_.wall_now()}; }
  /// REQUIRES: the turn is held. False: leadership or the log is lost.
  io::Task<bool> append(std::vector<image::MetadataRecord> records);
  io::Task<bool> perform(raft::Effects effects, std::vector<image::MetadataRecord> records);
  io::Task<bool> append_to_log(const raft::Append* batch);
  io::Task<bool> write_quorum_state(const raft::QuorumState* state);
  /// After a write that found the disk full: true when it is to be tried again.
  io::Task<bool> wait_for_room();
  io::Task<bool> wait_committed(Offset end);
  void start_sync();
  static io::Task<void> run_syncs(MetadataDriver* self);
  static io::Task<void> run_timers(MetadataDriver* self);
  io::Task<void> take_snapshot();
  void commit(Offset high_watermark);
  void fatal(std::string why);

  io::Loop& loop_;
  const meta::ConfigSchema& schema_;
  MetadataOptions options_;
  OnCommit on_commit_;
  OnFatal on_fatal_;
  std::unique_ptr<MetadataStore> store_;
  std::unique_ptr<raft::Raft> raft_;
  Epoch epoch_found_ = kNoEpoch;
  std::unique_ptr<meta::Controller> controller_;
  std::vector<image::MetadataRecord> bootstrap_;
  std::atomic<std::int16_t> kraft_version_{0};
  ImagePtr committed_image_;
  meta::SnapshotPolicy snapshot_policy_;
  io::Mutex turn_;            // one decision with its append at a time
  io::Signal changed_;        // committed, stopped, or deadlines moved
  bool syncing_ = false;
  bool sync_again_ = false;
  bool timers_running_ = false;
  bool waits_for_room_ = true;
  bool told_full_ = false;
  bool stopping_ = false;
  bool failed_ = false;
};

}  // namespace milena::replica
