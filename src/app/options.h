/// The command line of `milena server`, and the configuration that comes of it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/kafka_config.h"
#include "config/server_config.h"

namespace milena::app {

struct ServerOptions {
  std::optional<std::string> file;                              // server.properties
  std::vector<std::pair<std::string, std::string>> overrides;   // --override key=value, in order
  std::optional<std::uint16_t> port;                            // --port: of clients, without a file
  bool format = true;                                           // --no-format: never format empty directories
  bool help = false;
};

/// Errors: one line for the terminal, naming the argument and what to do.
Result<ServerOptions, std::string> parse_server_options(const std::vector<std::string>& arguments);
std::string server_help();

struct LoadedConfig {
  std::shared_ptr<const config::KafkaConfig> config;
  config::ServerConfig server;
  std::vector<std::string> warnings;
  /// Nothing was given: the settings of a single node on ./data.
  bool embedded_default = false;
};

/// File (or the embedded default), then KAFKA_* of `environment`, then overrides; validated, and refused where
/// Milena would serve it wrongly. Errors: every one that was found, a line each.
Result<LoadedConfig, std::vector<std::string>> load_config(const ServerOptions& options,
                                                           const std::map<std::string, std::string>& environment);

}  // namespace milena::app
