/// ProducerState: what a partition remembers of idempotent and transactional producers (KIP-98, KIP-360,
/// KIP-890): the last 5 batches of each, its epoch, its open transaction. It answers duplicates, refuses gaps
/// and old epochs, and knows the first offset that read_committed consumers may not pass.
///
/// State changes in two steps: check() decides and changes nothing, apply() takes in what is certain to be
/// appended (or was found on disk). A transaction's marker is handed back as CompletedTxn, and complete_txn()
/// follows once the transaction index has it.
///
/// On disk (docs/formats/log-directory.md): `<offset>.snapshot`, version 1. It holds only the last batch of
/// each producer, as Kafka's does.
/// Threads: for one thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "log/error.h"
#include "wire/record_batch.h"

namespace milena::log {

/// Who appends: how much of a batch's producer fields is checked.
enum class AppendOrigin : std::uint8_t {
  kClient,       // sequence and epoch
  kCoordinator,  // epoch; no sequences
  kReplication,  // nothing: the leader did
  kRaftLeader,   // nothing
};

struct ProducerBatch {
  std::int32_t last_sequence = -1;
  Offset last_offset = kNoOffset;
  std::int32_t offset_delta = 0;
  Timestamp timestamp = kNoTimestamp;

  std::int32_t first_sequence() const;
  Offset first_offset() const { return last_offset - offset_delta; }
};

struct ProducerEntry {
  static constexpr std::size_t kBatches = 5;  // remembered for each producer

  ProducerId producer_id = kNoProducer;
  std::int16_t producer_epoch = -1;
  std::int32_t coordinator_epoch = -1;
  Timestamp last_timestamp = kNoTimestamp;
  std::optional<Offset> txn_first_offset;       // of the open transaction
  std::array<ProducerBatch, kBatches> batches;  // oldest first
  std::uint8_t batch_count = 0;

  bool empty() const { return batch_count == 0; }
  const ProducerBatch& last() const { return batches[batch_count - 1]; }
  std::int32_t last_sequence() const { return empty() ? -1 : last().last_sequence; }
  Offset last_offset() const { return empty() ? kNoOffset : last().last_offset; }
  void add(const ProducerBatch& batch);
};

struct CompletedTxn {
  ProducerId producer_id = kNoProducer;
  Offset first_offset{0};
  Offset last_offset{0};  // of the marker
  bool aborted = false;
};

/// A producer as it was before apply() of a batch outside of transactions.
struct ProducerUndo {
  ProducerId producer_id = kNoProducer;
  std::optional<ProducerEntry> entry;  // none: it was not known
};

class ProducerState {
 public:
  /// The batch that `batch` repeats, if it does.
  const ProducerBatch* find_duplicate(const wire::BatchView& batch) const;
  /// May `batch` be appended? Changes nothing. `marker_version`: the transaction version of a marker, as its
  /// coordinator sent it (2 and above: the epoch must be a new one); 0 for everything else.
  LogResult<void> check(const wire::BatchView& batch, AppendOrigin origin,
                        std::int16_t marker_version = 0) const;
  /// Takes in a batch. REQUIRES: batch.has_producer(), its offsets are final.
  std::optional<CompletedTxn> apply(const wire::BatchView& batch);
  /// For batches that are applied before they are written, and then may not be.
  ProducerUndo undo_of(ProducerId producer_id) const;
  void restore(const ProducerUndo& undo);
  /// The disk had no room for a batch. Where nothing else is known of its producer, that one begins with this batch:
  /// another that was in flight behind it must not take its place, for it could never be appended then.
  void await(const wire::BatchView& batch) { await(batch.producer_id(), batch.producer_epoch(), batch.base_sequence()); }
  void await(ProducerId producer_id, std::int16_t epoch, std::int32_t sequence);

  /// The last stable offset once `txn` is completed: the next open transaction's start or the offset behind
  /// the marker. For the transaction index, before complete_txn.
  Offset stable_offset_after(const CompletedTxn& txn) const;
  void complete_txn(const CompletedTxn& txn);
  /// Completed transactions whose marker lies below the high watermark no longer hold readers back.
  void high_watermark_moved(Offset high_watermark);
  /// First offset of any transaction that is open, or completed with its marker not below the high watermark.
  std::optional<Offset> first_unstable_offset() const;
  /// The same, were the high watermark there.
  std::optional<Offset> first_unstable_offset_at(Offset high_watermark) const;

  /// Forgets producers whose last batch is older than `expiration_ms` and that have no open transaction.
  void expire(Timestamp now, std::int64_t expiration_ms);
  void clear();
  bool empty() const { return producers_.empty() && unreplicated_.empty(); }
  std::size_t size() const { return producers_.size(); }
  const ProducerEntry* find(ProducerId producer_id) const;
  /// In order of ids: DescribeProducers.
  std::vector<ProducerEntry> producers() const;

  std::string snapshot() const;
  /// Of some producer more than its last batch is known, or one is awaited.
  bool knows_more_than_snapshot() const;
  /// Replaces the state by a snapshot's; expired producers are left out. Errors: kCorrupt (state is empty
  /// then).
  LogResult<void> load_snapshot(std::string_view file, Timestamp now, std::int64_t expiration_ms);

 private:
  struct Beginning {
    std::int16_t epoch;
    std::int32_t sequence;
  };
  std::map<ProducerId, ProducerEntry> producers_;
  std::map<ProducerId, Beginning> awaited_;  // of producers that are not known; not kept over a restart
  std::map<Offset, ProducerId> ongoing_;   // by first offset
  std::map<Offset, Offset> unreplicated_;  // first offset -> marker's offset
};

}  // namespace milena::log
