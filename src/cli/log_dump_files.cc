// milena log dump: indexes, producer snapshots, checkpoints and texts; and how items are printed.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/crc32c.h"
#include "base/endian.h"
#include "cli/log_dump.h"
#include "wire/json/record_json.h"

namespace milena::cli {
namespace {

// docs/formats/log-directory.md
constexpr std::size_t kOffsetEntry = 8;
constexpr std::size_t kTimeEntry = 12;
constexpr std::size_t kTransactionEntry = 34;
constexpr std::size_t kSnapshotHeader = 10;
constexpr std::size_t kSnapshotEntry = 46;
constexpr std::size_t kTextShown = 1 << 16;

template <class T>
T at(std::string_view content, std::size_t position) {
  return load_be<T>(reinterpret_cast<const std::uint8_t*>(content.data()) + position);
}

bool all_zero(std::string_view bytes) {
  return std::ranges::all_of(bytes, [](char c) { return c == 0; });
}

// The bytes before the zeros that Kafka fills its index files with while a segment is active. An entry of zeros is
// none, except the very first.
std::string_view without_filling(DumpPrinter& printer, std::string_view content, std::size_t entry) {
  std::size_t entries = content.size() / entry;
  std::size_t used = entries;
  while (used > 0 && all_zero(content.substr((used - 1) * entry, entry))) --used;
  if (used < entries) {
    Json item;
    item["kind"] = "filling";
    item["bytes"] = content.size() - used * entry;
    printer.item(item, fmt::format("{} bytes of zeros behind the last entry, as of a segment that was active",
                                   content.size() - used * entry));
  } else if (content.size() % entry != 0) {
    printer.damage(entries * entry, fmt::format("stops here: {} of {} bytes of an entry", content.size() % entry, entry));
  }
  return content.substr(0, used * entry);
}

// Empty: the batch that an index entry means is there.
std::string compare(io::File& log, std::int64_t offset, std::uint32_t position) {
  std::uint8_t header[wire::kBatchHeader];
  auto got = log.read_at(position, header);
  if (got.failed()) return got.error().what;
  if (*got < sizeof header) return "the segment ends before that position";
  // Without its content: an older message's own offset is its last one, a batch's is told by its delta.
  auto base = load_be<std::int64_t>(header);
  auto magic = static_cast<std::int8_t>(header[16]);
  std::int64_t last = magic == wire::kMagicV2 ? base + load_be<std::int32_t>(header + 23) : base;
  if (last != offset) return fmt::format("the batch at that position ends with offset {}", last);
  return "";
}

}  // namespace

Json shown_bytes(ByteView bytes) {
  std::string text(as_text(bytes));
  bool plain = std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n'; });
  if (plain) {
    try {
      (void)Json(text).dump();
      return text;
    } catch (const Json::exception&) {  // no UTF-8
    }
  }
  Json json;
  json["base64"] = wire::base64(bytes);
  return json;
}

void DumpPrinter::file(const std::string& path, std::string_view type) {
  if (!json_) {
    context_.terminal.out(fmt::format("{}{}  ({})\n", std::exchange(first_, false) ? "" : "\n", path, type));
    return;
  }
  Json item;
  item["kind"] = "file";
  item["path"] = path;
  item["type"] = type;
  this->item(item, "");
}

void DumpPrinter::item(const Json& item, std::string_view text) {
  if (json_) context_.terminal.out(item.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  else if (!text.empty()) line(text);
}

void DumpPrinter::line(std::string_view text) {
  if (json_) return;
  std::string safe(text);
  for (char& c : safe)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';  // a file's content cannot write over the terminal
  context_.terminal.out("  " + safe + "\n");
}

void DumpPrinter::damage(std::uint64_t position, std::string why) {
  damaged_ = true;
  Json item;
  item["kind"] = "damage";
  item["position"] = position;
  item["why"] = why;
  this->item(item, fmt::format("DAMAGE at {}: {}", position, why));
}

void dump_offset_index(DumpPrinter& printer, std::string_view content, std::int64_t base, io::File* log) {
  content = without_filling(printer, content, kOffsetEntry);
  std::int64_t before = -1;
  for (std::size_t i = 0; i < content.size(); i += kOffsetEntry) {
    std::int64_t offset = base + at<std::uint32_t>(content, i);
    auto position = at<std::uint32_t>(content, i + 4);
    Json item;
    item["kind"] = "index_entry";
    item["offset"] = offset;
    item["position"] = position;
    printer.item(item, fmt::format("offset {}  position {}", offset, position));
    if (offset <= before) printer.damage(i, fmt::format("offset {} does not come behind {}", offset, before));
    before = offset;
    if (log == nullptr) continue;
    if (std::string wrong = compare(*log, offset, position); !wrong.empty()) printer.damage(i, wrong);
  }
}

void dump_time_index(DumpPrinter& printer, std::string_view content, std::int64_t base) {
  content = without_filling(printer, content, kTimeEntry);
  std::int64_t before = INT64_MIN;
  for (std::size_t i = 0; i < content.size(); i += kTimeEntry) {
    auto timestamp = at<std::int64_t>(content, i);
    std::int64_t offset = base + at<std::uint32_t>(content, i + 8);
    Json item;
    item["kind"] = "time_entry";
    item["timestamp"] = timestamp;
    item["offset"] = offset;
    printer.item(item, fmt::format("timestamp {}  offset {}", timestamp, offset));
    if (timestamp <= before) printer.damage(i, fmt::format("timestamp {} does not come behind {}", timestamp, before));
    before = timestamp;
  }
}

void dump_transaction_index(DumpPrinter& printer, std::string_view content) {
  std::size_t i = 0;
  for (; i + kTransactionEntry <= content.size(); i += kTransactionEntry) {
    Json item;
    item["kind"] = "aborted_transaction";
    item["version"] = at<std::int16_t>(content, i);
    item["producer_id"] = at<std::int64_t>(content, i + 2);
    item["first_offset"] = at<std::int64_t>(content, i + 10);
    item["last_offset"] = at<std::int64_t>(content, i + 18);
    item["last_stable_offset"] = at<std::int64_t>(content, i + 26);
    printer.item(item, fmt::format("aborted: producer {}  offsets {}-{}  last stable offset {}",
                                   at<std::int64_t>(content, i + 2), at<std::int64_t>(content, i + 10),
                                   at<std::int64_t>(content, i + 18), at<std::int64_t>(content, i + 26)));
    if (at<std::int16_t>(content, i) != 0) printer.damage(i, "an entry of an unknown version");
  }
  if (i < content.size())
    printer.damage(i, fmt::format("stops here: {} of {} bytes of an entry", content.size() - i, kTransactionEntry));
}

void dump_producer_snapshot(DumpPrinter& printer, std::string_view content) {
  if (content.size() < kSnapshotHeader) return printer.damage(0, "too short for a snapshot");
  auto version = at<std::int16_t>(content, 0);
  auto count = at<std::int32_t>(content, 6);
  bool valid = at<std::uint32_t>(content, 2) == crc32c(as_bytes(content).subspan(6));
  Json head;
  head["kind"] = "producer_snapshot";
  head["version"] = version;
  head["producers"] = count;
  head["valid"] = valid;
  printer.item(head, fmt::format("version {}  {} producers{}", version, count, valid ? "" : "  INVALID"));
  if (!valid) printer.damage(2, "the checksum does not match");
  if (version != 1) return printer.damage(0, "an unknown version");
  std::size_t i = kSnapshotHeader;
  for (; i + kSnapshotEntry <= content.size() && count > 0; i += kSnapshotEntry, --count) {
    Json item;
    item["kind"] = "producer";
    item["producer_id"] = at<std::int64_t>(content, i);
    item["producer_epoch"] = at<std::int16_t>(content, i + 8);
    item["last_sequence"] = at<std::int32_t>(content, i + 10);
    item["last_offset"] = at<std::int64_t>(content, i + 14);
    item["offset_delta"] = at<std::int32_t>(content, i + 22);
    item["timestamp"] = at<std::int64_t>(content, i + 26);
    item["coordinator_epoch"] = at<std::int32_t>(content, i + 34);
    item["transaction_first_offset"] = at<std::int64_t>(content, i + 38);
    std::string text = fmt::format("producer {} epoch {}  last sequence {}  last offset {}  time {}",
                                   at<std::int64_t>(content, i), at<std::int16_t>(content, i + 8),
                                   at<std::int32_t>(content, i + 10), at<std::int64_t>(content, i + 14),
                                   at<std::int64_t>(content, i + 26));
    if (at<std::int64_t>(content, i + 38) >= 0)
      text += fmt::format("  transaction open from {}", at<std::int64_t>(content, i + 38));
    printer.item(item, text);
  }
  if (count > 0 || i != content.size()) printer.damage(i, "the length does not match the number of producers");
}

void dump_checkpoint(DumpPrinter& printer, std::string_view content) {
  std::vector<std::string> lines;
  std::vector<std::size_t> starts;
  for (std::size_t begin = 0; begin < content.size();) {
    std::size_t end = std::min(content.find('\n', begin), content.size());
    starts.push_back(begin);
    lines.emplace_back(content.substr(begin, end - begin));
    begin = end + 1;
  }
  std::size_t count = 0;
  if (lines.size() < 2 || lines[0] != "0") return printer.damage(0, "it does not begin with the lines 0 and a number");
  auto [end, error] = std::from_chars(lines[1].data(), lines[1].data() + lines[1].size(), count);
  if (error != std::errc() || end != lines[1].data() + lines[1].size())
    return printer.damage(starts[1], "the second line is no number");
  for (std::size_t i = 2; i < lines.size(); ++i) {
    Json item;
    item["kind"] = "checkpoint_entry";
    std::size_t last = lines[i].rfind(' ');
    std::size_t first = lines[i].find(' ');
    if (last == std::string::npos) {
      printer.damage(starts[i], "a line without a space");
      continue;
    }
    auto field = [](const std::string& text) { return Json(text); };
    if (first == last) {  // leader-epoch-checkpoint
      item["epoch"] = field(lines[i].substr(0, first));
      item["start_offset"] = field(lines[i].substr(first + 1));
    } else {
      item["topic"] = field(lines[i].substr(0, first));
      item["partition"] = field(lines[i].substr(first + 1, last - first - 1));
      item["offset"] = field(lines[i].substr(last + 1));
    }
    for (const char* key : {"epoch", "start_offset", "partition", "offset"}) {
      if (!item.contains(key)) continue;
      std::string text = item[key].get<std::string>();
      std::int64_t value = 0;
      auto [stop, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (wrong != std::errc() || stop != text.data() + text.size()) printer.damage(starts[i], "'" + text + "' is no number");
      else item[key] = value;
    }
    printer.item(item, lines[i]);
  }
  if (lines.size() - 2 != count)
    printer.damage(starts[1], fmt::format("it says {} entries and has {}", count, lines.size() - 2));
}

void dump_text(DumpPrinter& printer, std::string_view content) {
  Json item;
  item["kind"] = "text";
  item["text"] = shown_bytes(as_bytes(content.substr(0, kTextShown)));
  printer.item(item, "");
  std::size_t begin = 0;
  while (begin < std::min(content.size(), kTextShown)) {
    std::size_t end = std::min(content.find('\n', begin), content.size());
    printer.line(content.substr(begin, end - begin));
    begin = end + 1;
  }
}

}  // namespace milena::cli
