#include "app/options.h"

#include "base/properties.h"
#include "config/providers.h"
#include "config/settings.h"
#include "config/startup.h"
#include "io/asio/posix_disk.h"

namespace milena::app {
namespace {

using Errors = std::vector<std::string>;

// One node that is a cluster of its own, for the first ten minutes: loopback only, everything in ./data.
const std::vector<std::pair<std::string, std::string>> kEmbeddedDefault = {
    {"process.roles", "broker,controller"},
    {"node.id", "1"},
    {"listeners", "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093"},
    {"advertised.listeners", "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093"},
    {"controller.listener.names", "CONTROLLER"},
    {"controller.quorum.bootstrap.servers", "127.0.0.1:9093"},
    {"log.dirs", "./data"},
    {"offsets.topic.replication.factor", "1"},
    {"transaction.state.log.replication.factor", "1"},
    {"transaction.state.log.min.isr", "1"},
    {"share.coordinator.state.topic.replication.factor", "1"},
    {"share.coordinator.state.topic.min.isr", "1"},
    {"group.initial.rebalance.delay.ms", "0"},
};

Result<std::string, std::string> read_text(const std::string& path) {
  io::PosixDisk disk;
  auto text = disk.read_file(path);
  if (text.failed()) return Err("cannot read the configuration: " + text.error().what);
  return std::move(*text);
}

Errors texts(const config::ConfigErrors& errors) {
  Errors lines;
  for (const config::ConfigError& error : errors) lines.push_back(error.text());
  return lines;
}

config::ProviderSources provider_sources(const std::map<std::string, std::string>& environment) {
  config::ProviderSources sources;
  sources.read_file = [](const std::string& path) { return read_text(path); };
  sources.environment_variable = [&environment](const std::string& name) -> std::optional<std::string> {
    auto it = environment.find(name);
    return it == environment.end() ? std::nullopt : std::optional<std::string>(it->second);
  };
  return sources;
}

}  // namespace

Result<ServerOptions, std::string> parse_server_options(const std::vector<std::string>& arguments) {
  ServerOptions options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "-h" || argument == "--help") {
      options.help = true;
    } else if (argument == "--no-format") {
      options.format = false;
    } else if (argument == "--override" || argument.starts_with("--override=")) {
      std::string text;
      if (argument != "--override") text = argument.substr(std::string("--override=").size());
      else if (++i < arguments.size()) text = arguments[i];
      else return Err(std::string("--override needs key=value"));
      auto parsed = config::parse_override(text);
      if (parsed.failed()) return Err("--override " + text + ": " + parsed.error());
      options.overrides.push_back(std::move(*parsed));
    } else if (argument.starts_with("-") && argument.size() > 1) {
      return Err("unknown option " + argument + " (try: milena server --help)");
    } else if (options.file.has_value()) {
      return Err("more than one configuration file: " + *options.file + " and " + argument);
    } else {
      options.file = argument;
    }
  }
  return options;
}

std::string server_help() {
  return R"(Runs a node: broker and controller in one process, until SIGTERM or Ctrl-C.

Usage: milena server [server.properties] [--override key=value]... [--no-format]

  server.properties   Kafka's own file and keys. Without it: one node in KRaft mode, data in ./data,
                      clients on 127.0.0.1:9092.
  --override k=v      sets one key over the file and the environment; may be given many times
  --no-format         never format empty log directories; say how to do it instead
  -h, --help          this text

Keys are taken from the file, then from environment variables KAFKA_* (KAFKA_NUM_PARTITIONS=3 sets
num.partitions), then from --override. docs/configuration.md lists every key.

Examples:
  milena server
  milena server /etc/kafka/server.properties
  milena server --override log.dirs=/srv/milena --override num.partitions=6
)";
}

Result<LoadedConfig, Errors> load_config(const ServerOptions& options,
                                         const std::map<std::string, std::string>& environment) {
  LoadedConfig loaded;
  config::Settings settings;
  if (options.file.has_value()) {
    auto text = read_text(*options.file);
    if (text.failed()) return Err(Errors{text.error()});
    auto properties = parse_properties(*text);
    if (properties.failed()) {
      return Err(Errors{*options.file + ":" + std::to_string(properties.error().line) + ": " + properties.error().message});
    }
    settings = config::settings_from_file(*properties, *options.file);
  } else {
    settings = config::settings_from_overrides(kEmbeddedDefault);
    loaded.embedded_default = true;
  }
  settings = config::merge(std::move(settings), config::settings_from_environment(environment));
  settings = config::merge(std::move(settings), config::settings_from_overrides(options.overrides));
  auto resolved = config::resolve_providers(std::move(settings), provider_sources(environment));
  if (resolved.failed()) return Err(texts(resolved.error()));
  auto parsed = config::KafkaConfig::parse(std::move(*resolved));
  if (parsed.failed()) return Err(texts(parsed.error()));
  loaded.config = std::make_shared<const config::KafkaConfig>(std::move(*parsed));
  config::ConfigErrors refusals = config::startup_refusals(*loaded.config);
  if (!refusals.empty()) return Err(texts(refusals));
  auto server = config::server_config(*loaded.config);
  if (server.failed()) return Err(texts(server.error()));
  loaded.server = std::move(*server);
  loaded.warnings = config::startup_warnings(*loaded.config);
  return loaded;
}

}  // namespace milena::app
