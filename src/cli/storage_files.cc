// What milena storage does to files.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "cli/storage.h"
#include "cli/suggest.h"
#include "config/embedded_default.h"
#include "config/providers.h"
#include "config/server_config.h"
#include "image/metadata_version.h"
#include "raft/format.h"

namespace milena::cli {
namespace {

Outcome<config::Settings> read_settings(io::Loop& loop, const std::string& path) {
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
  return config::settings_from_file(*properties, path);
}

config::ProviderSources provider_sources(io::Loop& loop, const std::map<std::string, std::string>& environment) {
  config::ProviderSources sources;
  sources.read_file = [&loop](const std::string& path) -> Result<std::string, std::string> {
    auto text = loop.disk().read_file(path);
    if (text.failed()) return Err(text.error().what);
    return std::move(*text);
  };
  sources.environment_variable = [&environment](const std::string& name) -> std::optional<std::string> {
    auto it = environment.find(name);
    return it == environment.end() ? std::nullopt : std::optional<std::string>(it->second);
  };
  return sources;
}

// What `milena server` takes with the same file, or without one, in the same environment.
Outcome<config::ServerConfig> read_config(const Context& context, io::Loop& loop, const std::string& path) {
  std::map<std::string, std::string> environment = context.host.environment_variables();
  config::Settings given = config::settings_from_environment(environment);
  config::Settings settings;
  if (path.empty()) {
    settings = config::embedded_default(config::kDefaultPort, given);
  } else {
    TRY_ASSIGN(settings, read_settings(loop, path));
  }
  auto errors = [&](const config::ConfigErrors& found) {
    std::string list;
    for (const config::ConfigError& error : found) list += (list.empty() ? "" : "\n  ") + error.text();
    return Err(Failure{Exit::kFailed, "the configuration is wrong", list, {}});
  };
  settings = config::merge(std::move(settings), given);
  auto resolved = config::resolve_providers(std::move(settings), provider_sources(loop, environment));
  if (resolved.failed()) return errors(resolved.error());
  auto parsed = config::KafkaConfig::parse(std::move(*resolved));
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
  for (const config::Listener& listener : config.listeners.advertised_controller) {
    const std::string& host = listener.address.host;
    voter.endpoints.push_back({listener.name, host.empty() ? "localhost" : host, listener.address.port});  // as Kafka
  }
  voter.max_kraft_version = 1;
  return voter;
}

// Refuses what would make a cluster that cannot start, in Kafka's sense.
Outcome<void> check_quorum(const config::ServerConfig& config, const StorageOptions& options) {
  int chosen = int{options.standalone} + int{options.no_initial_controllers} +
               int{!options.initial_controllers.empty()};
  if (chosen > 1)
    return Err(usage("--standalone, --initial-controllers and --no-initial-controllers exclude each other",
                     "milena storage format --help"));
  if (options.standalone && !config.controller)
    return Err(usage("--standalone is for a controller, and process.roles has none",
                     "leave it out, or add controller to process.roles"));
  if (chosen > 0 && !config.quorum.voters.empty())
    return Err(usage("controller.quorum.voters is set, so the controllers are known already",
                     "leave out --standalone and its like; or, for voters that can change, put "
                     "controller.quorum.bootstrap.servers in place of the setting"));
  if (chosen == 0 && config.controller && config.quorum.voters.empty())
    return Err(usage("controller.quorum.voters is not set, so it must be said who the first controllers are",
                     "add --standalone (this node alone), --initial-controllers ID@HOST:PORT:DIRECTORY-ID or "
                     "--no-initial-controllers (it joins others)"));
  return {};
}

// The voters that a first snapshot names; with --standalone they are made when the directory's id is.
Outcome<std::optional<raft::Voter>> initial_controller(const config::ServerConfig& config,
                                                       const StorageOptions& options) {
  if (options.initial_controllers.empty()) return std::optional<raft::Voter>();
  if (options.initial_controllers.find(',') != std::string::npos)
    return Err(usage("more than one initial controller is not possible yet",
                     "name this node alone, or use --standalone"));
  if (config.listeners.advertised_controller.empty())
    return Err(usage("--initial-controllers is for a controller, and process.roles has none",
                     "leave it out, or add controller to process.roles"));
  auto voter = parse_initial_controller(options.initial_controllers,
                                        config.listeners.advertised_controller.front().name);
  if (voter.failed())
    return Err(
        usage("wrong --initial-controllers: " + voter.error(),
              "write node.id@host:port:directory-id; milena storage random-uuid makes a directory-id"));
  if (voter->id != config.node_id)
    return Err(usage(fmt::format("--initial-controllers names node {}, the configuration says node {}",
                                 voter->id.value(), config.node_id.value()),
                     "more nodes than this one are not possible yet"));
  return std::optional(std::move(*voter));
}

// Kafka's own line for a directory that was formatted: scripts look for it.
std::string formatted_line(const std::string& path, const config::ServerConfig& config,
                           const StorageOptions& options, const Features& features) {
  const char* kind = "data";
  bool voter = options.standalone || !options.initial_controllers.empty();
  if (path == config.metadata_log.dir) kind = voter ? "dynamic metadata voter" : "metadata";
  auto level = features.find(std::string(image::kMetadataVersionFeature));
  return fmt::format(
      "Formatting {} directory {} with metadata.version {}.\n", kind, path,
      image::metadata_version_name(level == features.end() ? image::kLatestMetadataVersion : level->second));
}

Outcome<Features> chosen_features(const StorageOptions& options, bool dynamic_quorum) {
  Features features;
  if (!options.release_version.empty()) {
    auto release = features_of_release(options.release_version);
    if (release.failed())
      return Err(
          usage("wrong --release-version: " + release.error(), "write a release, like 4.1 or 4.1-IV1"));
    features = std::move(*release);
  }
  // A metadata.version chosen by level stands for the release that brought it: the other features follow.
  for (const std::string& text : options.features) {
    auto feature = parse_feature(text);
    if (feature.failed() || feature->first != image::kMetadataVersionFeature || !features.empty()) continue;
    auto release = features_of_release(image::metadata_version_name(feature->second));
    if (release.has_value()) features = std::move(*release);
  }
  std::vector<std::string> known;
  for (const image::SupportedFeature& feature : image::kSupportedFeatures) known.emplace_back(feature.name);
  for (const std::string& text : options.features) {
    auto feature = parse_feature(text);
    if (feature.failed())
      return Err(usage("wrong --feature: " + feature.error(), "write name=level, like group.version=1"));
    if (std::find(known.begin(), known.end(), feature->first) == known.end())
      return Err(usage(
          fmt::format("there is no feature '{}'{}", feature->first, did_you_mean(feature->first, known)),
          fmt::format("use one of {}", fmt::join(known, ", "))));
    bool both = !options.release_version.empty() && feature->first == image::kMetadataVersionFeature;
    if (both)
      return Err(usage("--release-version and --feature metadata.version exclude each other",
                       "leave one of them out"));
    if (feature->first == image::kKRaftVersionFeature && (feature->second > 0) != dynamic_quorum)
      return Err(usage(fmt::format("kraft.version={} does not go with {} voters", feature->second,
                                   dynamic_quorum ? "dynamic" : "static"),
                       "leave it out: the configuration decides"));
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
  auto holds_data = [](const io::DirectoryEntry& entry) {
    return entry.name != "lost+found" && entry.name != ".lock";  // a file system's; a start that was refused
  };
  bool data = entries.has_value() && std::any_of(entries->begin(), entries->end(), holds_data);
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
                  fmt::format("Log directory {} is already formatted. Use --ignore-formatted to ignore this "
                              "directory and format the others.",
                              found.path),
                  {},
                  "milena storage info" + (options.config.empty() ? "" : " -c " + options.config) +
                      " shows what it holds"});
    if (found.meta && found.meta->cluster_id != options.cluster_id)
      return Err(Failure{Exit::kFailed,
                         fmt::format("{} belongs to cluster {}, not {}", found.path, found.meta->cluster_id,
                                     options.cluster_id),
                         {},
                         "milena storage format -g -t " + found.meta->cluster_id});
  }
  return todo;
}

}  // namespace

