/// Why a node could not start, in the words of the one who started it.
#pragma once

#include <string>

#include "app/options.h"

namespace milena::app {

/// `message` of broker::Node::start with what only the process around it knows: the configuration file's name, what
/// holds a port that is in use, and what to do about it on this command line.
std::string explained(std::string message, const LoadedConfig& loaded, const ServerOptions& options);

}  // namespace milena::app
