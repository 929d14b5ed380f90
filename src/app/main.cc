// The one binary: `milena server` is the node, everything else a client verb.
#include <string>
#include <vector>

#include "app/client_host.h"
#include "app/server_command.h"
#include "cli/commands.h"

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() >= 2 && arguments[0] == "help" && arguments[1] == "server")
    arguments = {"server", "--help"};
  if (!arguments.empty() && arguments[0] == "server") {
    arguments.erase(arguments.begin());
    return milena::app::run_server(arguments);
  }
  return milena::cli::run(arguments, milena::app::client_host());
}
