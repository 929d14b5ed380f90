/// First start: formats empty log directories the way `kafka-storage format --standalone` does.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/server_config.h"
#include "io/loop.h"
#include "log/log_directory.h"

namespace milena::broker {

struct FormatFailure {
  std::string message;  // what is wrong and what to do
};

struct FormatRequest {
  std::string cluster_id;  // empty: drawn
  bool standalone = true;  // dynamic voters, this node the first; else static voters (controller.quorum.voters)
  std::int16_t metadata_version = 30;
};

/// Writes meta.properties, bootstrap.checkpoint and, if standalone, the first snapshot. Returns the cluster id.
/// REQUIRES: none of the directories is formatted. Blocking: call off the loops.
Result<std::string, FormatFailure> format_directories(io::Disk& disk, io::Entropy& entropy, Timestamp now,
                                                      const config::ServerConfig& config,
                                                      const FormatRequest& request);

enum class Formatted : std::uint8_t { kAll, kNone };
/// All formatted for this node and one cluster, or all empty. Errors: some formatted and others not, an unformatted
/// one that holds data, another node's or another cluster's directory, two with one directory.id.
Result<Formatted, FormatFailure> check_directories(const std::vector<log::LogDirectory*>& directories,
                                                   const config::ServerConfig& config);

}  // namespace milena::broker
