/// The verbs of `milena storage`: what is done to log directories while no server runs on them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cli/context.h"
#include "raft/voter_set.h"

namespace milena::cli {

struct StorageOptions {
  std::string config;
  std::string cluster_id;
  std::string release_version;
  std::vector<std::string> features;
  std::string initial_controllers;
  std::vector<std::string> scram_credentials;
  bool standalone = false;
  bool no_initial_controllers = false;
  bool ignore_formatted = false;
};

using Features = std::map<std::string, std::int16_t>;

/// The levels that a new cluster of release `name` ("4.3-IV0", or "4.3" for its last one) begins with;
/// features that did not exist then are 0. Errors: a sentence. Source: kafka-storage version-mapping, 4.3.1.
Result<Features, std::string> features_of_release(std::string_view name);
/// `feature=level`. Errors: a sentence.
Result<std::pair<std::string, std::int16_t>, std::string> parse_feature(std::string_view text);

/// `id@host:port:directory-id` of --initial-controllers; `listener` names the endpoint. Errors: a sentence.
Result<raft::Voter, std::string> parse_initial_controller(std::string_view text, std::string_view listener);

/// Writes the first files of every log directory of the configuration. Errors: usage, and what Kafka refuses
/// too.
int format_storage(Context& context, io::Loop& loop, const StorageOptions& options);
/// Prints what the log directories hold; 1 when something is wrong with them.
int show_storage(Context& context, io::Loop& loop, const StorageOptions& options);

}  // namespace milena::cli