int format_storage(Context& context, io::Loop& loop, const StorageOptions& options) {
  auto config = read_config(context, loop, options.config);
  if (config.failed()) return context.fail(config.error());
  auto quorum = check_quorum(*config, options);
  if (quorum.failed()) return context.fail(quorum.error());
  if (!options.scram_credentials.empty())
    return context.fail(usage("--add-scram: SCRAM credentials are not there yet",
                              "leave it out; listeners are PLAINTEXT and ask nobody who they are"));
  auto controller = initial_controller(*config, options);
  if (controller.failed()) return context.fail(controller.error());
  bool dynamic_quorum = config->quorum.voters.empty();
  auto features = chosen_features(options, dynamic_quorum);
  if (features.failed()) return context.fail(features.error());
  std::vector<Found> directories;
  for (const std::string& path : all_directories(*config)) directories.push_back(look_at(loop.disk(), path));
  auto todo = directories_to_format(directories, options);
  if (todo.failed()) return context.fail(todo.error());
  bool table = context.format() == OutputFormat::kTable || context.format() == OutputFormat::kWide;
  if (todo->empty()) {
    if (table)
      context.terminal.out("All of the log directories are already formatted.\n");
    else
      context.print(directory_columns(), {});
    return 0;
  }
  if (!options.cluster_id.empty() && !Uuid::parse(options.cluster_id).has_value())
    context.terminal.talk(
        fmt::format("warning: cluster id '{}' is taken as it is; milena storage random-uuid makes "
                    "one of the usual form\n",
                    options.cluster_id));
  raft::FormatOptions format;
  format.cluster_id = options.cluster_id;
  format.node_id = config->node_id;
  format.metadata_directory = config->metadata_log.dir;
  format.features = *features;
  format.now = loop.wall_now();
  for (const Found& found : directories) {
    raft::FormatDirectory directory{found.path, loop.entropy().random_uuid()};
    if (found.path == format.metadata_directory) {
      if (options.standalone) format.initial_voters.push_back(own_voter(*config, directory.directory_id));
      if (const auto& first = *controller; first.has_value()) {
        directory.directory_id = first->directory_id;
        format.initial_voters.push_back(*first);
      }
    }
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
  for (const std::string& path : *todo) {
    if (table) context.terminal.out(formatted_line(path, *config, options, *features));
    rows.push_back(directory_row(look_at(loop.disk(), path)));
  }
  context.print(directory_columns(), rows);
  return 0;
}

int show_storage(Context& context, io::Loop& loop, const StorageOptions& options) {
  auto config = read_config(context, loop, options.config);
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
