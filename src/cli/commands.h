/// The verbs of the binary that are clients (topic, produce, consume, group) or work on files (storage), and
/// what goes with every command line: help, completion, version.
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 not allowed, 5 timed out or unreachable, 130
/// interrupted (143 by SIGTERM). Data goes to standard output, everything else to standard error.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/loop.h"

namespace milena::cli {

/// What the process gives its verbs.
struct Host {
  std::string version;  // "0.1.0"
  /// Starts an event loop, runs the task on it, ends it and gives the task's result. SIGINT and SIGTERM must
  /// end the process (128 + number) while it runs. Called again only after it has returned.
  std::function<int(std::move_only_function<io::Task<int>(io::Loop*)>)> run_on_loop;
  /// The environment variables: KAFKA_* stand over a node's configuration file, as for the server.
  std::function<std::map<std::string, std::string>()> environment_variables;
};

/// Runs the command line `arguments` (without the program's name) and returns the exit code. `server` is
/// listed in the help but belongs to the caller, which must take it out first.
int run(const std::vector<std::string>& arguments, const Host& host);

}  // namespace milena::cli
