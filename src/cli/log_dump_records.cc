// milena log dump: segments and snapshots of the metadata log: batches and their records.
#include <fmt/format.h>

#include <algorithm>

#include "base/endian.h"
#include "cli/log_dump.h"
#include "cli/position.h"
#include "wire/control_record.h"
#include "wire/json/record_json.h"
#include "wire/legacy_message.h"
#include "wire/record.h"

namespace milena::cli {
namespace {

constexpr std::size_t kWindow = 1 << 20;
constexpr std::size_t kEntryMax = 1 << 30;      // larger ones are taken for damage
constexpr std::size_t kUnpackedMax = 1 << 30;  // of one batch

std::string codec_text(int id) {
  auto codec = wire::codec_of(id);
  return codec ? std::string(wire::codec_name(*codec)) : fmt::format("codec {}", id);
}

Json batch_json(const wire::BatchView& batch, std::uint64_t position, bool valid) {
  Json item;
  item["kind"] = "batch";
  item["base_offset"] = batch.base_offset().value();
  item["last_offset"] = batch.last_offset().value();
  item["count"] = batch.records_count();
  item["position"] = position;
  item["size"] = batch.size();
  item["magic"] = 2;
  item["leader_epoch"] = batch.leader_epoch().value();
  item["timestamp_type"] = batch.timestamp_type() == wire::TimestampType::kCreateTime ? "CreateTime" : "LogAppendTime";
  item["base_timestamp"] = batch.base_timestamp().value();
  item["max_timestamp"] = batch.max_timestamp().value();
  item["codec"] = codec_text(batch.codec_id());
  item["producer_id"] = batch.producer_id().value();
  item["producer_epoch"] = batch.producer_epoch();
  item["base_sequence"] = batch.base_sequence();
  item["last_sequence"] = batch.last_sequence();
  item["transactional"] = batch.transactional();
  item["control"] = batch.control();
  item["delete_horizon"] = nullptr;
  if (auto horizon = batch.delete_horizon()) item["delete_horizon"] = horizon->value();
  item["crc"] = batch.crc();
  item["valid"] = valid;
  return item;
}

std::string batch_text(const wire::BatchView& batch, std::uint64_t position, bool valid) {
  std::string text = fmt::format("batch {}-{}  {}  at {}  {} bytes  epoch {}  {} {}", batch.base_offset().value(),
                                 batch.last_offset().value(), counted(static_cast<std::size_t>(std::max(batch.records_count(), 0)), "record"),
                                 position, batch.size(), batch.leader_epoch().value(),
                                 batch.timestamp_type() == wire::TimestampType::kCreateTime ? "CreateTime" : "LogAppendTime",
                                 batch.max_timestamp().value());
  if (batch.compressed()) text += "  " + codec_text(batch.codec_id());
  if (batch.has_producer())
    text += fmt::format("  producer {} epoch {} sequence {}-{}", batch.producer_id().value(), batch.producer_epoch(),
                        batch.base_sequence(), batch.last_sequence());
  if (batch.transactional()) text += "  transactional";
  if (batch.control()) text += "  control";
  if (auto horizon = batch.delete_horizon()) text += fmt::format("  delete horizon {}", horizon->value());
  return valid ? text : text + fmt::format("  INVALID: crc {:#010x} does not match", batch.crc());
}

Json shown(const std::optional<ByteView>& bytes) { return bytes ? shown_bytes(*bytes) : Json(nullptr); }

Bytes copy_of(ByteView view) { return Bytes::copy(view); }

Json undecoded(ByteView bytes, const std::string& error) {
  Json json;
  json["undecoded"] = error;
  json["bytes"] = shown_bytes(bytes);
  return json;
}

std::string_view family_of(Decoder decoder) {
  if (decoder == Decoder::kTransaction) return "transaction";
  return decoder == Decoder::kShare ? "share" : "group";
}

void decode_coordinator(Json& item, const wire::RecordView& record, Decoder decoder) {
  if (!record.key) return;
  std::string error;
  Json key = wire::coordinator_key_json(family_of(decoder), copy_of(*record.key), &error);
  item["key"] = error.empty() ? key : undecoded(*record.key, error);
  if (!record.value || record.key->size() < sizeof(std::int16_t)) return;
  error.clear();
  auto type = load_be<std::int16_t>(record.key->data());
  Json value = wire::coordinator_value_json(family_of(decoder), type, copy_of(*record.value), &error);
  item["value"] = error.empty() ? value : undecoded(*record.value, error);
}

// The message of a control record, by its type.
struct ControlMessage {
  wire::ControlType type;
  const char* name;
  const char* message;
};
constexpr ControlMessage kControls[] = {{wire::ControlType::kAbort, "Abort", "EndTxnMarker"},
                                        {wire::ControlType::kCommit, "Commit", "EndTxnMarker"},
                                        {wire::ControlType::kLeaderChange, "LeaderChange", "LeaderChangeMessage"},
                                        {wire::ControlType::kSnapshotHeader, "SnapshotHeader", "SnapshotHeaderRecord"},
                                        {wire::ControlType::kSnapshotFooter, "SnapshotFooter", "SnapshotFooterRecord"},
                                        {wire::ControlType::kKRaftVersion, "KRaftVersion", "KRaftVersionRecord"},
                                        {wire::ControlType::kKRaftVoters, "KRaftVoters", "VotersRecord"}};

void decode_control(Json& item, const wire::RecordView& record) {
  auto number = record.key ? wire::parse_control_key(*record.key) : std::nullopt;
  if (!number) return;
  auto known = std::ranges::find(kControls, static_cast<wire::ControlType>(*number), &ControlMessage::type);
  if (known == std::end(kControls)) {
    item["control_type"] = *number;
    return;
  }
  item["control_type"] = known->name;
  if (!record.value || record.value->size() < sizeof(std::int16_t)) return;
  const wire::RecordType* type = wire::find_record_type(known->message);
  // Each of these messages carries its version: a marker before it, the others as their first field.
  auto version = load_be<std::int16_t>(record.value->data());
  bool marker = number <= static_cast<std::int16_t>(wire::ControlType::kCommit);
  ByteView message = marker ? record.value->subspan(sizeof(std::int16_t)) : *record.value;
  if (type == nullptr || version < type->low || version > type->high) return;
  if (auto data = type->decode(copy_of(message), version)) {
    item.erase("key");
    item["value"] = std::move(*data);
  }
}

void decode(Json& item, const wire::RecordView& record, bool control, Decoder decoder) {
  if (control) return decode_control(item, record);
  if (decoder == Decoder::kNone) return;
  if (decoder != Decoder::kMetadata) return decode_coordinator(item, record, decoder);
  if (!record.value) return;
  std::string error;
  Json value = wire::metadata_record_json(copy_of(*record.value), &error);
  item["value"] = error.empty() ? value : undecoded(*record.value, error);
}

std::string one_line(const Json& value) {
  return value.is_null() ? "null" : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string record_text(const Json& item) {
  std::string text = fmt::format("  record {}  time {}", item["offset"].get<std::int64_t>(),
                                 item["timestamp"].get<std::int64_t>());
  if (item.contains("control_type"))
    text += "  " + (item["control_type"].is_string() ? item["control_type"].get<std::string>() : one_line(item["control_type"]));
  if (item.contains("key")) text += "  key " + one_line(item["key"]);
  text += "  value " + one_line(item["value"]);
  if (!item["headers"].empty()) text += "  headers " + one_line(item["headers"]);
  return text;
}

void dump_record(DumpPrinter& printer, const wire::RecordView& record, bool control, Decoder decoder) {
  Json item;
  item["kind"] = "record";
  item["offset"] = record.offset.value();
  item["timestamp"] = record.timestamp.value();
  item["key"] = shown(record.key);
  item["value"] = shown(record.value);
  item["headers"] = Json::array();
  wire::HeadersView::Cursor headers(record.headers);
  wire::RecordHeader header;
  while (headers.next(header)) {
    Json one;
    one["key"] = shown_bytes(as_bytes(header.key));
    one["value"] = shown(header.value);
    item["headers"].push_back(std::move(one));
  }
  decode(item, record, control, decoder);
  printer.item(item, record_text(item));
}

void dump_records(DumpPrinter& printer, const wire::BatchView& batch, std::uint64_t position, Decoder decoder) {
  Buffer unpacked;
  wire::CompressionScratch scratch;
  auto payload = wire::unpack_payload(batch, kUnpackedMax, unpacked, scratch);
  if (payload.failed()) return printer.damage(position, "the records cannot be decompressed");
  wire::RecordReader reader(batch, *payload);
  wire::RecordView record;
  while (reader.next(record)) dump_record(printer, record, batch.control(), decoder);
  if (auto error = reader.error()) printer.damage(position, fmt::format("a record of the batch: {}", describe(*error)));
}

void dump_legacy(DumpPrinter& printer, const wire::LegacyEntryView& entry, std::uint64_t position, bool deep) {
  Json item;
  bool valid = entry.crc_ok();
  item["kind"] = "message";
  item["offset"] = entry.offset().value();
  item["position"] = position;
  item["size"] = entry.size();
  item["magic"] = entry.magic();
  item["timestamp"] = entry.timestamp().value();
  item["codec"] = codec_text(entry.codec_id());
  item["crc"] = entry.crc();
  item["valid"] = valid;
  printer.item(item, fmt::format("message {}  at {}  {} bytes  format v{}  {}{}", entry.offset().value(), position,
                                 entry.size(), int{entry.magic()}, codec_text(entry.codec_id()),
                                 valid ? "" : "  INVALID: the crc does not match"));
  if (!valid) return printer.damage(position, "the checksum of a message does not match");
  if (!deep) return;
  wire::CompressionScratch scratch;
  auto reader = wire::LegacyReader::open(entry, kUnpackedMax, scratch);
  if (reader.failed()) return printer.damage(position, fmt::format("a message: {}", describe(reader.error())));
  wire::LegacyRecordView record;
  while (reader->next(record)) {
    Json one;
    one["kind"] = "record";
    one["offset"] = record.offset.value();
    one["timestamp"] = record.timestamp.value();
    one["key"] = shown(record.key);
    one["value"] = shown(record.value);
    one["headers"] = Json::array();
    printer.item(one, record_text(one));
  }
}

}  // namespace

bool EntryStream::fill(std::size_t bytes, std::string* error) {
  std::uint64_t begin = position_ - window_at_;
  if (begin <= window_.size() && window_.size() - begin >= bytes) return true;
  std::uint64_t want = std::min<std::uint64_t>(std::max(bytes, kWindow), size_ - position_);
  window_.resize(static_cast<std::size_t>(want));
  window_at_ = position_;
  auto got = file_.read_at(position_, window_);
  if (got.failed()) {
    *error = got.error().what;
    window_.clear();
    return false;
  }
  window_.resize(*got);
  return true;
}

bool EntryStream::next(wire::LogEntryView& entry, std::string* error) {
  error->clear();
  position_ += std::exchange(ahead_, 0);
  if (position_ >= size_) return false;
  if (!fill(wire::kBatchHeader, error)) return false;
  auto rest = [this] { return ByteView(window_).subspan(static_cast<std::size_t>(position_ - window_at_)); };
  auto size = wire::entry_size(rest());
  if (size.has_value() && *size > kEntryMax) {
    *error = fmt::format("an entry says it has {} bytes", *size);
    return false;
  }
  if (size.has_value() && *size > size_ - position_) {
    *error = fmt::format("the last entry is unfinished: {} of {} bytes are there", size_ - position_, *size);
    return false;
  }
  if (size.has_value() && !fill(*size, error)) return false;
  auto parsed = wire::LogEntryView::parse(rest());
  if (parsed.failed()) {
    // The first eight bytes are an offset, and may be zeros in whatever was begun.
    bool zeros = rest().size() > sizeof(std::int64_t) && std::ranges::all_of(rest(), [](std::uint8_t byte) { return byte == 0; });
    *error = zeros ? "zeros, as of a file that was made longer before it was written"
             : parsed.error() == wire::BatchError::kIncomplete
                 ? fmt::format("the last entry is unfinished: {} bytes of it are there", size_ - position_)
                 : std::string(describe(parsed.error()));
    return false;
  }
  entry = *parsed;
  ahead_ = entry.size();
  return true;
}

void dump_segment(DumpPrinter& printer, io::File& file, std::uint64_t size, Decoder decoder,
                  const DumpOptions& options) {
  EntryStream entries(file, size);
  wire::LogEntryView entry;
  std::string error;
  std::uint64_t batches = 0;
  std::int64_t records = 0;
  while (entries.next(entry, &error)) {
    if (entry.last_offset().value() < options.from) continue;
    if (entry.base_offset().value_or(entry.last_offset()).value() > options.to) break;
    ++batches;
    if (!entry.is_batch()) {
      dump_legacy(printer, entry.legacy(), entries.position(), options.deep);
      continue;
    }
    const wire::BatchView& batch = entry.batch();
    records += std::max(batch.records_count(), 0);
    bool valid = batch.crc_ok();
    printer.item(batch_json(batch, entries.position(), valid), batch_text(batch, entries.position(), valid));
    if (!valid) printer.damage(entries.position(), "the checksum of a batch does not match");
    else if (options.deep) dump_records(printer, batch, entries.position(), decoder);
  }
  if (!error.empty()) printer.damage(entries.position(), fmt::format("stops here, {} before the end: {}",
                                                                     counted(size - entries.position(), "byte"), error));
  Json item;
  item["kind"] = "end";
  item["batches"] = batches;
  item["records"] = records;
  item["bytes"] = size;
  printer.item(item, fmt::format("end: {} with {}, {} in the file", batches == 1 ? "1 batch" : fmt::format("{} batches", batches),
                                 counted(static_cast<std::size_t>(records), "record"), counted(size, "byte")));
}

}  // namespace milena::cli
