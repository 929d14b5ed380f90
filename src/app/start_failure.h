/// Why a node could not start, in the words of the one who started it.
#pragma once

#include <string>
#include <vector>

#include "app/options.h"

namespace milena::app {

/// `message` of broker::Node::start with what only the process around it knows: the configuration file's name, what
/// holds a port that is in use, and what to do about it on this command line.
std::string explained(std::string message, const LoadedConfig& loaded, const ServerOptions& options);

/// What to do about the errors of load_config whose words are Kafka's own, which scripts may look for: whole lines, to
/// be printed behind the errors. Empty: they say it themselves.
std::vector<std::string> hints(const std::vector<std::string>& errors);

}  // namespace milena::app
