#include <fmt/format.h>

#include <string>
#include <vector>

#include "app/server_command.h"
#include "app/version.h"

namespace {

constexpr const char* kHelp = R"(Milena: event streaming, compatible with Apache Kafka, in one binary.

Usage: milena <command> [arguments]

  server     runs a node (broker and controller)
  help       this text

milena <command> --help tells more about a command.
)";

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.empty() || arguments[0] == "help" || arguments[0] == "--help" || arguments[0] == "-h") {
    fmt::print("{}", kHelp);
    return arguments.empty() ? 2 : 0;
  }
  if (arguments[0] == "--version" || arguments[0] == "version") {
    fmt::print("milena {}\n", milena::app::kVersion);
    return 0;
  }
  std::string command = arguments[0];
  arguments.erase(arguments.begin());
  if (command == "server") return milena::app::run_server(arguments);
  fmt::print(stderr, "milena: unknown command '{}' (try: milena help)\n", command);
  return 2;
}
