#include "log/producer_state.h"

#include <algorithm>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/endian.h"
#include "base/mutant.h"
#include "log/marker.h"

namespace milena::log {
namespace {

constexpr std::int16_t kNoEpoch = -1;  // of a producer whose records are all deleted, or that is new
constexpr std::int32_t kMaxSequence = 0x7fffffff;
constexpr std::size_t kSnapshotHeader = 10;  // version i16, crc u32, count i32
constexpr std::size_t kSnapshotEntry = 46;
constexpr std::size_t kAwaitedMax = 10'000;

bool follows(std::int32_t last, std::int32_t next) {
  return static_cast<std::int64_t>(next) == static_cast<std::int64_t>(last) + 1 ||
         (next == 0 && last == kMaxSequence);
}

void set_epoch(ProducerEntry& entry, std::int16_t epoch) {
  if (entry.producer_epoch == epoch) return;
  entry.producer_epoch = epoch;
  entry.batch_count = 0;
}

std::int16_t epoch_of(const ProducerEntry* entry) {
  return entry == nullptr ? kNoEpoch : entry->producer_epoch;
}

LogResult<void> check_sequence(const wire::BatchView& batch, const ProducerEntry* entry) {
  const std::int16_t known_epoch = epoch_of(entry);
  std::int32_t sequence = batch.base_sequence();
  if (known_epoch == kNoEpoch) return {};  // any sequence will do
  if (batch.producer_epoch() != known_epoch) {
    if (sequence == 0) return {};
    return Err(LogError{LogErrorKind::kOutOfOrderSequence,
                        fmt::format("producer {} begins epoch {} with sequence {} instead of 0",
                                    batch.producer_id(), batch.producer_epoch(), sequence)});
  }
  if (follows(entry->last_sequence(), sequence) || MILENA_MUTANT("no-dedup")) return {};
  return Err(LogError{LogErrorKind::kOutOfOrderSequence,
                      fmt::format("producer {} sent sequence {} after {}", batch.producer_id(), sequence,
                                  entry->last_sequence())});
}

LogResult<void> check_epoch(const wire::BatchView& batch, const ProducerEntry* entry,
                            std::int16_t marker_version) {
  const std::int16_t known = epoch_of(entry);
  std::int16_t epoch = batch.producer_epoch();
  if (marker_version < 2) {
    if (epoch >= known) return {};
  } else {
    if (epoch > known) return {};
    // A marker that is sent again after it was written: the transaction is over already.
    if (epoch == known && entry != nullptr && !entry->txn_first_offset) return {};
  }
  return Err(LogError{
      LogErrorKind::kInvalidProducerEpoch,
      fmt::format("producer {} has epoch {}, the last one seen is {}", batch.producer_id(), epoch, known)});
}

}  // namespace

std::int32_t ProducerBatch::first_sequence() const {
  if (last_sequence < 0) return last_sequence;
  std::int64_t first = static_cast<std::int64_t>(last_sequence) - offset_delta;
  return static_cast<std::int32_t>(first < 0 ? first + kMaxSequence + 1LL : first);
}

void ProducerEntry::add(const ProducerBatch& batch) {
  if (batch_count == kBatches) {
    std::move(batches.begin() + 1, batches.end(), batches.begin());
    --batch_count;
  }
  batches[batch_count++] = batch;
}

const ProducerEntry* ProducerState::find(ProducerId producer_id) const {
  auto it = producers_.find(producer_id);
  return it == producers_.end() ? nullptr : &it->second;
}

const ProducerBatch* ProducerState::find_duplicate(const wire::BatchView& batch) const {
  const ProducerEntry* entry = find(batch.producer_id());
  if (entry == nullptr || entry->producer_epoch != batch.producer_epoch() || MILENA_MUTANT("no-dedup")) return nullptr;
  std::size_t first = MILENA_MUTANT("one-batch-window") && entry->batch_count > 0 ? entry->batch_count - 1U : 0;
  for (std::size_t i = first; i < entry->batch_count; ++i) {
    const ProducerBatch& known = entry->batches[i];
    if (known.first_sequence() == batch.base_sequence() && known.last_sequence == batch.last_sequence())
      return &known;
  }
  return nullptr;
}

LogResult<void> ProducerState::check(const wire::BatchView& batch, AppendOrigin origin,
                                     std::int16_t marker_version) const {
  if (origin == AppendOrigin::kReplication || origin == AppendOrigin::kRaftLeader) return {};
  const ProducerEntry* entry = find(batch.producer_id());
  if (batch.control()) {
    auto marker = read_marker(batch);
    if (!marker)
      return Err(LogError{LogErrorKind::kCorruptBatch, "a control batch that is no transaction marker"});
    TRY(check_epoch(batch, entry, marker_version));
    if (entry != nullptr && entry->coordinator_epoch > marker->coordinator_epoch) {
      return Err(
          LogError{LogErrorKind::kCoordinatorFenced,
                   fmt::format("marker for producer {} of coordinator epoch {}, the last one seen is {}",
                               batch.producer_id(), marker->coordinator_epoch, entry->coordinator_epoch)});
    }
    return {};
  }
  TRY(check_epoch(batch, entry, 0));
  if (origin == AppendOrigin::kClient) TRY(check_sequence(batch, entry));
  auto awaited = awaited_.find(batch.producer_id());
  if (origin == AppendOrigin::kClient && entry == nullptr && awaited != awaited_.end() &&
      awaited->second.epoch == batch.producer_epoch() && awaited->second.sequence != batch.base_sequence()) {
    return Err(LogError{LogErrorKind::kOutOfOrderSequence,
                        fmt::format("producer {} sent sequence {}, and the disk had no room for its {} before",
                                    batch.producer_id(), batch.base_sequence(), awaited->second.sequence)});
  }
  bool in_transaction = entry != nullptr && entry->txn_first_offset.has_value();
  if (in_transaction && !batch.transactional()) {
    return Err(
        LogError{LogErrorKind::kInvalidTxnState,
                 fmt::format("producer {} sent a plain batch inside its transaction", batch.producer_id())});
  }
  return {};
}

std::optional<CompletedTxn> ProducerState::apply(const wire::BatchView& batch) {
  CHECK(batch.has_producer());
  std::optional<Marker> marker;
  if (batch.control()) {
    marker = read_marker(batch);
    if (!marker) return std::nullopt;  // compaction took the marker out: the transaction is gone altogether
  }
  awaited_.erase(batch.producer_id());
  ProducerEntry& entry = producers_[batch.producer_id()];
  entry.producer_id = batch.producer_id();
  set_epoch(entry, batch.producer_epoch());
  if (!marker) {
    entry.add({batch.last_sequence(), batch.last_offset(),
               static_cast<std::int32_t>(batch.last_offset_delta()), batch.max_timestamp()});
    entry.last_timestamp = batch.max_timestamp();
    if (batch.transactional() && !entry.txn_first_offset) {
      entry.txn_first_offset = batch.base_offset();
      ongoing_.emplace(batch.base_offset(), batch.producer_id());
    }
    return std::nullopt;
  }
  entry.coordinator_epoch = marker->coordinator_epoch;
  entry.last_timestamp = marker->timestamp;
  if (!entry.txn_first_offset) return std::nullopt;
  CompletedTxn txn{batch.producer_id(), *entry.txn_first_offset, batch.base_offset(), !marker->commit};
  entry.txn_first_offset.reset();
  return txn;
}

ProducerUndo ProducerState::undo_of(ProducerId producer_id) const {
  ProducerUndo undo;
  undo.producer_id = producer_id;
  if (const ProducerEntry* entry = find(producer_id); entry != nullptr) undo.entry = *entry;
  return undo;
}

void ProducerState::restore(const ProducerUndo& undo) {
  if (undo.entry.has_value()) producers_[undo.producer_id] = *undo.entry;
  else producers_.erase(undo.producer_id);
}

void ProducerState::await(ProducerId producer_id, std::int16_t epoch, std::int32_t sequence) {
  if (find(producer_id) != nullptr) return;
  if (awaited_.size() >= kAwaitedMax) awaited_.clear();
  Beginning beginning{epoch, sequence};
  auto [known, added] = awaited_.emplace(producer_id, beginning);
  if (!added && known->second.epoch != beginning.epoch) known->second = beginning;
}

Offset ProducerState::stable_offset_after(const CompletedTxn& txn) const {
  for (const auto& [first_offset, producer_id] : ongoing_) {
    if (producer_id != txn.producer_id) return first_offset;
  }
  return txn.last_offset + 1;
}

void ProducerState::complete_txn(const CompletedTxn& txn) {
  ongoing_.erase(txn.first_offset);
  unreplicated_[txn.first_offset] = txn.last_offset;
}

void ProducerState::high_watermark_moved(Offset high_watermark) {
  std::erase_if(unreplicated_, [&](const auto& txn) { return txn.second < high_watermark; });
}

std::optional<Offset> ProducerState::first_unstable_offset() const {
  std::optional<Offset> first;
  if (!ongoing_.empty()) first = ongoing_.begin()->first;
  if (!unreplicated_.empty() && (!first || unreplicated_.begin()->first < *first)) {
    first = unreplicated_.begin()->first;
  }
  return first;
}

std::optional<Offset> ProducerState::first_unstable_offset_at(Offset high_watermark) const {
  std::optional<Offset> first;
  if (!ongoing_.empty()) first = ongoing_.begin()->first;
  for (const auto& [begin, end] : unreplicated_) {
    if (end >= high_watermark && (!first || begin < *first)) first = begin;
  }
  return first;
}

void ProducerState::expire(Timestamp now, std::int64_t expiration_ms) {
  std::erase_if(producers_, [&](const auto& item) {
    return !item.second.txn_first_offset && now - item.second.last_timestamp >= expiration_ms;
  });
}

bool ProducerState::knows_more_than_snapshot() const {
  return !awaited_.empty() || std::ranges::any_of(producers_, [](const auto& item) { return item.second.batch_count > 1; });
}

void ProducerState::clear() {
  producers_.clear();
  awaited_.clear();
  ongoing_.clear();
  unreplicated_.clear();
}

std::vector<ProducerEntry> ProducerState::producers() const {
  std::vector<ProducerEntry> all;
  all.reserve(producers_.size());
  for (const auto& [id, entry] : producers_) all.push_back(entry);
  return all;
}

std::string ProducerState::snapshot() const {
  std::string file(kSnapshotHeader + kSnapshotEntry * producers_.size(), '\0');
  auto* at = reinterpret_cast<std::uint8_t*>(file.data());
  store_be<std::int16_t>(at, 1);
  store_be<std::int32_t>(at + 6, static_cast<std::int32_t>(producers_.size()));
  std::uint8_t* e = at + kSnapshotHeader;
  for (const auto& [id, entry] : producers_) {
    store_be<std::int64_t>(e, id.value());
    store_be<std::int16_t>(e + 8, entry.producer_epoch);
    store_be<std::int32_t>(e + 10, entry.last_sequence());
    store_be<std::int64_t>(e + 14, entry.last_offset().value());
    store_be<std::int32_t>(e + 22, entry.empty() ? 0 : entry.last().offset_delta);
    store_be<std::int64_t>(e + 26, entry.last_timestamp.value());
    store_be<std::int32_t>(e + 34, entry.coordinator_epoch);
    store_be<std::int64_t>(e + 38, entry.txn_first_offset.value_or(kNoOffset).value());
    e += kSnapshotEntry;
  }
  store_be<std::uint32_t>(at + 2, crc32c(as_bytes(file).subspan(6)));
  return file;
}

LogResult<void> ProducerState::load_snapshot(std::string_view file, Timestamp now,
                                             std::int64_t expiration_ms) {
  clear();
  auto corrupt = [](std::string_view why) {
    return Err(LogError{LogErrorKind::kCorrupt, fmt::format("producer snapshot: {}", why)});
  };
  if (file.size() < kSnapshotHeader) return corrupt("too short");
  const auto* at = reinterpret_cast<const std::uint8_t*>(file.data());
  if (load_be<std::int16_t>(at) != 1) return corrupt("not version 1");
  if (load_be<std::uint32_t>(at + 2) != crc32c(as_bytes(file).subspan(6)))
    return corrupt("checksum does not match");
  std::int64_t count = load_be<std::int32_t>(at + 6);
  if (count < 0 || kSnapshotHeader + static_cast<std::uint64_t>(count) * kSnapshotEntry != file.size()) {
    return corrupt("length does not match the number of entries");
  }
  for (const std::uint8_t* e = at + kSnapshotHeader; count > 0; --count, e += kSnapshotEntry) {
    ProducerEntry entry;
    entry.producer_id = ProducerId(load_be<std::int64_t>(e));
    entry.producer_epoch = load_be<std::int16_t>(e + 8);
    Offset last_offset(load_be<std::int64_t>(e + 14));
    entry.last_timestamp = Timestamp(load_be<std::int64_t>(e + 26));
    entry.coordinator_epoch = load_be<std::int32_t>(e + 34);
    Offset txn(load_be<std::int64_t>(e + 38));
    if (last_offset.value() >= 0) {
      entry.add(
          {load_be<std::int32_t>(e + 10), last_offset, load_be<std::int32_t>(e + 22), entry.last_timestamp});
    }
    if (txn.value() >= 0) entry.txn_first_offset = txn;
    bool expired = !entry.txn_first_offset && entry.last_timestamp.value() <= now.value() - expiration_ms;
    if (expired) continue;
    if (entry.txn_first_offset) ongoing_.emplace(txn, entry.producer_id);
    producers_[entry.producer_id] = entry;
  }
  return {};
}

}  // namespace milena::log
