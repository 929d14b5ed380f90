// What milena storage does to files, and the features of releases.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/storage.h"
#include "cli/suggest.h"
#include "config/server_config.h"
#include "image/metadata_version.h"
#include "raft/format.h"

namespace milena::cli {
namespace {

// The first metadata.version whose release turns a feature on, and the level it gets.
struct FeatureStart {
  std::string_view name;
  std::int16_t metadata_version;
  std::int16_t level;
};
constexpr FeatureStart kFeatureStarts[] = {
    {"group.version", 22, 1}, {"transaction.version", 24, 2}, {"eligible.leader.replicas.version", 26, 1},
    {"share.version", 28, 1}, {"streams.version", 29, 1},
};

Outcome<config::ServerConfig> read_config(io::Loop& loop, const std::string& path) {
  auto text = loop.disk().read_file(path);
  if (text.failed()) {
    Exit exit = text.error().kind == io::ErrorKind::kNotFound ? Exit::kNotFound : Exit::kFailed;
    return Err(Failure{exit, "cannot read the configuration", text.error().what, "name the file with -c"});
  }
  auto properties = parse_properties(*text);
  if (properties.failed())
    return Err(Failure{Exit::kFailed,
                       fmt::format("{}:{}: {}", path, properties.error().line, properties.error().message),
                       {},
                       {}});
  auto errors = [&](const config::ConfigErrors& found) {
    std::string list;
    for (const config::ConfigError& error : found) list += (list.empty() ? "" : "\n  ") + error.text();
    return Err(Failure{Exit::kFailed, "the configuration is wrong", list, {}});
  };
  auto parsed = config::KafkaConfig::parse(config::settings_from_file(*properties, path));
  if (parsed.failed()) return errors(parsed.error());
  auto server = config::server_config(*parsed);
  if (server.failed()) return errors(server.error());
  return *server;
}

std::vector<std::string> all_directories(const config::ServerConfig& config) {
  std::vector<std::string> paths = config.log.dirs;
  if (std::find(paths.begin(), paths.end(), config.metadata_log.dir) == paths.end())
    paths.push_back(config.metadata_log.dir);
  return paths;
}

raft::Voter own_voter(const config::ServerConfig& config, const Uuid& directory_id) {
  raft::Voter voter;
  voter.id = config.node_id;
  voter.directory_id = directory_id;
  for (const config::Listener& listener : config.listeners.advertised_controller)
    voter.endpoints.push_back({listener.name, listener.address.host, listener.address.port});
  voter.max_kraft_version = 1;
  return voter;
}

// Refuses what would make a cluster that cannot start, in Kafka's sense.
Outcome<void> check_quorum(const config::ServerConfig& config, const StorageOptions& options) {
  bool chosen = options.standalone || options.no_initial_controllers;
  if (options.standalone && options.no_initial_controllers)
    return Err(usage("--standalone and --no-initial-controllers exclude each other"));
  if (options.standalone && !config.controller)
    return Err(usage("--standalone is for a controller, and process.roles has none"));
  if (chosen && !config.quorum.voters.empty())
    return Err(usage("controller.quorum.voters is set, so the controllers are known already",
                     "leave out --standalone and --no-initial-controllers, or the setting"));
  if (!chosen && config.controller && config.quorum.voters.empty())
    return Err(usage("controller.quorum.voters is not set, so it must be said who the first controllers are",
                     "add --standalone (this node alone) or --no-initial-controllers (it joins others)"));
  return {};
}

Outcome<Features> chosen_features(const StorageOptions& options, bool dynamic_quorum) {
  Features features;
  if (!options.release_version.empty()) {
    auto release = features_of_release(options.release_version);
    if (release.failed()) return Err(usage("wrong --release-version: " + release.error()));
    features = std::move(*release);
  }
  std::vector<std::string> known;
  for (const image::SupportedFeature& feature : image::kSupportedFeatures) known.emplace_back(feature.name);
  for (const std::string& text : options.features) {
    auto feature = parse_feature(text);
    if (feature.failed()) return Err(usage("wrong --feature: " + feature.error()));
    if (std::find(known.begin(), known.end(), feature->first) == known.end())
      return Err(usage(
          fmt::format("there is no feature '{}'{}", feature->first, did_you_mean(feature->first, known))));
    bool both = !options.release_version.empty() && feature->first == image::kMetadataVersionFeature;
    if (both) return Err(usage("--release-version and --feature metadata.version exclude each other"));
    if (feature->first == image::kKRaftVersionFeature && (feature->second > 0) != dynamic_quorum)
      return Err(usage(fmt::format("kraft.version={} does not go with {} voters", feature->second,
                                   dynamic_quorum ? "dynamic" : "static")));
    features[feature->first] = feature->second;
  }
  return features;
}

struct Found {
  std::string path;
  std::string state;  // "formatted", "empty", "missing", "unformatted"
  std::optional<raft::MetaProperties> meta;
  std::string problem;
};

Found look_at(io::Disk& disk, const std::string& path) {
  Found found{path, "empty", std::nullopt, {}};
  auto info = disk.stat(path);
  if (info.failed()) {
    found.state = info.error().kind == io::ErrorKind::kNotFound ? "missing" : "unreadable";
    if (found.state == "unreadable") found.problem = info.error().what;
    return found;
  }
  if (!info->is_directory) {
    found.state = "unreadable";
    found.problem = path + " is not a directory";
    return found;
  }
  auto text = disk.read_file(path + "/meta.properties", 1 << 20);
  if (text.has_value()) {
    auto meta = raft::parse_meta_properties(*text);
    found.state = "formatted";
    if (meta.has_value()) found.meta = *meta;
    if (meta.failed()) found.problem = fmt::format("{}/{}", path, meta.error().message);
    return found;
  }
  auto entries = disk.list(path);
  bool data = entries.has_value() &&
              std::any_of(entries->begin(), entries->end(),
                          [](const io::DirectoryEntry& entry) { return entry.name != "lost+found"; });
  if (!data) return found;
  found.state = "unformatted";
  found.problem =
      path + " holds files but no meta.properties; is it the right directory, is a volume mounted?";
  return found;
}

// What does not fit together, a sentence each.
std::vector<std::string> problems_of(const std::vector<Found>& directories,
                                     const config::ServerConfig& config) {
  std::vector<std::string> problems;
  std::set<std::string> clusters;
  bool any = false;
  for (const Found& found : directories) {
    if (!found.problem.empty()) problems.push_back(found.problem);
    any = any || found.state == "formatted";
    if (!found.meta) continue;
    if (!found.meta->cluster_id.empty()) clusters.insert(found.meta->cluster_id);
    if (found.meta->node_id != config.node_id)
      problems.push_back(fmt::format("{} belongs to node {}, the configuration says node {}", found.path,
                                     found.meta->node_id.value(), config.node_id.value()));
  }
  if (clusters.size() > 1)
    problems.push_back(fmt::format("the directories belong to {} clusters", clusters.size()));
  if (!any) problems.emplace_back("no directory is formatted");
  for (const Found& found : directories)
    if (any && (found.state == "empty" || found.state == "missing"))
      problems.push_back(fmt::format("{} is not formatted, others are", found.path));
  return problems;
}

Json directory_row(const Found& found) {
  Json row;
  row["directory"] = found.path;
  row["state"] = found.state;
  row["cluster_id"] = nullptr;
  row["node_id"] = nullptr;
  row["directory_id"] = nullptr;
  row["version"] = nullptr;
  if (!found.meta) return row;
  if (!found.meta->cluster_id.empty()) row["cluster_id"] = found.meta->cluster_id;
  row["node_id"] = found.meta->node_id.value();
  if (found.meta->directory_id) row["directory_id"] = found.meta->directory_id->to_string();
  row["version"] = found.meta->version;
  return row;
}

std::vector<Column> directory_columns() {
  return {{"DIRECTORY", "directory"}, {"STATE", "state"},     {"CLUSTER", "cluster_id"},
          {"NODE", "node_id"},        {"ID", "directory_id"}, {"VERSION", "version", true}};
}

Outcome<void> write_file(io::Disk& disk, const raft::FormatFile& file) {
  auto made = disk.create_directories(io::parent_path(file.path));
  if (made.failed()) return Err(Failure{Exit::kFailed, "cannot format", made.error().what, {}});
  auto written = disk.write_file(file.path, file.contents.text());
  if (written.failed()) return Err(Failure{Exit::kFailed, "cannot format", written.error().what, {}});
  return {};
}

// meta.properties last: a directory that has one counts as formatted.
Outcome<void> write_files(io::Disk& disk, const std::vector<raft::FormatFile>& files) {
  for (bool mark : {false, true})
    for (const raft::FormatFile& file : files)
      if (file.path.ends_with("/meta.properties") == mark) TRY(write_file(disk, file));
  return {};
}

// The directories that are to be formatted. Errors: some are formatted already, or hold something else.
Outcome<std::vector<std::string>> directories_to_format(const std::vector<Found>& directories,
                                                        const StorageOptions& options) {
  std::vector<std::string> todo;
  for (const Found& found : directories) {
    if (!found.problem.empty()) return Err(Failure{Exit::kFailed, "cannot format", found.problem, {}});
    if (found.state != "formatted") {
      todo.push_back(found.path);
      continue;
    }
    if (!options.ignore_formatted)
      return Err(
          Failure{Exit::kFailed,
                  fmt::format("{} is formatted already", found.path),
                  {},
                  "milena storage info; --ignore-formatted leaves it as it is and formats the others"});
    if (found.meta && found.meta->cluster_id != options.cluster_id)
      return Err(Failure{Exit::kFailed,
                         fmt::format("{} belongs to cluster {}, not {}", found.path, found.meta->cluster_id,
                                     options.cluster_id),
                         {},
                         {}});
  }
  return todo;
}

}  // namespace

Result<Features, std::string> features_of_release(std::string_view name) {
  std::int16_t version = 0;
  std::vector<std::string> names;
  for (std::int16_t level = image::kMinMetadataVersion; level <= image::kLatestMetadataVersion; ++level) {
    std::string_view known = image::metadata_version_name(level);
    names.emplace_back(known);
    if (known == name || known.substr(0, known.find('-')) == name) version = level;
  }
  if (version == 0)
    return Err(fmt::format("'{}' is no release from {} to {}{}", name, names.front(), names.back(),
                           did_you_mean(name, names)));
  Features features;
  features[std::string(image::kMetadataVersionFeature)] = version;
  for (const FeatureStart& start : kFeatureStarts)
    features[std::string(start.name)] = version >= start.metadata_version ? start.level : std::int16_t{0};
  return features;
}

Result<std::pair<std::string, std::int16_t>, std::string> parse_feature(std::string_view text) {
  std::size_t equals = text.find('=');
  std::int16_t level = 0;
  std::string_view digits = equals == std::string_view::npos ? std::string_view() : text.substr(equals + 1);
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), level);
  if (equals == 0 || digits.empty() || error != std::errc() || end != digits.data() + digits.size() ||
      level < 0)
    return Err(fmt::format("'{}' is not feature=level", text));
  return std::pair(std::string(text.substr(0, equals)), level);
}

