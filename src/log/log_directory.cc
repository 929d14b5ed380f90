#include "log/log_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "log/text_file.h"

namespace milena::log {
namespace {

constexpr std::size_t kNameMax = 255;       // of a directory
constexpr std::size_t kTopicNameMax = 249;  // Kafka's
constexpr std::uint64_t kSmallFile = 1 << 20;

LogError invalid(std::string message) {
  return {LogErrorKind::kInvalid, std::move(message)};
}
LogError corrupt(std::string message) {
  return {LogErrorKind::kCorrupt, std::move(message)};
}

/// The 32 hexadecimal digits that Kafka puts into the names of directories to delete.
std::string plain_uuid(const Uuid& uuid) {
  return fmt::format("{:016x}{:016x}", uuid.high, uuid.low);
}

/// Splits "<topic>-<N>.<32 digits><suffix>" into its first part.
std::optional<std::string_view> before_unique(std::string_view name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return std::nullopt;
  name.remove_suffix(suffix.size());
  auto dot = name.rfind('.');
  if (dot == name.npos || dot + 1 == name.size()) return std::nullopt;
  return name.substr(0, dot);
}

std::string format_partition_metadata(TopicId id) {
  return fmt::format("version: 0\ntopic_id: {}", id);
}

LogResult<TopicId> parse_partition_metadata(std::string_view text) {
  std::optional<TopicId> id;
  bool version = false;
  while (!text.empty()) {
    auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == text.npos ? std::string_view() : text.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    auto colon = line.find(':');
    std::string_view value = colon == line.npos ? std::string_view() : line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    if (line.starts_with("version:")) {
      if (value != "0") return Err(corrupt(fmt::format("version {} where 0 is known", value)));
      version = true;
    } else if (line.starts_with("topic_id:")) {
      id = Uuid::parse(value);
    }
  }
  if (!version || !id || id->is_zero()) return Err(corrupt("no version or no topic id"));
  return *id;
}

LogResult<MetaProperties> parse_meta(const std::string& text) {
  auto parsed = parse_properties(text);
  if (parsed.failed())
    return Err(
        corrupt(fmt::format("meta.properties: line {}: {}", parsed.error().line, parsed.error().message)));
  MetaProperties meta;
  Properties properties = std::move(*parsed);
  if (properties["version"] != "1") {
    return Err(corrupt(fmt::format("meta.properties: version '{}' where 1 is known", properties["version"])));
  }
  if (!parse_number(properties["node.id"], meta.node_id)) {
    return Err(corrupt(fmt::format("meta.properties: node.id '{}' is no number", properties["node.id"])));
  }
  meta.cluster_id = properties["cluster.id"];
  if (meta.cluster_id.empty()) return Err(corrupt("meta.properties: no cluster.id"));
  if (properties.contains("directory.id")) {
    meta.directory_id = Uuid::parse(properties["directory.id"]);
    if (!meta.directory_id) {
      return Err(
          corrupt(fmt::format("meta.properties: directory.id '{}' is no id", properties["directory.id"])));
    }
  }
  for (const char* known : {"version", "node.id", "cluster.id", "directory.id"}) properties.erase(known);
  meta.other = std::move(properties);
  return meta;
}

/// The number behind "key" : in a flat JSON object; nullopt: none.
std::optional<std::int64_t> json_number(std::string_view text, std::string_view key) {
  auto at = text.find(fmt::format("\"{}\"", key));
  if (at == text.npos) return std::nullopt;
  at = text.find(':', at);
  if (at == text.npos) return std::nullopt;
  auto begin = text.find_first_not_of(" \t\r\n", at + 1);
  auto end = text.find_first_of(",} \t\r\n", begin);
  std::int64_t value = 0;
  if (begin == text.npos || end == text.npos || !parse_number(text.substr(begin, end - begin), value)) {
    return std::nullopt;
  }
  return value;
}

/// Makes the directory where it is missing, so that a power loss does not take it. A crash may have come
/// between making and syncing: the parent is synced in any case, where it may be read.
LogResult<void> make_durable_directory(io::Disk& disk, const std::string& path) {
  std::vector<std::string> parents{io::parent_path(path)};
  while (!disk.exists(parents.back()) && parents.back() != io::parent_path(parents.back())) {
    parents.push_back(io::parent_path(parents.back()));
  }
  TRY_IO(disk.create_directories(path));
  for (const std::string& parent : parents) {
    auto synced = disk.sync_directory(parent);
    if (synced.failed() && synced.error().kind != io::ErrorKind::kAccess)
      return Err(from_io(std::move(synced.error())));
  }
  return {};
}

}  // namespace

std::string PartitionName::to_string() const {
  return fmt::format("{}-{}", topic, partition);
}

std::optional<PartitionName> PartitionName::parse(std::string_view directory) {
  auto dash = directory.rfind('-');
  if (dash == directory.npos || dash == 0) return std::nullopt;
  std::int32_t number = 0;
  std::string_view digits = directory.substr(dash + 1);
  if (!parse_number(digits, number) || number < 0 || fmt::format("{}", number) != digits) return std::nullopt;
  return PartitionName{std::string(directory.substr(0, dash)), PartitionId(number)};
}

const char* file_name(CheckpointFile file) {
  switch (file) {
    case CheckpointFile::kRecoveryPoint:
      return "recovery-point-offset-checkpoint";
    case CheckpointFile::kReplication:
      return "replication-offset-checkpoint";
    case CheckpointFile::kLogStart:
      return "log-start-offset-checkpoint";
    case CheckpointFile::kCleaner:
      return "cleaner-offset-checkpoint";
  }
  return "";
}

std::string format_offset_checkpoint(const OffsetCheckpoint& offsets) {
  std::string text = fmt::format("0\n{}\n", offsets.size());
  for (const auto& [name, offset] : offsets)
    text += fmt::format("{} {} {}\n", name.topic, name.partition, offset);
  return text;
}

LogResult<OffsetCheckpoint> parse_offset_checkpoint(std::string_view text) {
  TRY_ASSIGN(auto lines, parse_checkpoint_lines(text, "offset checkpoint"));
  OffsetCheckpoint offsets;
  for (std::string_view line : lines) {
    auto first = line.find(' ');
    auto second = line.rfind(' ');
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    if (first == line.npos || first == second ||
        !parse_number(line.substr(first + 1, second - first - 1), partition) ||
        !parse_number(line.substr(second + 1), offset) || offset < 0) {
      return Err(corrupt(fmt::format("offset checkpoint: not an entry: {}", line)));
    }
    offsets[{std::string(line.substr(0, first)), PartitionId(partition)}] = Offset(offset);
  }
  return offsets;
}

std::unique_ptr<LogDirectory> LogDirectory::broken(io::Disk& disk, std::string path) {
  return std::unique_ptr<LogDirectory>(new LogDirectory(disk, std::move(path)));
}

LogResult<std::unique_ptr<LogDirectory>> LogDirectory::open(io::Disk& disk, std::string path) {
  TRY(make_durable_directory(disk, path));
  auto directory = std::unique_ptr<LogDirectory>(new LogDirectory(disk, std::move(path)));
  TRY_IO_ASSIGN(directory->lock_, disk.lock(directory->file(".lock")));
  TRY(directory->read_meta());
  return directory;
}

LogResult<void> LogDirectory::read_meta() {
  auto text = disk_.read_file(file("meta.properties"), kSmallFile);
  if (text.failed()) {
    if (text.error().kind == io::ErrorKind::kNotFound) return {};
    return Err(from_io(std::move(text.error())));
  }
  auto parsed = parse_meta(*text);
  if (parsed.failed()) return Err(corrupt(fmt::format("{}: {}", path_, parsed.error().message)));
  meta_ = std::move(*parsed);
  return {};
}

LogResult<void> LogDirectory::format(const MetaProperties& meta) {
  if (meta_ && (meta_->cluster_id != meta.cluster_id || meta_->node_id != meta.node_id)) {
    return Err(invalid(
        fmt::format("{} belongs to node {} of cluster {}", path_, meta_->node_id, meta_->cluster_id)));
  }
  Properties properties = meta.other;
  properties["version"] = "1";
  properties["node.id"] = fmt::format("{}", meta.node_id);
  properties["cluster.id"] = meta.cluster_id;
  if (meta.directory_id) properties["directory.id"] = meta.directory_id->to_string();
  TRY_IO(disk_.write_file(file("meta.properties"), format_properties(properties)));
  meta_ = meta;
  return {};
}

LogResult<DirectoryListing> LogDirectory::list() {
  TRY_IO_ASSIGN(auto entries, disk_.list(path_));
  DirectoryListing listing;
  for (const io::DirectoryEntry& entry : entries) {
    if (!entry.is_directory || entry.name == "lost+found" || entry.name.starts_with(".milena-")) continue;
    PartitionDirectory found;
    found.path = file(entry.name);
    std::string_view name = entry.name;
    if (auto deleted = before_unique(entry.name, "-delete")) {
      found.kind = PartitionDirectoryKind::kDelete;
      name = *deleted;
    } else if (auto stray = before_unique(entry.name, "-stray")) {
      found.kind = PartitionDirectoryKind::kStray;
      name = *stray;
    } else if (auto future = before_unique(entry.name, "-future")) {
      found.kind = PartitionDirectoryKind::kFuture;
      name = *future;
    }
    auto partition = PartitionName::parse(name);
    if (!partition) {
      // The topic's name may have been cut to make the directory's fit.
      if (found.kind != PartitionDirectoryKind::kDelete && found.kind != PartitionDirectoryKind::kStray) {
        listing.unknown.push_back(found.path);
        continue;
      }
    } else {
      found.name = std::move(*partition);
    }
    auto text = disk_.read_file(found.path + "/partition.metadata", kSmallFile);
    if (!text.failed()) {
      auto id = parse_partition_metadata(*text);
      if (id.failed()) {
        found.refusal = fmt::format("{}/partition.metadata: {}", found.path, id.error().message);
      } else {
        found.topic_id = *id;
      }
    } else if (text.error().kind != io::ErrorKind::kNotFound) {
      return Err(from_io(std::move(text.error())));
    } else {
      TRY_IO_ASSIGN(auto files, disk_.list(found.path));
      bool data = std::ranges::any_of(files, [](const auto& f) { return f.name.ends_with(".log"); });
      if (data) found.refusal = fmt::format("{} holds records but no partition.metadata", found.path);
    }
    listing.partitions.push_back(std::move(found));
  }
  return listing;
}

LogResult<void> LogDirectory::create_partition(const PartitionName& name, TopicId topic_id) {
  return create_directory(name, topic_id, partition_path(name));
}

LogResult<std::string> LogDirectory::create_future(const PartitionName& name, TopicId topic_id, Uuid unique) {
  std::string directory = fmt::format("{}.{}-future", name.to_string(), plain_uuid(unique));
  if (directory.size() > kNameMax) return Err(invalid(fmt::format("'{}' is too long a name", directory)));
  TRY(create_directory(name, topic_id, file(directory)));
  return file(directory);
}

LogResult<void> LogDirectory::promote_future(const std::string& path, const PartitionName& name) {
  TRY_IO(disk_.rename(path, partition_path(name)));
  TRY_IO(disk_.sync_directory(path_));
  return {};
}

LogResult<void> LogDirectory::create_directory(const PartitionName& name, TopicId topic_id,
                                               const std::string& directory) {
  if (name.topic.empty() || name.topic.size() > kTopicNameMax || name.topic.find('/') != name.topic.npos ||
      name.topic == "." || name.topic == ".." || name.partition.value() < 0) {
    return Err(invalid(fmt::format("'{}' cannot be a partition's name", name.to_string())));
  }
  auto text = disk_.read_file(directory + "/partition.metadata", kSmallFile);
  if (!text.failed()) {
    TRY_ASSIGN(TopicId found, parse_partition_metadata(*text));
    if (found == topic_id) return {};
    return Err(invalid(fmt::format("{} belongs to topic id {}, not {}", directory, found, topic_id)));
  }
  if (text.error().kind != io::ErrorKind::kNotFound) return Err(from_io(std::move(text.error())));
  TRY_IO(disk_.create_directories(directory));
  TRY_IO_ASSIGN(auto files, disk_.list(directory));
  if (std::ranges::any_of(files, [](const auto& f) { return f.name.ends_with(".log"); })) {
    return Err(corrupt(fmt::format("{} holds records but no partition.metadata", directory)));
  }
  auto written = disk_.write_file(directory + "/partition.metadata", format_partition_metadata(topic_id));
  if (written.failed()) {
    // Kafka takes an empty directory for a stray.
    bool full = written.error().kind == io::ErrorKind::kNoSpace;
    if (full && files.empty()) TRY_IO(disk_.remove_directory(directory));
    return Err(from_io(std::move(written.error())));
  }
  TRY_IO(disk_.sync_directory(path_));
  return {};
}

LogResult<std::string> LogDirectory::rename_partition(const PartitionName& name, Uuid unique,
                                                      std::string_view suffix) {
  std::string tail = fmt::format("-{}.{}{}", name.partition, plain_uuid(unique), suffix);
  std::string target = file(name.topic.substr(0, kNameMax - tail.size()) + tail);
  TRY_IO(disk_.rename(partition_path(name), target));
  TRY_IO(disk_.sync_directory(path_));
  return target;
}

LogResult<std::string> LogDirectory::mark_deleted(const PartitionName& name, Uuid unique) {
  return rename_partition(name, unique, "-delete");
}

LogResult<std::string> LogDirectory::mark_stray(const PartitionName& name, Uuid unique) {
  return rename_partition(name, unique, "-stray");
}

LogResult<OffsetCheckpoint> LogDirectory::read_checkpoint(CheckpointFile which) {
  auto text = disk_.read_file(file(file_name(which)));
  if (text.failed()) {
    if (text.error().kind == io::ErrorKind::kNotFound) return OffsetCheckpoint{};
    return Err(from_io(std::move(text.error())));
  }
  auto offsets = parse_offset_checkpoint(*text);
  if (offsets.failed())
    return Err(corrupt(fmt::format("{}: {}", file(file_name(which)), offsets.error().message)));
  return offsets;
}

LogResult<void> LogDirectory::write_checkpoint(CheckpointFile which, const OffsetCheckpoint& offsets) {
  TRY_IO(disk_.write_file(file(file_name(which)), format_offset_checkpoint(offsets)));
  return {};
}

LogResult<LogDirectory::CleanShutdown> LogDirectory::take_clean_shutdown() {
  std::string path = file(".kafka_cleanshutdown");
  auto text = disk_.read_file(path, kSmallFile);
  if (text.failed()) {
    if (text.error().kind == io::ErrorKind::kNotFound) return CleanShutdown{};
    return Err(from_io(std::move(text.error())));
  }
  CleanShutdown result;
  result.clean = true;
  // An older Kafka wrote an empty file; one that does not read as version 0 gives no epoch either.
  if (json_number(*text, "version") == 0)
    result.broker_epoch = json_number(*text, "brokerEpoch").value_or(-1);
  TRY_IO(disk_.remove_file(path));
  TRY_IO(disk_.sync_directory(path_));
  return result;
}

LogResult<void> LogDirectory::write_clean_shutdown(std::int64_t broker_epoch) {
  TRY_IO(disk_.write_file(file(".kafka_cleanshutdown"),
                          fmt::format("{{\"version\":0,\"brokerEpoch\":{}}}", broker_epoch)));
  return {};
}

}  // namespace milena::log
