// Fuzz target: record batches, the older message formats, and compression.
//
// Input: byte 0 chooses by its low bits, the rest is data.
//   0: entries of a log, one behind the other: walked, unpacked, their records and headers read
//   1: records of a Produce request, as they are; byte 1 chooses the topic's settings
//   2: the same, with the CRC of the first batch put right, so that what lies behind that check is reached
//   3: compressed data; byte 1 chooses the codec
#include <cstdint>
#include <utility>

#include "base/check.h"
#include "wire/compression.h"
#include "wire/log_entry.h"
#include "wire/record.h"
#include "wire/record_validation.h"

namespace milena::wire {
namespace {

constexpr std::size_t kUnpackedMax = 1 << 18;

CompressionScratch& scratch() {
  static CompressionScratch scratch;
  return scratch;
}

bool inside(ByteView part, ByteView whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

/// The number of records, -1 when one is malformed.
std::int64_t walk_records(const BatchView& batch, ByteView payload) {
  RecordReader reader(batch, payload);
  RecordView record;
  std::int64_t count = 0;
  while (reader.next(record)) {
    ++count;
    CHECK(!record.key || inside(*record.key, payload), "a key outside its batch");
    CHECK(!record.value || inside(*record.value, payload), "a value outside its batch");
    HeadersView::Cursor headers(record.headers);
    RecordHeader header;
    std::int32_t header_count = 0;
    while (headers.next(header)) {
      ++header_count;
      CHECK(inside(as_bytes(header.key), payload), "a header's key outside its batch");
      CHECK(!header.value || inside(*header.value, payload), "a header's value outside its batch");
    }
    CHECK(header_count == record.headers.count(), "{} of {} headers", header_count, record.headers.count());
  }
  return reader.error() ? -1 : count;
}

void walk_batch(const BatchView& batch) {
  (void)batch.crc_ok();
  (void)batch.last_sequence();
  (void)batch.next_offset();
  Buffer unpacked;
  auto payload = unpack_payload(batch, kUnpackedMax, unpacked, scratch());
  if (payload.failed()) return;
  CHECK(!batch.compressed() || payload->size() <= kUnpackedMax, "{} bytes unpacked", payload->size());
  std::int64_t count = walk_records(batch, *payload);
  CHECK(count < 0 || count == batch.records_count(), "{} of {} records", count, batch.records_count());
}

void walk_legacy(const LegacyEntryView& entry) {
  (void)entry.crc_ok();
  auto reader = LegacyReader::open(entry, kUnpackedMax, scratch());
  if (reader.failed()) return;
  LegacyRecordView record;
  std::int32_t count = 0;
  while (reader->next(record)) ++count;
  CHECK(count == reader->count(), "{} of {} messages", count, reader->count());
}

void walk_entries(ByteView bytes) {
  LogEntryCursor cursor(bytes);
  LogEntryView entry;
  std::size_t total = 0;
  while (cursor.next(entry)) {
    CHECK(inside(entry.bytes(), bytes) && entry.size() > 0, "an entry outside its log");
    total += entry.size();
    (void)entry.base_offset();
    (void)entry.max_timestamp();
    if (entry.is_batch()) {
      walk_batch(entry.batch());
    } else {
      walk_legacy(entry.legacy());
    }
  }
  CHECK(cursor.position() == total && (total == bytes.size() || cursor.error()), "{} bytes walked", total);
}

ValidationOptions options_of(std::uint8_t choice) {
  ValidationOptions options;
  options.partition = "topic-0";
  options.now = Timestamp(1'700'000'000'000);
  options.request_version = (choice & 1) != 0 ? 3 : 13;
  options.compacted = (choice & 2) != 0;
  if ((choice & 4) != 0) options.timestamp_type = TimestampType::kLogAppendTime;
  options.check_compressed = (choice & 8) != 0;
  if ((choice & 16) != 0) options.timestamp_before_max_ms = 1000;
  if ((choice & 32) == 0) options.timestamp_after_max_ms = std::numeric_limits<std::int64_t>::max();
  int codec = choice >> 6;
  if (codec > 0) options.codec = static_cast<Codec>(codec == 3 ? 4 : codec - 1);  // none, gzip, zstd
  options.decompressed_bytes_max = kUnpackedMax;
  return options;
}

void validate(ByteView input, bool fix_crc) {
  if (input.empty()) return;
  ValidationOptions options = options_of(input[0]);
  Bytes records = Bytes::copy(input.subspan(1));
  if (fix_crc && BatchView::parse(records).has_value()) patch_crc(records.unshared_data());
  auto valid = validate_produce(std::move(records), options, scratch());
  if (valid.failed()) {
    CHECK(valid.error().records.size() <= kRecordFaultsMax, "{} faults", valid.error().records.size());
    return;
  }
  auto batch = BatchView::parse(valid->bytes);
  CHECK(batch.has_value() && batch->size() == valid->bytes.size(), "accepted records are not one batch");
  CHECK(batch->crc_ok(), "an accepted batch has a wrong CRC");
  CHECK(batch->records_count() == valid->count && valid->count > 0, "{} records", valid->count);
  CHECK(batch->last_offset_delta() == valid->count - 1, "an accepted batch does not fill its offsets");
  if (!valid->records_checked) return;
  Buffer unpacked;
  auto payload = unpack_payload(*batch, kUnpackedMax, unpacked, scratch());
  CHECK(payload.has_value(), "an accepted batch does not unpack");
  CHECK(walk_records(*batch, *payload) == valid->count, "accepted records cannot be read");
}

void decompress_any(ByteView input) {
  if (input.empty()) return;
  auto codec = static_cast<Codec>(input[0] % kCodecs);
  ByteView data = input.subspan(1);
  Buffer out;
  out.append(as_bytes("front"));
  DecompressOptions options{.bytes_max = kUnpackedMax, .any_lz4_header_checksum = (input[0] & 0x80) != 0};
  auto done = decompress(codec, data, options, out, scratch());
  if (done.failed()) {
    CHECK(out.size() == 5, "a failure left {} bytes", out.size());
    return;
  }
  CHECK(out.size() - 5 <= kUnpackedMax, "{} bytes out", out.size());
  Buffer packed;
  compress(codec, level_range(codec).standard, out.view().subspan(5), packed, scratch());
  Buffer again;
  CHECK(decompress(codec, packed.view(), options, again, scratch()).has_value(),
        "own output does not decompress");
  CHECK(as_text(again.view()) == as_text(out.view().subspan(5)), "own output decompresses to something else");
}

}  // namespace
}  // namespace milena::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace milena;
  if (size == 0) return 0;
  ByteView rest(data + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      wire::walk_entries(rest);
      break;
    case 1:
      wire::validate(rest, false);
      break;
    case 2:
      wire::validate(rest, true);
      break;
    default:
      wire::decompress_any(rest);
  }
  return 0;
}
