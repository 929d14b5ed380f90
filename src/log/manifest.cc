#include "log/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/crc32c.h"
#include "base/endian.h"
#include "log/segment.h"

namespace milena::log {
namespace {

constexpr std::string_view kMagic = "MlnM";
constexpr std::string_view kMarksMagic = "MlnD";
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kHeader = 10;       // magic, version, checksum of the rest
constexpr std::size_t kMarksHeader = 14;  // magic, version, the manifest's checksum, checksum of these
constexpr std::size_t kMark = 8;          // index, checksum
constexpr std::size_t kEntryMin = 102;    // bytes of an entry with an empty name and no epochs

class Out {
 public:
  template <class T>
  void number(T value) {
    std::array<std::uint8_t, sizeof(T)> bytes;
    store_be(bytes.data(), value);
    text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void string(std::string_view text) {
    number(static_cast<std::uint16_t>(text.size()));
    text_ += text;
  }
  void uuid(const Uuid& id) {
    number(id.high);
    number(id.low);
  }
  std::string& text() { return text_; }

 private:
  std::string text_;
};

/// Past the end all reads give zero, and ok() is false.
class In {
 public:
  explicit In(std::string_view text) : text_(text) {}
  template <class T>
  T number() {
    if (text_.size() < sizeof(T)) {
      ok_ = false;
      text_ = {};
      return 0;
    }
    T value = load_be<T>(reinterpret_cast<const std::uint8_t*>(text_.data()));
    text_.remove_prefix(sizeof(T));
    return value;
  }
  std::string string() {
    auto size = number<std::uint16_t>();
    if (text_.size() < size) {
      ok_ = false;
      text_ = {};
      return {};
    }
    std::string value(text_.substr(0, size));
    text_.remove_prefix(size);
    return value;
  }
  Uuid uuid() {
    Uuid id;
    id.high = number<std::uint64_t>();
    id.low = number<std::uint64_t>();
    return id;
  }
  bool ok() const { return ok_; }
  std::size_t left() const { return text_.size(); }

