// Milena's side of the comparison of record batches with Kafka's own classes; golden_batches.py is the whole
// test.
//
//   golden_batches write   prints "batch", name, hex, description and "validate", name, options, hex, outcome
//   golden_batches read    takes "batch" lines written by Kafka and compares the description with its own
//
// Fields are separated by tabs. Exit code 1 if anything differs.
#include <fmt/format.h>

#include <charconv>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "wire/control_record.h"
#include "wire/log_entry.h"
#include "wire/record_validation.h"

namespace {

using namespace milena;
using namespace milena::wire;

constexpr std::size_t kUnpackedMax = std::size_t{256} << 20;
constexpr Timestamp kNow{1700000000000};

CompressionScratch& scratch() {
  static CompressionScratch one;
  return one;
}

// --- what a batch holds, as text ---------------------------------------------------------------------------

std::string field(const std::optional<ByteView>& bytes) {
  return bytes.has_value() ? to_hex(*bytes) : "~";
}

std::string describe_records(const BatchView& batch) {
  Buffer unpacked;
  auto payload = unpack_payload(batch, kUnpackedMax, unpacked, scratch());
  if (payload.failed()) return std::string(describe(payload.error()));
  std::string out;
  RecordReader reader(batch, *payload);
  for (RecordView record; reader.next(record);) {
    out +=
        fmt::format("R({},{},{},{}", record.offset, record.timestamp, field(record.key), field(record.value));
    HeadersView::Cursor headers(record.headers);
    for (RecordHeader header; headers.next(header);) {
      out += "," + to_hex(as_bytes(header.key)) + "=" + field(header.value);
    }
    if (batch.control()) {
      auto type = parse_control_key(record.key.value_or(ByteView{}));
      out += fmt::format(",type {}", type.value_or(-1));
      if (type == 0 || type == 1)
        out += fmt::format(" epoch {}", parse_end_txn_value(*record.value).value_or(-1));
    }
    out += ")";
  }
  if (reader.error().has_value()) out += describe(*reader.error());
  return out;
}

std::string describe_legacy(const LegacyEntryView& entry) {
  auto reader = LegacyReader::open(entry, kUnpackedMax, scratch());
  if (reader.failed()) return std::string(describe(reader.error()));
  std::string out =
      fmt::format("B({},{},{},{},{},{},{})", entry.magic(), reader->base_offset(), entry.offset(),
                  entry.codec_id(), static_cast<int>(entry.timestamp_type()), entry.timestamp(), entry.crc());
  for (LegacyRecordView record; reader->next(record);) {
    out += fmt::format("R({},{},{},{})", record.offset, record.timestamp, field(record.key),
                       field(record.value));
  }
  return out;
}

std::string describe(ByteView bytes, bool with_records, bool all_crcs) {
  std::string out;
  LogEntryCursor cursor(bytes);
  for (LogEntryView entry; cursor.next(entry);) {
    if (!entry.crc_ok()) return "wrong crc";
    if (!entry.is_batch()) {
      out += describe_legacy(entry.legacy());
      continue;
    }
    const BatchView& b = entry.batch();
    out += fmt::format("B(2,{},{},{},{},{}", b.base_offset(), b.last_offset(), b.codec_id(),
                       static_cast<int>(b.timestamp_type()), b.max_timestamp());
    if (all_crcs || !b.compressed()) out += fmt::format(",{}", b.crc());
    out += fmt::format(",{},{},{},{},{},{},{},{},{},{})", b.leader_epoch(), b.base_timestamp(),
                       b.transactional(), b.control(), b.has_delete_horizon(), b.producer_id(),
                       b.producer_epoch(), b.base_sequence(), b.last_sequence(), b.records_count());
    if (with_records) out += describe_records(b);
  }
  if (cursor.error().has_value()) out += milena::wire::describe(*cursor.error());
  return out;
}

// --- batches for Kafka to read -----------------------------------------------------------------------------

std::string random_bytes(Random& random, std::size_t size) {
  bool plain = random.one_in(2);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(plain ? 'a' + random.below(4) : random.next());
  return bytes;
}

struct Shape {
  int records = 40;
  std::int64_t gap = 0;
  bool large = true;
  std::uint64_t value_max = 300;
  bool all_keys = false;
};

Bytes build(const BatchOptions& options, Random& random, const Shape& shape) {
  BatchBuilder builder(options);
  for (int i = 0; i < shape.records; ++i) {
    std::string key = random_bytes(random, random.below(20));
    std::size_t size =
        shape.large && random.one_in(40) ? 5000 + random.below(100000) : random.below(shape.value_max);
    std::string value = random_bytes(random, size);
    std::string header = random_bytes(random, random.below(90));
    std::vector<RecordHeader> headers{
        {"", as_bytes(header)}, {"kopf-\xc3\xbc", std::nullopt}, {"x", as_bytes("")}};
    headers.resize(random.below(4));
    std::optional<ByteView> key_field;
    std::optional<ByteView> value_field;
    if (shape.all_keys || !random.one_in(4)) key_field = as_bytes(key);
    if (!random.one_in(6)) value_field = as_bytes(value);
    Offset offset = builder.next_offset() + (shape.gap == 0 || i == 0 ? 0 : random.between(0, shape.gap));
    builder.append_at(offset, kNow + random.between(-50000, 50000), key_field, value_field, headers);
  }
  return builder.build();
}

void emit(std::string_view name, ByteView bytes) {
  std::cout << "batch\t" << name << '\t' << to_hex(bytes) << '\t' << describe(bytes, true, true) << '\n';
}

void write_data_batches(Random& random) {
  for (int id = 0; id < kCodecs; ++id) {
    Codec codec = *codec_of(id);
    LevelRange range = level_range(codec);
    for (int level : {range.min, (range.min + range.max) / 2, -1, 1, 2, range.standard, range.max}) {
      if (level != range.standard && (level < range.min || level > range.max)) continue;
      for (int variant = 0; variant < 8; ++variant) {
        BatchOptions options{.codec = codec, .level = level, .leader_epoch = Epoch(variant - 1)};
        if (variant % 4 >= 2) options.timestamp_type = TimestampType::kLogAppendTime;
        options.log_append_time = kNow + 42;
        if (variant >= 4) options.base_offset = Offset(7000000000 + variant);
        if (variant >= 6) options.delete_horizon = kNow + 123456;
        if (variant % 2 == 1) {
          options.producer_id = ProducerId(1LL << 33);
          options.producer_epoch = 12;
          options.base_sequence = 2147483644;
          options.transactional = true;
        }
        Bytes bytes = build(options, random, {.records = variant == 0 ? 1 : 40, .gap = variant >= 6 ? 9 : 0});
        emit(fmt::format("milena {} level {} variant {}", codec_name(codec), level, variant), bytes);
      }
    }
  }
}

void write_control_batches() {
  EndTxnMarker marker{
      .commit = false, .coordinator_epoch = 77, .producer_id = ProducerId(12), .producer_epoch = 3};
  emit("milena abort", make_end_txn_batch(marker, Offset(100), Epoch(8), kNow));
  marker.commit = true;
  emit("milena commit", make_end_txn_batch(marker, Offset(101), Epoch(8), kNow));
  BatchOptions options{.base_offset = Offset(5), .leader_epoch = Epoch(2)};
  std::vector<ControlRecord> records;
  for (std::int16_t type = 2; type <= 6; ++type)
    records.push_back({static_cast<ControlType>(type), as_bytes("value")});
  emit("milena metadata control records", make_control_batch(options, kNow, records));
  BatchOptions kept{.base_offset = Offset(100),
                    .leader_epoch = Epoch(8),
                    .producer_id = ProducerId(5),
                    .producer_epoch = 6,
                    .base_sequence = 7,
                    .transactional = true};
  emit("milena empty", make_empty_batch(kept, Offset(110), kNow));
}

// --- validation --------------------------------------------------------------------------------------------

std::string outcome_of(Bytes bytes, ValidationOptions options, bool with_records) {
  options.check_compressed = true;  // what Kafka always does
  auto result = validate_produce(std::move(bytes), options, scratch());
  if (result.failed()) {
    std::string indices;
    for (const RecordFault& record : result.error().records) {
      indices += fmt::format("{}{}", indices.empty() ? "" : ",", record.batch_index);
    }
    return fmt::format("error {} {}", static_cast<int>(result.error().fault), indices);
  }
  patch_leader_epoch(result->bytes.unshared_data(), Epoch(5));
  return fmt::format("ok {} {}", result->max_timestamp, describe(result->bytes, with_records, false));
}

void validate_case(std::string_view name, ByteView bytes, const ValidationOptions& options,
                   bool with_records) {
  int codec = options.codec.has_value() ? static_cast<int>(*options.codec) : -1;
  std::cout << "validate\t" << name << '\t'
            << fmt::format("{},{},{},{:d},{},{},{},{},{:d}", options.request_version, options.now,
                           options.batch_bytes_max, options.compacted,
                           static_cast<int>(options.timestamp_type), options.timestamp_before_max_ms,
                           options.timestamp_after_max_ms, codec, with_records)
            << '\t' << to_hex(bytes) << '\t' << outcome_of(Bytes::copy(bytes), options, with_records) << '\n';
}

ValidationOptions at_now() {
  ValidationOptions options;
  options.now = kNow;
  return options;
}

template <class T>
Bytes with(const Bytes& bytes, std::size_t at, T value, bool renew_crc = true) {
  Bytes copy = Bytes::copy(bytes.view());
  store_be(copy.unshared_data() + at, value);
  if (renew_crc) patch_crc(copy.unshared_data());
  return copy;
}

void write_accepted(Random& random) {
  BatchOptions idempotent{.producer_id = ProducerId(3), .producer_epoch = 0, .base_sequence = 0};
  for (int from = 0; from < kCodecs; ++from) {
    idempotent.codec = *codec_of(from);
    Bytes bytes = build(idempotent, random, {.records = 20});
    for (int to = -1; to < kCodecs; ++to) {
      ValidationOptions options = at_now();
      if (to >= 0) options.codec = codec_of(to);
      validate_case(fmt::format("from {} to {}", from, to), bytes, options, true);
      options.timestamp_type = TimestampType::kLogAppendTime;
      validate_case(fmt::format("from {} to {} stamped", from, to), bytes, options, true);
    }
    ValidationOptions options = at_now();
    options.compacted = true;
    validate_case(fmt::format("compacted {}", from), bytes, options, true);
    validate_case(fmt::format("compacted with keys {}", from), build(idempotent, random, {.all_keys = true}),
                  options, true);
    options = at_now();
    options.timestamp_before_max_ms = 20000;
    options.timestamp_after_max_ms = 10000;
    validate_case(fmt::format("timestamps {}", from), bytes, options, true);
    options.compacted = true;
    validate_case(fmt::format("timestamps and keys {}", from), bytes, options, true);
    validate_case(fmt::format("max timestamp {}", from), with(bytes, 35, std::int64_t{1}), at_now(), true);
    // Batches that claim log append time themselves.
    Bytes claims = with(bytes, 21, static_cast<std::int16_t>(8 | from));
    validate_case(fmt::format("claims append time {}", from), claims, at_now(), true);
    options = at_now();
    options.timestamp_type = TimestampType::kLogAppendTime;
    validate_case(fmt::format("claims append time, stamped {}", from), claims, options, true);
  }
}

void write_refused(Random& random) {
  Bytes good = build({}, random, {.records = 5, .large = false});
  ValidationOptions options = at_now();
  auto one = [&](std::string_view name, const Bytes& bytes) { validate_case(name, bytes, options, true); };
  one("nothing", Bytes());
  one("cut", good.slice(0, good.size() - 1));
  one("cut in the header", good.slice(0, 40));
  Buffer two;
  two.append(good.view());
  two.append(good.view());
  one("two batches", Bytes::copy(two.view()));
  one("a cut batch behind", Bytes::copy(two.view().first(good.size() + 70)));
  one("garbage behind", Bytes::copy(two.view().first(good.size() + 9)));
  store_be(two.data() + good.size() + 8, std::int32_t{3});
  one("a corrupt length behind", Bytes::copy(two.view()));
  one("magic 0", with<std::int8_t>(good, 16, 0, false));
  one("magic 1", with<std::int8_t>(good, 16, 1, false));
  one("magic 3", with<std::int8_t>(good, 16, 3, false));
  one("wrong crc", with<std::int32_t>(good, 17, 1, false));
  one("length 13", with<std::int32_t>(good, 8, 13, false));
  one("length 30", with<std::int32_t>(good, 8, 30, false));
  one("base offset", with<std::int64_t>(good, 0, 4));
  for (std::int32_t n : {-1, 0, 4, 6}) one(fmt::format("count {}", n), with<std::int32_t>(good, 57, n));
  for (std::int32_t n : {-1, 0, 3, 5})
    one(fmt::format("last offset delta {}", n), with<std::int32_t>(good, 23, n));
  Bytes fewer = with<std::int32_t>(with<std::int32_t>(good, 57, 4), 23, 3);
  one("fewer records said", fewer);
  one("more records said", with<std::int32_t>(with<std::int32_t>(good, 57, 6), 23, 5));
  one("control", with<std::int16_t>(good, 21, 0x20));
  one("delete horizon", with<std::int16_t>(good, 21, 0x40));
  one("no sequence", with<std::int64_t>(good, 43, 7));
  options.batch_bytes_max = good.size() - 1;
  one("too large", good);
  options = at_now();
  options.request_version = 6;
  one("zstd in version 6", build({.codec = Codec::kZstd}, random, {}));
  one("lz4 in version 6", build({.codec = Codec::kLz4}, random, {}));
}

// Records damaged at random behind a right CRC. Damage that leaves only the offset deltas out of step is left
// out: Milena puts them right, Kafka does not.
void write_damaged(Random& random) {
  Bytes good = build({}, random, {.records = 6, .large = false, .value_max = 8});
  int written = 0;
  while (written < 5000) {
    Bytes bad = Bytes::copy(good.view());
    for (std::uint64_t flips = random.below(3) + 1; flips > 0; --flips) {
      std::size_t at = kBatchHeader + random.below(bad.size() - kBatchHeader);
      bad.unshared_data()[at] = static_cast<std::uint8_t>(random.one_in(2) ? random.below(8) : random.next());
    }
    patch_crc(bad.unshared_data());
    ValidationOptions options = at_now();
    options.compacted = random.one_in(3);
    auto probe = validate_produce(Bytes::copy(bad.view()), options, scratch());
    if (probe.has_value() && probe->rebuilt) continue;
    validate_case(fmt::format("damaged {}", written++), bad, options, false);
  }
}

int write_cases() {
  Random random(20260801);
  write_data_batches(random);
  write_control_batches();
  write_accepted(random);
  write_refused(random);
  write_damaged(random);
  return 0;
}

// --- batches that Kafka wrote ------------------------------------------------------------------------------

Bytes from_hex(std::string_view hex) {
  Buffer bytes(hex.size() / 2);
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    std::uint8_t byte = 0;
    std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
    bytes.push_back(byte);
  }
  return bytes.freeze();
}

int read_answers() {
  int compared = 0;
  int failures = 0;
  for (std::string line; std::getline(std::cin, line);) {
    std::vector<std::string_view> fields;
    std::string_view rest = line;
    for (std::size_t tab; (tab = rest.find('\t')) != std::string_view::npos; rest = rest.substr(tab + 1)) {
      fields.push_back(rest.substr(0, tab));
    }
    fields.push_back(rest);
    CHECK(fields.size() == 4 && fields[0] == "batch", "a line from Kafka has {} fields", fields.size());
    ++compared;
    std::string own = describe(from_hex(fields[2]), true, true);
    if (own == fields[3]) continue;
    if (++failures <= 20)
      std::cout << fields[1] << "\n  milena: " << own << "\n  kafka:  " << fields[3] << "\n";
  }
  std::cout << "milena: " << compared << " batches compared, " << failures << " differ\n";
  return failures == 0 && compared > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "write") return write_cases();
  if (mode == "read") return read_answers();
  std::cerr << "golden_batches write|read\n";
  return 2;
}
