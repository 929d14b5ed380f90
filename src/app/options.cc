#include "app/options.h"

#include <charconv>

#include "base/properties.h"
#include "cli/suggest.h"
#include "config/embedded_default.h"
#include "config/providers.h"
#include "config/settings.h"
#include "config/startup.h"
#include "io/asio/posix_disk.h"

namespace milena::app {
namespace {

using Errors = std::vector<std::string>;

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

namespace {

// `--name value` or `--name=value` at arguments[i], which is moved to the last word used. Nothing: another
// option. Errors: the value is missing.
Result<std::optional<std::string>, std::string> option_value(const std::vector<std::string>& arguments,
                                                             std::size_t& i, const std::string& name,
                                                             const char* example) {
  if (arguments[i].starts_with(name + "=")) return std::optional(arguments[i].substr(name.size() + 1));
  if (arguments[i] != name) return std::optional<std::string>();
  if (++i >= arguments.size()) return Err(name + " needs a value, for example: " + name + " " + example);
  return std::optional(arguments[i]);
}

Result<std::uint16_t, std::string> parse_port(const std::string& text) {
  unsigned value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > 65534)
    return Err("--port " + text + ": a port is a number from 1 to 65534 (the controller gets the next one)");
  return static_cast<std::uint16_t>(value);
}

}  // namespace

Result<ServerOptions, std::string> parse_server_options(const std::vector<std::string>& arguments) {
  ServerOptions options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    TRY_ASSIGN(auto override_text, option_value(arguments, i, "--override", "num.partitions=6"));
    if (override_text.has_value()) {
      auto parsed = config::parse_override(*override_text);
      if (parsed.failed()) return Err(parsed.error());
      options.overrides.push_back(std::move(*parsed));
      continue;
    }
    TRY_ASSIGN(auto port_text, option_value(arguments, i, "--port", "19092"));
    const std::string& argument = arguments[i];
    if (port_text.has_value()) {
      TRY_ASSIGN(options.port, parse_port(*port_text));
    } else if (argument == "-h" || argument == "--help") {
      options.help = true;
    } else if (argument == "--no-format") {
      options.format = false;
    } else if (argument.starts_with("-") && argument.size() > 1) {
      static const std::vector<std::string> known = {"--override", "--port", "--no-format", "--help"};
      return Err("unknown option " + argument + cli::did_you_mean(argument, known) +
                 "; milena server --help");
    } else if (options.file.has_value()) {
      return Err("more than one configuration file: " + *options.file + " and " + argument);
    } else {
      options.file = argument;
    }
  }
  if (options.file.has_value() && options.port.has_value())
    return Err("--port is for a server without a file; in " + *options.file +
               " the ports are those of `listeners`");
  return options;
}

std::string server_help() {
  return R"(Runs a node: broker and controller in one process, until SIGTERM or Ctrl-C.

Usage: milena server [server.properties] [--override key=value]... [--port N] [--no-format]

  server.properties   Kafka's own file and keys. Without it: one node in KRaft mode, data in ./data,
                      clients on 127.0.0.1:9092.
  --override k=v      sets one key over the file and the environment; may be given many times
  --port N            without a file: clients on 127.0.0.1:N, the controller on N+1
  --no-format         never format empty log directories, as Kafka: say how to do it, and end
  -h, --help          this text

Keys are taken from the file, then from environment variables KAFKA_* (KAFKA_NUM_PARTITIONS=3 sets
num.partitions), then from --override. docs/configuration.md lists every key.

Empty log directories are formatted at the first start, where the node is the only controller. SIGTERM
and Ctrl-C stop cleanly; a second one, a second or more later, ends the process at once.

Examples:
  milena server
  milena server --port 19092 --override log.dirs=/srv/milena
  milena server /etc/kafka/server.properties --override num.partitions=6
  KAFKA_NUM_PARTITIONS=3 milena server
)";
}

Result<LoadedConfig, Errors> load_config(const ServerOptions& options,
                                         const std::map<std::string, std::string>& environment) {
  LoadedConfig loaded;
  config::Settings given = config::merge(config::settings_from_environment(environment),
                                         config::settings_from_overrides(options.overrides));
  config::Settings settings;
  if (options.file.has_value()) {
    auto text = read_text(*options.file);
    if (text.failed())
      return Err(Errors{text.error() + "; name Kafka's server.properties, or no file for a node on ./data"});
    auto properties = parse_properties(*text);
    if (properties.failed()) {
      return Err(Errors{*options.file + ":" + std::to_string(properties.error().line) + ": " +
                        properties.error().message});
    }
    settings = config::settings_from_file(*properties, *options.file);
  } else {
    settings = config::embedded_default(options.port.value_or(config::kDefaultPort), given);
    loaded.embedded_default = true;
  }
  settings = config::merge(std::move(settings), given);
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
