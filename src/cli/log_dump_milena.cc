// milena log dump: Milena's own files in a log directory.
#include <fmt/format.h>

#include "base/endian.h"
#include "cli/context.h"
#include "cli/log_dump.h"
#include "log/epoch_journal.h"
#include "log/manifest.h"

namespace milena::cli {
namespace {

// docs/formats/milena-files.md
constexpr std::size_t kMarksHeader = 14;
constexpr std::size_t kMarksChecksum = 6;  // where the manifest's stands
constexpr std::size_t kMark = 8;

Json log_json(const char* kind, const log::PartitionName& name, const TopicId& topic_id) {
  Json item;
  item["kind"] = kind;
  item["topic"] = name.topic;
  item["partition"] = name.partition.value();
  item["topic_id"] = topic_id.to_string();
  return item;
}

void manifest_entry(DumpPrinter& printer, std::size_t index, const log::ManifestEntry& entry) {
  const log::LogSummary& known = entry.summary;
  Json item = log_json("manifest_entry", entry.name, entry.topic_id);
  item["index"] = index;
  item["log_start_offset"] = known.log_start_offset.value();
  item["log_end_offset"] = known.log_end_offset.value();
  item["first_unstable_offset"] = nullptr;
  if (known.first_unstable_offset) item["first_unstable_offset"] = known.first_unstable_offset->value();
  item["size_bytes"] = known.size_bytes;
  item["segments"] = known.segments;
  item["oldest_timestamp"] = nullptr;
  if (known.oldest != kNoTimestamp) item["oldest_timestamp"] = known.oldest.value();
  item["active_base_offset"] = known.active_base.value();
  item["active_inode"] = known.inode;
  item["active_size"] = known.active_size;
  item["active_mtime_ns"] = known.mtime_ns;
  item["epochs"] = Json::array();
  std::string epochs;
  for (const log::EpochEntry& epoch : entry.epochs) {
    item["epochs"].push_back({{"epoch", epoch.epoch.value()}, {"start_offset", epoch.start_offset.value()}});
    epochs += fmt::format("{}{} from {}", epochs.empty() ? "" : ", ", epoch.epoch.value(), epoch.start_offset.value());
  }
  std::string text = fmt::format("log {}  {}  topic id {}  offsets from {} to {}  {} bytes in {}", index,
                                 entry.name.to_string(), entry.topic_id.to_string(), known.log_start_offset.value(),
                                 known.log_end_offset.value(), known.size_bytes, counted(known.segments, "segment"));
  if (known.segments > 0)
    text += fmt::format("  active {} of {} bytes", known.active_base.value(), known.active_size);
  if (known.first_unstable_offset)
    text += fmt::format("  transaction open from {}", known.first_unstable_offset->value());
  if (!epochs.empty()) text += "  epochs " + epochs;
  printer.item(item, text);
}

}  // namespace

void dump_manifest(DumpPrinter& printer, std::string_view content) {
  std::uint32_t checksum = 0;
  auto manifest = log::parse_manifest(content, &checksum);
  if (manifest.failed()) return printer.damage(0, manifest.error().message);
  bool stopped = manifest->kind == log::Manifest::Kind::kStopped;
  std::string boot = manifest->identity.boot;
  while (boot.ends_with('\n')) boot.pop_back();  // Linux gives a line
  Json head;
  head["kind"] = "manifest";
  head["written"] = stopped ? "stopped" : "running";
  head["logs"] = manifest->entries.size();
  head["mark_files"] = manifest->mark_files;
  head["checksum"] = checksum;
  head["broker_epoch"] = manifest->broker_epoch;
  head["quorum_epoch"] = manifest->quorum_epoch.value();
  head["incarnation"] = manifest->incarnation.to_string();
  head["boot"] = boot;
  head["file_system"] = manifest->identity.file_system;
  printer.item(head, fmt::format("written {}  {}  {}  broker epoch {}  quorum epoch {}  incarnation {}  boot {}",
                                 stopped ? "at a clean stop" : "by a running node",
                                 counted(manifest->entries.size(), "log"),
                                 counted(manifest->mark_files, "file") + " of marks", manifest->broker_epoch,
                                 manifest->quorum_epoch.value(), manifest->incarnation.to_string(), boot));
  for (std::size_t i = 0; i < manifest->entries.size(); ++i) manifest_entry(printer, i, manifest->entries[i]);
}

void dump_marks(DumpPrinter& printer, std::string_view content, std::string_view manifest) {
  if (content.size() < kMarksHeader) return printer.damage(0, "too short for a file of marks");
  auto checksum = load_be<std::uint32_t>(as_bytes(content).data() + kMarksChecksum);
  auto header = log::parse_marks(content.substr(0, kMarksHeader), checksum);
  if (header.failed()) return printer.damage(0, header.error().message);
  // The marks before the first that is damaged: each is checked by itself.
  std::size_t good = 0;
  for (std::size_t beyond = (content.size() - kMarksHeader) / kMark + 1; beyond - good > 1;) {
    std::size_t middle = good + (beyond - good) / 2;
    (log::parse_marks(content.substr(0, kMarksHeader + middle * kMark), checksum).has_value() ? good : beyond) = middle;
  }
  std::size_t end = kMarksHeader + good * kMark;
  auto marks = log::parse_marks(content.substr(0, end), checksum);
  std::uint32_t its_checksum = 0;
  auto beside = log::parse_manifest(manifest, &its_checksum);
  bool named = beside.has_value() && its_checksum == checksum;
  Json head;
  head["kind"] = "marks";
  head["manifest_checksum"] = checksum;
  head["manifest_beside"] = named;
  head["marks"] = good;
  printer.item(head, fmt::format("{} on logs of the manifest {}", counted(good, "mark"),
                                 named ? "beside it" : fmt::format("with checksum {}, which is not beside it", checksum)));
  for (std::uint32_t index : *marks) {
    bool known = named && index < beside->entries.size();
    Json item;
    if (known) item = log_json("mark", beside->entries[index].name, beside->entries[index].topic_id);
    item["kind"] = "mark";
    item["index"] = index;
    printer.item(item, fmt::format("log {}{}", index, known ? "  " + beside->entries[index].name.to_string() : ""));
  }
  if (end == content.size()) return;
  printer.damage(end, content.size() - end < kMark
                          ? fmt::format("stops here: {} of {} bytes of a mark", content.size() - end, kMark)
                          : std::string("a damaged mark"));
}

void dump_epoch_journal(DumpPrinter& printer, std::string_view content) {
  std::vector<log::EpochStart> starts = log::parse_epoch_starts(content);
  for (const log::EpochStart& start : starts) {
    Json item = log_json("epoch_start", start.name, start.topic_id);
    item["epoch"] = start.entry.epoch.value();
    item["start_offset"] = start.entry.start_offset.value();
    printer.item(item, fmt::format("{}  topic id {}  epoch {} from offset {}", start.name.to_string(),
                                   start.topic_id.to_string(), start.entry.epoch.value(),
                                   start.entry.start_offset.value()));
  }
  std::size_t read = log::format_epoch_starts(starts).size();
  if (read < content.size()) printer.damage(read, "unfinished or damaged from here; the server reads no further either");
}

}  // namespace milena::cli