int format_storage(Context& context, io::Loop& loop, const StorageOptions& options) {
  auto config = read_config(loop, options.config);
  if (config.failed()) return context.fail(config.error());
  auto quorum = check_quorum(*config, options);
  if (quorum.failed()) return context.fail(quorum.error());
  bool dynamic_quorum = config->quorum.voters.empty();
  auto features = chosen_features(options, dynamic_quorum);
  if (features.failed()) return context.fail(features.error());
  std::vector<Found> directories;
  for (const std::string& path : all_directories(*config)) directories.push_back(look_at(loop.disk(), path));
  auto todo = directories_to_format(directories, options);
  if (todo.failed()) return context.fail(todo.error());
  if (todo->empty()) {
    context.terminal.talk("all log directories are formatted already\n");
    return 0;
  }
  raft::FormatOptions format;
  format.cluster_id = options.cluster_id;
  format.node_id = config->node_id;
  format.metadata_directory = config->metadata_log.dir;
  format.features = *features;
  format.now = loop.wall_now();
  for (const Found& found : directories) {
    raft::FormatDirectory directory{found.path, loop.entropy().random_uuid()};
    if (options.standalone && found.path == format.metadata_directory)
      format.initial_voters.push_back(own_voter(*config, directory.directory_id));
    format.directories.push_back(std::move(directory));
  }
  auto files = raft::format_files(format);
  if (files.failed()) return context.fail(Failure{Exit::kFailed, "cannot format", files.error().message, {}});
  std::erase_if(*files, [&](const raft::FormatFile& file) {
    return std::none_of(todo->begin(), todo->end(),
                        [&](const std::string& path) { return file.path.starts_with(path + "/"); });
  });
  auto written = write_files(loop.disk(), *files);
  if (written.failed()) return context.fail(written.error());
  std::vector<Json> rows;
  for (const std::string& path : *todo) rows.push_back(directory_row(look_at(loop.disk(), path)));
  context.print(directory_columns(), rows);
  return 0;
}

int show_storage(Context& context, io::Loop& loop, const StorageOptions& options) {
  auto config = read_config(loop, options.config);
  if (config.failed()) return context.fail(config.error());
  std::vector<Found> directories;
  std::vector<Json> rows;
  for (const std::string& path : all_directories(*config)) {
    directories.push_back(look_at(loop.disk(), path));
    rows.push_back(directory_row(directories.back()));
  }
  context.print(directory_columns(), rows);
  std::vector<std::string> problems = problems_of(directories, *config);
  for (const std::string& problem : problems) context.terminal.talk("problem: " + problem + "\n");
  return problems.empty() ? 0 : static_cast<int>(Exit::kFailed);
}

}  // namespace milena::cli
