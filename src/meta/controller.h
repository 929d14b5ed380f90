/// Controller: the state behind the controller's decisions, and its life as leader of the metadata log.
///
/// Durable state is the image, changed by `replay` alone, at append, whoever leads; soft state (heartbeats, when
/// the last record was written) lives beside it while active. Requests are decided by the functions of
/// brokers.h, topics.h, configs.h, ... on `context()`; then, in this order: append, replay, `apply_heartbeat` after
/// a heartbeat, answer after commit.
///
/// Life: raft says leader and has committed its epoch's start -> `activate()` gives the records to write first
/// (bootstrap for an empty log, an abort of a transaction left open) -> decisions -> `deactivate()`.
/// Nothing periodic is O(partitions). Threads: for one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "base/random.h"
#include "image/history.h"
#include "image/record.h"
#include "meta/decision.h"
#include "meta/heartbeats.h"
#include "meta/settings.h"

namespace milena::meta {

class Controller {
 public:
  /// `schema` outlives the controller. `start`: the image of the newest snapshot, or empty.
  Controller(Settings settings, const ConfigSchema& schema, image::Image start, UuidSource new_uuid,
             std::uint64_t placement_seed);

  // Durable state.
  /// One appended batch (own or another leader's). `records` is empty for control batches.
  Result<void, image::ReplayError> replay(std::span<const image::MetadataRecord> records, Offset last_offset,
                                          Epoch epoch, Timestamp timestamp, Instant now);
  /// Returns what became visible to readers.
  std::optional<image::Delta> commit(Offset high_watermark);
  void truncate(Offset end_offset);
  const image::Image& image() const { return history_.latest(); }
  const image::Image& committed() const { return history_.committed(); }
  const Settings& settings() const { return settings_; }
  void set_settings(Settings settings) { settings_ = std::move(settings); }

  // Leadership.
  /// The records to append before anything else, as one batch; may be none. `bootstrap`: what bootstrap.checkpoint
  /// holds, used if the log is empty (no metadata.version yet).
  std::vector<image::MetadataRecord> activate(std::span<const image::MetadataRecord> bootstrap, Instant now);
  void deactivate();
  bool active() const { return active_; }

  /// For a decision whose records will stand at `next_offset` (raft's log end).
  Context context(Offset next_offset, Instant now);
  Heartbeats& heartbeats() { return heartbeats_; }

  /// What is due: the fencing of one broker whose session ended, a NoOp record after idle time. Call again while it
  /// returns records. Need not be one batch. Fencing takes effect in the soft state at once.
  std::vector<image::MetadataRecord> advance(Offset next_offset, Instant now);
  Instant next_deadline() const;

  void check_invariants() const;

 private:
  Settings settings_;
  const ConfigSchema& schema_;
  image::ImageHistory history_;
  UuidSource new_uuid_;
  Random random_;
  bool active_ = false;
  Heartbeats heartbeats_;
  std::map<BrokerId, Offset> registration_offsets_;
  Instant last_write_;
};

}  // namespace milena::meta
