#include "replica/group_replay.h"

#include "base/mutant.h"
#include "wire/control_record.h"
#include "wire/record.h"
#include "wire/record_batch.h"

namespace milena::replica {
namespace {

constexpr std::size_t kMaxBatchBytes = 512 << 20;

group::GroupRecord to_group_record(const wire::RecordView& record) {
  group::GroupRecord result;
  if (record.key.has_value()) result.key = Bytes::copy(*record.key);
  if (record.value.has_value()) result.value = Bytes::copy(*record.value);
  return result;
}

void replay_control_batch(group::Groups& groups, const wire::BatchView& batch) {
  wire::RecordReader reader(batch);
  wire::RecordView record;
  while (reader.next(record)) {
    if (!record.key.has_value()) continue;
    auto type = wire::parse_control_key(*record.key);
    bool commit = type == static_cast<std::int16_t>(wire::ControlType::kCommit);
    bool abort = type == static_cast<std::int16_t>(wire::ControlType::kAbort);
    if (commit || abort) groups.replay_end_transaction(batch.producer_id(), commit);
  }
}

}  // namespace

Offset replay_group_records(io::Log& diagnostics, group::Groups& groups, ByteView batches, Offset from,
                            wire::CompressionScratch& scratch) {
  wire::BatchCursor cursor(batches);
  wire::BatchView batch;
  Offset next = from;
  while (cursor.next(batch)) {
    Offset end = batch.next_offset();
    if (end <= next) continue;
    if (MILENA_MUTANT("forgotten-commit") && cursor.position() == batches.size()) {
      next = end;
      continue;
    }
    if (batch.control()) {
      replay_control_batch(groups, batch);
      next = end;
      continue;
    }
    Buffer plain;
    ByteView payload = batch.payload();
    if (batch.compressed()) {
      auto codec = batch.codec();
      wire::DecompressOptions limits;
      limits.bytes_max = kMaxBatchBytes;
      if (!codec.has_value() || wire::decompress(*codec, payload, limits, plain, scratch).failed()) {
        diagnostics.error("group", "cannot decompress the batch at offset {} of __consumer_offsets",
                          batch.base_offset());
        next = end;
        continue;
      }
      payload = plain.view();
    }
    wire::RecordReader reader(batch, payload);
    wire::RecordView record;
    ProducerId producer = batch.transactional() ? batch.producer_id() : kNoProducer;
    while (reader.next(record)) {
      if (record.offset < from) continue;
      auto applied = groups.replay(to_group_record(record), record.offset, producer);
      if (applied.failed()) {
        diagnostics.warn("group", "record at offset {} of __consumer_offsets: {}", record.offset,
                         group::name(applied.error()));
      }
    }
    next = end;
  }
  return next;
}

}  // namespace milena::replica