 private:
  std::string_view text_;
  bool ok_ = true;
};

LogError corrupt(std::string_view why) {
  return {LogErrorKind::kCorrupt, fmt::format("manifest: {}", why)};
}

void write_entry(Out& out, const ManifestEntry& entry) {
  const LogSummary& known = entry.summary;
  out.string(entry.name.topic);
  out.number(entry.name.partition.value());
  out.uuid(entry.topic_id);
  out.number(known.log_start_offset.value());
  out.number(known.log_end_offset.value());
  out.number(known.first_unstable_offset.value_or(kNoOffset).value());
  out.number(known.size_bytes);
  out.number(known.segments);
  out.number(known.oldest.value());
  out.number(known.active_base.value());
  out.number(known.inode);
  out.number(known.active_size);
  out.number(known.mtime_ns);
  out.number(static_cast<std::uint32_t>(entry.epochs.size()));
  for (const EpochEntry& epoch : entry.epochs) {
    out.number(epoch.epoch.value());
    out.number(epoch.start_offset.value());
  }
}

bool sound(const LogSummary& known) {
  return known.log_start_offset >= Offset(0) && known.log_start_offset <= known.log_end_offset &&
         known.active_base >= Offset(0) && known.active_base <= known.log_end_offset &&
         known.active_size <= known.size_bytes &&
         (known.segments > 0 || (known.size_bytes == 0 && known.log_start_offset == known.log_end_offset));
}

LogResult<ManifestEntry> read_entry(In& in) {
  ManifestEntry entry;
  LogSummary& known = entry.summary;
  entry.name.topic = in.string();
  entry.name.partition = PartitionId(in.number<std::int32_t>());
  entry.topic_id = in.uuid();
  known.log_start_offset = Offset(in.number<std::int64_t>());
  known.log_end_offset = Offset(in.number<std::int64_t>());
  Offset unstable(in.number<std::int64_t>());
  if (unstable < kNoOffset) return Err(corrupt("an unstable offset that cannot be"));
  if (unstable >= Offset(0)) known.first_unstable_offset = unstable;
  known.size_bytes = in.number<std::uint64_t>();
  known.segments = in.number<std::uint32_t>();
  known.oldest = Timestamp(in.number<std::int64_t>());
  known.active_base = Offset(in.number<std::int64_t>());
  known.inode = in.number<std::uint64_t>();
  known.active_size = in.number<std::uint64_t>();
  known.mtime_ns = in.number<std::int64_t>();
  auto epochs = in.number<std::uint32_t>();
  if (epochs > in.left() / 12) return Err(corrupt("more epochs than bytes"));
  for (std::uint32_t i = 0; i < epochs; ++i) {
    Epoch epoch(in.number<std::int32_t>());
    Offset start(in.number<std::int64_t>());
    bool ascends = entry.epochs.empty() ||
                   (epoch > entry.epochs.back().epoch && start > entry.epochs.back().start_offset);
    if (epoch < Epoch(0) || start < Offset(0) || !ascends) return Err(corrupt("epochs that do not ascend"));
    entry.epochs.push_back({epoch, start});
  }
  if (!in.ok() || !sound(known)) return Err(corrupt("an entry that cannot be"));
  return entry;
}

std::uint32_t mark_checksum(std::uint32_t manifest, std::uint64_t number, std::uint32_t index) {
  Out out;
  out.number(manifest);
  out.number(number);
  out.number(index);
  return crc32c(as_bytes(out.text()));
}

}  // namespace

bool matches_files(io::Disk& disk, const std::string& partition_path, const LogSummary& summary) {
  auto info = disk.stat(partition_path + "/" + segment_file_name(summary.active_base, ".log"));
  if (summary.segments == 0) return info.failed() && info.error().kind == io::ErrorKind::kNotFound;
  return info.has_value() && info->inode == summary.inode && info->size == summary.active_size &&
         info->mtime_ns == summary.mtime_ns;
}

std::string manifest_path(const std::string& directory) {
  return directory + "/.milena-manifest";
}

std::string marks_path(const std::string& directory, std::size_t number) {
  return fmt::format("{}/.milena-marks-{}", directory, number);
}

std::string format_manifest(const Manifest& manifest, std::uint32_t* checksum) {
  Out out;
  out.number(static_cast<std::uint8_t>(manifest.kind));
  out.number(manifest.mark_files);
  out.number(manifest.broker_epoch);
  out.number(manifest.quorum_epoch.value());
  out.uuid(manifest.incarnation);
  out.string(manifest.identity.boot);
  out.number(manifest.identity.file_system);
  out.number(static_cast<std::uint32_t>(manifest.entries.size()));
  for (const ManifestEntry& entry : manifest.entries) write_entry(out, entry);
  std::uint32_t sum = crc32c(as_bytes(out.text()));
  if (checksum != nullptr) *checksum = sum;
  Out header;
  header.text() += kMagic;
  header.number(kVersion);
  header.number(sum);
  return header.text() + out.text();
}

LogResult<Manifest> parse_manifest(std::string_view content, std::uint32_t* checksum) {
  if (content.size() < kHeader || !content.starts_with(kMagic)) return Err(corrupt("it does not begin as one"));
  In header(content.substr(kMagic.size()));
  if (header.number<std::uint16_t>() != kVersion) return Err(corrupt("of another version"));
  auto sum = header.number<std::uint32_t>();
  if (sum != crc32c(as_bytes(content).subspan(kHeader))) return Err(corrupt("its checksum does not match"));
  if (checksum != nullptr) *checksum = sum;
  In in(content.substr(kHeader));
  Manifest manifest;
  auto kind = in.number<std::uint8_t>();
  if (kind > static_cast<std::uint8_t>(Manifest::Kind::kRunning)) return Err(corrupt("of an unknown kind"));
  manifest.kind = static_cast<Manifest::Kind>(kind);
  manifest.mark_files = in.number<std::uint8_t>();
  manifest.broker_epoch = in.number<std::int64_t>();
  manifest.quorum_epoch = Epoch(in.number<std::int32_t>());
  manifest.incarnation = in.uuid();
  manifest.identity.boot = in.string();
  manifest.identity.file_system = in.number<std::uint64_t>();
  auto count = in.number<std::uint32_t>();
  if (!in.ok() || count > in.left() / kEntryMin) return Err(corrupt("more entries than bytes"));
  manifest.entries.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    TRY_ASSIGN(ManifestEntry entry, read_entry(in));
    manifest.entries.push_back(std::move(entry));
  }
  if (in.left() != 0) return Err(corrupt("bytes behind its end"));
  return manifest;
}

LogResult<std::vector<std::uint32_t>> parse_marks(std::string_view content, std::uint32_t manifest_checksum) {
  In header(content);
  if (content.size() < kMarksHeader || !content.starts_with(kMarksMagic)) return Err(corrupt("no file of marks"));
  header = In(content.substr(kMarksMagic.size()));
  bool known = header.number<std::uint16_t>() == kVersion && header.number<std::uint32_t>() == manifest_checksum;
  if (!known) return Err(corrupt("the marks of another one"));
  if (header.number<std::uint32_t>() != crc32c(as_bytes(content.substr(0, kMarksHeader - 4))))
    return Err(corrupt("the checksum of the marks does not match"));
  std::vector<std::uint32_t> marked;
  In in(content.substr(kMarksHeader));
  while (in.left() >= kMark) {  // less is what a kill left of a mark
    auto index = in.number<std::uint32_t>();
    if (in.number<std::uint32_t>() != mark_checksum(manifest_checksum, marked.size(), index))
      return Err(corrupt("a damaged mark"));
    marked.push_back(index);
  }
  return marked;
}

LogResult<std::unique_ptr<MarkFile>> MarkFile::create(io::Disk& disk, const std::string& path,
                                                      std::uint32_t manifest_checksum) {
  TRY_IO_ASSIGN(auto file, disk.open(path, io::OpenMode::kCreate));
  TRY_IO(file->truncate(0));
  Out out;
  out.text() += kMarksMagic;
  out.number(kVersion);
  out.number(manifest_checksum);
  out.number(crc32c(as_bytes(out.text())));
  TRY_IO(file->write_at(0, as_bytes(out.text())));
  return std::unique_ptr<MarkFile>(new MarkFile(std::move(file), manifest_checksum));
}

LogResult<void> MarkFile::mark(std::uint32_t index) {
  Out out;
  out.number(index);
  out.number(mark_checksum(checksum_, size_, index));
  TRY_IO(file_->write_at(kMarksHeader + size_ * kMark, as_bytes(out.text())));
  ++size_;
  return {};
}

}  // namespace milena::log
