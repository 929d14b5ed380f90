#include "raft/format.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "base/properties.h"
#include "image/metadata_version.h"
#include "image/record.h"
#include "raft/snapshot.h"

namespace milena::raft {
namespace {

const image::SupportedFeature* find_feature(std::string_view name) {
  for (const image::SupportedFeature& feature : image::kSupportedFeatures)
    if (feature.name == name) return &feature;
  return nullptr;
}

Bytes feature_record(std::string_view name, std::int16_t level) {
  wire::FeatureLevelRecord record;
  record.name = name;
  record.feature_level = level;
  return image::encode_record({record, 0});
}

/// metadata.version first, the others by name; kraft.version is not in the metadata log.
std::vector<Bytes> feature_records(const std::map<std::string, std::int16_t>& chosen) {
  auto level_of = [&](const image::SupportedFeature& feature) {
    auto found = chosen.find(std::string(feature.name));
    return found == chosen.end() ? feature.default_level : found->second;
  };
  std::vector<Bytes> records = {
      feature_record(image::kMetadataVersionFeature, level_of(*find_feature(image::kMetadataVersionFeature)))};
  for (const image::SupportedFeature& feature : image::kSupportedFeatures) {
    if (feature.name == image::kMetadataVersionFeature || feature.name == image::kKRaftVersionFeature) continue;
    if (std::int16_t level = level_of(feature); level > 0) records.push_back(feature_record(feature.name, level));
  }
  return records;
}

Result<void, FormatError> check(const FormatOptions& options) {
  if (options.directories.empty()) return Err(FormatError{"no log directory to format"});
  if (options.node_id < BrokerId(0)) return Err(FormatError{fmt::format("node id {} is negative", options.node_id)});
  if (options.cluster_id.empty()) return Err(FormatError{"the cluster id is empty"});
  for (const auto& [name, level] : options.features) {
    const image::SupportedFeature* feature = find_feature(name);
    if (feature == nullptr) return Err(FormatError{fmt::format("feature {} is not known", name)});
    if (level < feature->min_level || level > feature->max_level)
      return Err(FormatError{fmt::format("{} level {} is not between {} and {}", name, level, feature->min_level,
                                         feature->max_level)});
  }
  if (std::ranges::find(options.directories, options.metadata_directory, &FormatDirectory::path) ==
      options.directories.end())
    return Err(FormatError{fmt::format("metadata log directory {} is not formatted", options.metadata_directory)});
  return {};
}

}  // namespace

Result<std::vector<FormatFile>, FormatError> format_files(const FormatOptions& options) {
  TRY(check(options));
  SnapshotContents bootstrap;
  bootstrap.values = feature_records(options.features);
  std::vector<FormatFile> files;
  for (const FormatDirectory& directory : options.directories) {
    if (!options.initial_voters.empty() && directory.path == options.metadata_directory) {
      SnapshotContents first;
      first.last_contained_log_timestamp = options.now;
      first.voters = VoterSet{1, options.initial_voters};
      std::ranges::sort(first.voters->voters, {}, &Voter::id);
      std::string name = snapshot_file_name(SnapshotId{Offset(0), Epoch(0)});
      files.push_back({directory.path + "/__cluster_metadata-0/" + name, encode_snapshot(first, Epoch(0), options.now)});
    }
    files.push_back({directory.path + "/bootstrap.checkpoint", encode_snapshot(bootstrap, Epoch(0), options.now)});
    // Last: a directory with meta.properties counts as formatted.
    MetaProperties meta{1, options.cluster_id, options.node_id, directory.directory_id};
    files.push_back({directory.path + "/meta.properties",
                     Bytes::copy(format_meta_properties(meta, options.now))});
  }
  return files;
}

std::string format_meta_properties(const MetaProperties& properties, Timestamp now) {
  std::string directory =
      properties.directory_id.has_value() ? fmt::format("directory.id={}\n", *properties.directory_id) : "";
  return fmt::format("#\n#{:%a %b %d %H:%M:%S} UTC {:%Y}\nnode.id={}\n{}version={}\n{}",
                     fmt::gmtime(static_cast<std::time_t>(now.value() / 1000)),
                     fmt::gmtime(static_cast<std::time_t>(now.value() / 1000)), properties.node_id, directory,
                     properties.version, format_properties({{"cluster.id", properties.cluster_id}}));
}

Result<MetaProperties, FormatError> parse_meta_properties(std::string_view text) {
  auto parsed = parse_properties(text);
  if (parsed.failed()) return Err(FormatError{fmt::format("meta.properties: {}", parsed.error().message)});
  auto value = [&](const char* key) -> std::optional<std::string> {
    auto found = parsed->find(key);
    if (found == parsed->end()) return std::nullopt;
    return found->second;
  };
  auto number = [](const std::string& digits) -> std::optional<std::int32_t> {
    std::int32_t result = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), result);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return result;
  };
  MetaProperties meta;
  auto version = number(value("version").value_or("0"));
  if (!version.has_value() || *version < 0 || *version > 1)
    return Err(FormatError{fmt::format("meta.properties has the unknown version {}", value("version").value_or(""))});
  meta.version = *version;
  meta.cluster_id = value("cluster.id").value_or("");
  if (meta.version == 1 && meta.cluster_id.empty()) return Err(FormatError{"meta.properties has no cluster.id"});
  const char* id_key = meta.version == 0 ? "broker.id" : "node.id";
  if (auto id_text = value(id_key); id_text.has_value()) {
    auto id = number(*id_text);
    if (!id.has_value() || *id < 0)
      return Err(FormatError{fmt::format("meta.properties has the invalid {} {}", id_key, *id_text)});
    meta.node_id = BrokerId(*id);
  } else if (meta.version == 1) {
    return Err(FormatError{"meta.properties has no node.id"});
  }
  if (auto directory = value("directory.id"); directory.has_value()) {
    meta.directory_id = Uuid::parse(*directory);
    if (!meta.directory_id.has_value() || meta.directory_id->is_reserved())
      return Err(FormatError{fmt::format("meta.properties has the invalid directory.id {}", *directory)});
  }
  return meta;
}

}  // namespace milena::raft
