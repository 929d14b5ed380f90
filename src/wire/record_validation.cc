#include "wire/record_validation.h"

#include <fmt/format.h>

#include "wire/batch_builder.h"
#include "wire/compression_state.h"
#include "wire/record.h"
#include "wire/record_stream.h"

namespace milena::wire {
namespace {

using Verdict = Result<void, ProduceError>;

template <class... Args>
std::unexpected<ProduceError> fault(ProduceFault code, fmt::format_string<Args...> text, Args&&... args) {
  return Err(ProduceError{code, fmt::format(text, std::forward<Args>(args)...), {}, false});
}

std::int64_t wrapping_sub(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

bool out_of_bounds(Timestamp timestamp, const ValidationOptions& options) {
  std::int64_t age = wrapping_sub(options.now.value(), timestamp.value());
  return age > options.timestamp_before_max_ms || wrapping_sub(0, age) > options.timestamp_after_max_ms;
}

/// The one batch in `records`, of the right format: what a Produce request may hold at all.
Result<BatchView, ProduceError> the_batch(ByteView records, const ValidationOptions& options) {
  auto framing = [&](BatchError error) -> std::unexpected<ProduceError> {
    if (error == BatchError::kLegacyFormat) {
      return fault(ProduceFault::kInvalidRecord, "{}: Produce v{} takes only batches of magic 2",
                   options.partition, options.request_version);
    }
    return fault(ProduceFault::kCorruptMessage, "{}: {}", options.partition, describe(error));
  };
  auto parsed = BatchView::parse(records);
  if (parsed.failed() && parsed.error() == BatchError::kIncomplete) {
    return fault(ProduceFault::kInvalidRecord, "{}: Produce v{} needs a record batch for each partition",
                 options.partition, options.request_version);
  }
  if (parsed.failed()) return framing(parsed.error());
  if (parsed->codec() == Codec::kZstd && options.request_version < 7) {
    return fault(ProduceFault::kUnsupportedCompressionType, "{}: Produce v{} does not know zstd",
                 options.partition, options.request_version);
  }
  ByteView behind = records.subspan(parsed->size());
  auto next = entry_size(behind);
  if (next.failed() && next.error() != BatchError::kIncomplete) return framing(next.error());
  if (!next.failed() && *next <= behind.size()) {
    return fault(ProduceFault::kInvalidRecord,
                 "{}: Produce v{} takes exactly one record batch for each partition", options.partition,
                 options.request_version);
  }
  return *parsed;
}

/// All that the header alone tells.
Verdict check_header(const BatchView& batch, const ValidationOptions& options) {
  if (batch.base_offset().value() != 0) {
    return fault(ProduceFault::kInvalidRecord, "{}: the base offset of a produced batch must be 0, it is {}",
                 options.partition, batch.base_offset());
  }
  if (batch.size() > options.batch_bytes_max) {
    return fault(ProduceFault::kMessageTooLarge, "{}: a batch of {} bytes exceeds the maximum of {}",
                 options.partition, batch.size(), options.batch_bytes_max);
  }
  if (!batch.crc_ok()) {
    return fault(ProduceFault::kCorruptMessage, "{}: the batch does not match its stored crc {}",
                 options.partition, batch.crc());
  }
  if (!batch.codec().has_value()) {
    return fault(ProduceFault::kUnsupportedCompressionType, "{}: no compression codec has number {}",
                 options.partition, batch.codec_id());
  }
  std::int32_t count = batch.records_count();
  if (batch.last_offset_delta() < 0 || count <= 0 || count - 1 != batch.last_offset_delta()) {
    return fault(ProduceFault::kInvalidRecord, "{}: a batch of {} records cannot have last offset delta {}",
                 options.partition, count, batch.last_offset_delta());
  }
  if (batch.control()) {
    return fault(ProduceFault::kInvalidRecord, "{}: clients may not write control records",
                 options.partition);
  }
  if (batch.has_producer() && (batch.base_sequence() < 0 || batch.producer_epoch() < 0)) {
    return fault(ProduceFault::kInvalidRecord, "{}: a batch of producer id {} with epoch {} and sequence {}",
                 options.partition, batch.producer_id(), batch.producer_epoch(), batch.base_sequence());
  }
  if (batch.transactional() && !batch.has_producer()) {
    return fault(ProduceFault::kInvalidRecord, "{}: a transactional batch without a producer id",
                 options.partition);
  }
  return {};
}

/// What walking the records tells.
struct Walk {
  Timestamp max_timestamp = kNoTimestamp;
  std::int32_t max_timestamp_delta = -1;
  bool offsets_in_step = true;
};

/// Collects what is wrong with single records; the batch fails with all of them.
class RecordFaults {
 public:
  explicit RecordFaults(const ValidationOptions& options) : options_(options) {}

  void check(const BatchView& batch, const RecordView& record, std::int32_t index) {
    if (options_.compacted && !record.key.has_value()) [[unlikely]] {
      add(index, fmt::format("{}: a compacted topic takes no record without key", options_.partition));
      return;
    }
    if (options_.timestamp_type == TimestampType::kCreateTime && record.timestamp != kNoTimestamp) {
      if (!out_of_bounds(record.timestamp, options_)) [[likely]]
        return;
      bad_timestamp_ = true;
      add(index,
          fmt::format("Timestamp {} of the record at offset {} is not within [{}, {}]", record.timestamp,
                      record.offset, wrapping_sub(options_.now.value(), options_.timestamp_before_max_ms),
                      wrapping_sub(options_.now.value(), wrapping_sub(0, options_.timestamp_after_max_ms))));
    } else if (batch.timestamp_type() == TimestampType::kLogAppendTime) {
      bad_timestamp_ = true;
      add(index, "A producer may not set the timestamp type to log append time");
    }
  }

  Verdict verdict() {
    if (total_ == 0) return {};
    ProduceError error{bad_timestamp_ ? ProduceFault::kInvalidTimestamp : ProduceFault::kInvalidRecord, "",
                       std::move(faults_), false};
    error.message = fmt::format("{}: {} of the batch's records were rejected; the first: {}",
                                options_.partition, total_, error.records.front().message);
    return Err(std::move(error));
  }

 private:
  void add(std::int32_t index, std::string message) {
    ++total_;
    if (faults_.size() < kRecordFaultsMax) faults_.push_back({index, std::move(message)});
  }
  const ValidationOptions& options_;
  std::vector<RecordFault> faults_;
  std::int64_t total_ = 0;
  bool bad_timestamp_ = false;
};

/// Looks at the records one by one, then tells.
class Walker {
 public:
  Walker(const BatchView& batch, const ValidationOptions& options)
      : batch_(batch), options_(options), faults_(options) {}

  void see(const RecordView& record) {
    std::int32_t index = next_++;
    faults_.check(batch_, record, index);
    if (record.timestamp > walk_.max_timestamp) {
      walk_.max_timestamp = record.timestamp;
      walk_.max_timestamp_delta = index;
    }
    if (record.offset_delta != index) [[unlikely]]
      walk_.offsets_in_step = false;
  }

  Result<Walk, ProduceError> end(std::optional<RecordError> error) {
    if (error.has_value()) {
      return fault(ProduceFault::kInvalidRecord, "{}: {}", options_.partition, describe(*error));
    }
    TRY(faults_.verdict());
    return walk_;
  }

 private:
  const BatchView& batch_;
  const ValidationOptions& options_;
  RecordFaults faults_;
  Walk walk_;
  std::int32_t next_ = 0;
};

Result<Walk, ProduceError> walk_records(const BatchView& batch, ByteView payload,
                                        const ValidationOptions& options) {
  Walker walker(batch, options);
  RecordReader reader(batch, payload);
  RecordView record;
  while (reader.next(record)) walker.see(record);
  return walker.end(reader.error());
}

/// Does anything ask for a look inside a compressed batch?
bool must_decompress(const BatchView& batch, const ValidationOptions& options) {
  if (options.check_compressed || options.compacted) return true;
  if (options.timestamp_type == TimestampType::kLogAppendTime) return true;
  if (batch.timestamp_type() == TimestampType::kLogAppendTime) return true;
  if (options.codec.value_or(*batch.codec()) != *batch.codec()) return true;
  // The header names the first and the latest timestamp; the earliest is known only to the records.
  if (options.timestamp_before_max_ms != std::numeric_limits<std::int64_t>::max()) return true;
  auto suspect = [&](Timestamp t) { return t != kNoTimestamp && out_of_bounds(t, options); };
  return suspect(batch.base_timestamp()) || suspect(batch.max_timestamp());
}

std::unexpected<ProduceError> cannot_unpack(CompressionError error, const ValidationOptions& options) {
  return fault(error == CompressionError::kTooLarge ? ProduceFault::kMessageTooLarge : ProduceFault::kInvalidRecord,
               "{}: {}", options.partition, describe(error));
}

/// The same for a compressed batch, of which only pieces are in memory at a time.
Result<Walk, ProduceError> walk_compressed(const BatchView& batch, const ValidationOptions& options,
                                           CompressionScratch& scratch) {
  Walker walker(batch, options);
  RecordStream stream(batch, [&walker](const RecordView& record) { walker.see(record); });
  Buffer window;
  auto unpacked = decompress_to(stream, *batch.codec(),  // NOLINT(bugprone-unchecked-optional-access) checked
                                batch.payload(), {.bytes_max = options.decompressed_bytes_max}, window, scratch);
  if (unpacked.failed()) return cannot_unpack(unpacked.error(), options);
  return walker.end(stream.finish(window.view()));
}

Result<ByteView, ProduceError> unpack(const BatchView& batch, const ValidationOptions& options, Buffer& out,
                                      CompressionScratch& scratch) {
  auto payload = unpack_payload(batch, options.decompressed_bytes_max, out, scratch);
  if (payload.failed()) return cannot_unpack(payload.error(), options);
  return *payload;
}

/// The batch with offset deltas 0 to n-1, in the target codec.
Result<Bytes, ProduceError> renumber(const BatchView& batch, ByteView payload, Codec codec,
                                     const ValidationOptions& options, CompressionScratch& scratch) {
  BatchOptions target{.codec = codec,
                      .level = options.level,
                      .timestamp_type = batch.timestamp_type(),
                      .base_offset = batch.base_offset(),
                      .leader_epoch = batch.leader_epoch(),
                      .producer_id = batch.producer_id(),
                      .producer_epoch = batch.producer_epoch(),
                      .base_sequence = batch.base_sequence(),
                      .transactional = batch.transactional()};
  BatchBuilder builder(target);
  RecordReader reader(batch, payload);
  RecordView record;
  while (reader.next(record)) {
    if (record.timestamp < kNoTimestamp) {
      return fault(ProduceFault::kInvalidTimestamp, "{}: a record with timestamp {}", options.partition,
                   record.timestamp);
    }
    builder.append_at(builder.next_offset(), record.timestamp, record);
  }
  return builder.build(scratch);
}

/// Sets what the leader decides: the stamp, or the max timestamp that the records really have.
void stamp(ValidatedBatch& valid, const ValidationOptions& options) {
  BatchView batch = valid.view();
  if (options.timestamp_type == TimestampType::kLogAppendTime) {
    valid.max_timestamp = options.now;
    valid.max_timestamp_delta = -1;
  }
  if (batch.timestamp_type() == options.timestamp_type && batch.max_timestamp() == valid.max_timestamp)
    return;
  patch_max_timestamp(valid.bytes.unshared_data(), options.timestamp_type, valid.max_timestamp);
}

}  // namespace

Result<void, ProduceError> check_framing(ByteView records, const ValidationOptions& options) {
  TRY(the_batch(records, options));
  return {};
}

Result<ValidatedBatch, ProduceError> validate_produce(Bytes records, const ValidationOptions& options,
                                                      CompressionScratch& scratch) {
  auto framed = the_batch(records, options);
  if (framed.failed()) {
    framed.error().misframed = true;
    return Err(std::move(framed.error()));
  }
  const BatchView& batch = *framed;
  TRY(check_header(batch, options));
  ValidatedBatch valid;
  valid.count = batch.records_count();
  Codec source = *batch.codec();  // NOLINT(bugprone-unchecked-optional-access) check_header has seen it
  Codec target = options.codec.value_or(source);

  if (batch.compressed() && !must_decompress(batch, options)) {
    auto error = source == Codec::kLz4 ? lz4_refused_at_sight(batch.payload()) : std::nullopt;
    if (error.has_value()) {
      return fault(ProduceFault::kInvalidRecord, "{}: {}", options.partition, describe(*error));
    }
    valid.bytes = batch.size() == records.size() ? std::move(records) : records.slice(0, batch.size());
    valid.max_timestamp = batch.max_timestamp();
    return valid;
  }

  TRY_ASSIGN(Walk walk, batch.compressed() ? walk_compressed(batch, options, scratch)
                                           : walk_records(batch, batch.payload(), options));
  valid.records_checked = true;
  valid.max_timestamp = walk.max_timestamp;
  valid.max_timestamp_delta = walk.max_timestamp_delta;
  Buffer unpacked;
  ByteView payload;
  if (!walk.offsets_in_step || target != source) {
    TRY_ASSIGN(payload, unpack(batch, options, unpacked, scratch));
  }
  if (!walk.offsets_in_step) {
    TRY_ASSIGN(valid.bytes, renumber(batch, payload, target, options, scratch));
    valid.rebuilt = true;
  } else if (target != source) {
    valid.bytes = recompress_batch(batch, payload, target, options.level, scratch);
    valid.rebuilt = true;
  } else {
    valid.bytes = batch.size() == records.size() ? std::move(records) : records.slice(0, batch.size());
  }
  if (valid.rebuilt && valid.bytes.size() > options.batch_bytes_max) {
    return fault(ProduceFault::kMessageTooLarge, "{}: the batch takes {} bytes in the topic's form, over {}",
                 options.partition, valid.bytes.size(), options.batch_bytes_max);
  }
  stamp(valid, options);
  return valid;
}

}  // namespace milena::wire
