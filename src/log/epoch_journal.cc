#include "log/epoch_journal.h"

#include <array>

#include "base/crc32c.h"
#include "base/endian.h"

namespace milena::log {
namespace {

// Behind the name: partition, topic id, epoch, start offset.
constexpr std::size_t kFixed = 4 + 16 + 4 + 8;
constexpr std::size_t kLength = 2;
constexpr std::size_t kChecksum = 4;

template <class T>
void put(std::string& text, T value) {
  std::array<std::uint8_t, sizeof(T)> bytes;
  store_be(bytes.data(), value);
  text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

template <class T>
T take(std::string_view& text) {
  T value = load_be<T>(reinterpret_cast<const std::uint8_t*>(text.data()));
  text.remove_prefix(sizeof(T));
  return value;
}

}  // namespace

std::string epoch_journal_path(const std::string& directory) {
  return directory + "/.milena-epochs";
}

std::string format_epoch_starts(const std::vector<EpochStart>& starts) {
  std::string text;
  for (const EpochStart& start : starts) {
    std::size_t begin = text.size();
    put(text, static_cast<std::uint16_t>(start.name.topic.size()));
    text += start.name.topic;
    put(text, start.name.partition.value());
    put(text, start.topic_id.high);
    put(text, start.topic_id.low);
    put(text, start.entry.epoch.value());
    put(text, start.entry.start_offset.value());
    put(text, crc32c(as_bytes(std::string_view(text).substr(begin))));
  }
  return text;
}

std::vector<EpochStart> parse_epoch_starts(std::string_view content) {
  std::vector<EpochStart> starts;
  while (content.size() >= kLength) {
    std::string_view rest = content;
    std::size_t name = take<std::uint16_t>(rest);
    std::size_t checked = kLength + name + kFixed;
    if (content.size() < checked + kChecksum) break;
    std::string_view sum = content.substr(checked, kChecksum);
    if (take<std::uint32_t>(sum) != crc32c(as_bytes(content.substr(0, checked)))) break;
    EpochStart start;
    start.name.topic = rest.substr(0, name);
    rest.remove_prefix(name);
    start.name.partition = PartitionId(take<std::int32_t>(rest));
    start.topic_id.high = take<std::uint64_t>(rest);
    start.topic_id.low = take<std::uint64_t>(rest);
    start.entry.epoch = Epoch(take<std::int32_t>(rest));
    start.entry.start_offset = Offset(take<std::int64_t>(rest));
    starts.push_back(std::move(start));
    content.remove_prefix(checked + kChecksum);
  }
  return starts;
}

LogResult<void> append_epoch_starts(io::Disk& disk, const std::string& directory,
                                    const std::vector<EpochStart>& starts) {
  TRY_IO_ASSIGN(auto file, disk.open(epoch_journal_path(directory), io::OpenMode::kCreate));
  TRY_IO_ASSIGN(std::uint64_t size, file->size());
  auto written = file->write_at(size, as_bytes(format_epoch_starts(starts)));
  if (written.failed()) {
    LogError error = from_io(std::move(written.error()));
    if (error.kind == LogErrorKind::kNoSpace) TRY_IO(file->truncate(size));
    return Err(std::move(error));
  }
  TRY_IO(file->sync());
  return {};
}

}  // namespace milena::log
