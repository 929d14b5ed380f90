/// `milena server`: wires configuration, runtime and node together, and runs until it is told to stop.
#pragma once

#include <string>
#include <vector>

namespace milena::app {

/// Returns the process' exit status: 0 after a clean stop, 1 when the node could not start or go on, 2 for a
/// wrong command line.
int run_server(const std::vector<std::string>& arguments);

}  // namespace milena::app
