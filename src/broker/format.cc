#include "broker/format.h"

#include <algorithm>
#include <map>

#include "raft/format.h"

namespace milena::broker {
namespace {

// What a mount leaves in a directory, or a write that was cut off.
bool is_litter(const std::string& name) {
  return name == "lost+found" || name == ".lock" || name.ends_with(".tmp");
}

// Whether the metadata log's directory has what a format puts there and nothing since.
bool only_formatted(io::Disk& disk, const std::string& path) {
  auto entries = disk.list(path);
  return entries.has_value() && std::ranges::all_of(*entries, [](const io::DirectoryEntry& entry) {
           return is_litter(entry.name) || entry.name == "00000000000000000000-0000000000.checkpoint";
         });
}

// Anything but what a mount or a format that was cut off leaves behind: without meta.properties nothing ran on it yet.
bool holds_data(io::Disk& disk, const std::string& path) {
  auto entries = disk.list(path);
  if (entries.failed()) return false;
  return std::ranges::any_of(*entries, [&](const io::DirectoryEntry& entry) {
    if (entry.name == "__cluster_metadata-0") return !only_formatted(disk, path + "/" + entry.name);
    return entry.name != "bootstrap.checkpoint" && !is_litter(entry.name);
  });
}

raft::Voter own_voter(const config::ServerConfig& config, const Uuid& directory) {
  raft::Voter voter;
  voter.id = config.node_id;
  voter.directory_id = directory;
  voter.max_kraft_version = 1;
  for (const config::Listener& listener : config.listeners.advertised_controller) {
    const std::string& host = listener.address.host;
    voter.endpoints.push_back({listener.name, host.empty() ? "localhost" : host, listener.address.port});  // as Kafka
  }
  return voter;
}

}  // namespace

Result<std::string, FormatFailure> format_directories(io::Disk& disk, io::Entropy& entropy, Timestamp now,
                                                      const config::ServerConfig& config,
                                                      const FormatRequest& request) {
  raft::FormatOptions options;
  options.cluster_id = request.cluster_id.empty() ? entropy.random_uuid().to_string() : request.cluster_id;
  options.node_id = config.node_id;
  options.metadata_directory = config.metadata_log.dir;
  options.now = now;
  options.features["metadata.version"] = request.metadata_version;
  Uuid metadata_directory_id;
  std::vector<std::string> paths = config.log.dirs;
  if (std::ranges::find(paths, config.metadata_log.dir) == paths.end()) paths.push_back(config.metadata_log.dir);
  for (const std::string& path : paths) {
    raft::FormatDirectory directory;
    directory.path = path;
    directory.directory_id = entropy.random_uuid();
    if (path == config.metadata_log.dir) metadata_directory_id = directory.directory_id;
    options.directories.push_back(std::move(directory));
  }
  if (request.standalone) options.initial_voters.push_back(own_voter(config, metadata_directory_id));
  auto files = raft::format_files(options);
  if (files.failed()) return Err(FormatFailure{files.error().message});
  // meta.properties makes a directory formatted, so it comes last: a crash in between leaves an unformatted one.
  for (bool mark : {false, true}) {
    for (const raft::FormatFile& file : *files) {
      if (file.path.ends_with("/meta.properties") != mark) continue;
      auto made = disk.create_directories(io::parent_path(file.path));
      if (made.failed()) return Err(FormatFailure{made.error().what});
      auto written = disk.write_file(file.path, file.contents.text());
      if (written.failed()) return Err(FormatFailure{written.error().what});
    }
  }
  return options.cluster_id;
}

Result<Formatted, FormatFailure> check_directories(const std::vector<log::LogDirectory*>& directories,
                                                   const config::ServerConfig& config) {
  const log::LogDirectory* formatted = nullptr;
  const log::LogDirectory* empty = nullptr;
  std::map<Uuid, const log::LogDirectory*> by_id;
  for (const log::LogDirectory* directory : directories) {
    const log::MetaProperties* meta = directory->meta();
    if (meta == nullptr) {
      if (holds_data(directory->disk(), directory->path())) {
        return Err(FormatFailure{"log directory " + directory->path() +
                                 " holds data but no meta.properties. Is a volume not mounted, or is this the wrong "
                                 "directory (log.dirs)? Nothing was changed."});
      }
      empty = directory;
      continue;
    }
    if (meta->node_id != config.node_id.value()) {
      return Err(FormatFailure{"log directory " + directory->path() + " belongs to node " +
                               std::to_string(meta->node_id) + " (meta.properties), but node.id is " +
                               std::to_string(config.node_id.value()) + ". Set node.id=" +
                               std::to_string(meta->node_id) +
                               ", or name this node's own directory in log.dirs. Nothing was changed."});
    }
    if (formatted != nullptr && formatted->meta()->cluster_id != meta->cluster_id) {
      return Err(FormatFailure{"log directories " + formatted->path() + " and " + directory->path() +
                               " belong to different clusters (cluster.id in meta.properties): " +
                               formatted->meta()->cluster_id + " and " +
                               meta->cluster_id +
                               ". Leave in log.dirs those of one cluster. Nothing was changed."});
    }
    formatted = directory;
    if (!meta->directory_id.has_value()) continue;
    if (meta->directory_id->is_reserved()) {
      return Err(FormatFailure{"log directory " + directory->path() + ": directory.id " + meta->directory_id->to_string() +
                               " is reserved (meta.properties)"});
    }
    auto [other, added] = by_id.emplace(*meta->directory_id, directory);
    if (!added) {
      return Err(FormatFailure{"log directories " + other->second->path() + " and " + directory->path() +
                               " have the same directory.id " + meta->directory_id->to_string() +
                               " in meta.properties. Is one a copy of the other?"});
    }
  }
  if (formatted != nullptr && empty != nullptr) {
    return Err(FormatFailure{"log directory " + empty->path() + " is not formatted, but " + formatted->path() +
                             " is. If the disk is new, format it: milena storage format --ignore-formatted "
                             "--cluster-id " + formatted->meta()->cluster_id + " --config <server.properties>"});
  }
  return formatted != nullptr ? Formatted::kAll : Formatted::kNone;
}

}  // namespace milena::broker
