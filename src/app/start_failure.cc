#include "app/start_failure.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "config/embedded_default.h"
#include "io/asio/port_holder.h"

namespace milena::app {
namespace {

// What the system said of a log directory says neither which key names it nor what to do.
std::string explained_directory(std::string message, const config::ServerConfig& server) {
  std::string named = message.substr(0, message.find(": "));
  for (std::string_view what : {"mkdir ", "open directory ", "open "}) {
    if (!named.starts_with(what)) continue;
    named.erase(0, what.size());
    break;
  }
  // One of its parents may be what could not be made.
  auto speaks_of = [&named](const std::string& path) {
    return named == path || named == path + "/.lock" || path.starts_with(named + "/");
  };
  const char* key = nullptr;
  if (speaks_of(server.metadata_log.dir)) key = "metadata.log.dir";
  for (const std::string& path : server.log.dirs) {
    if (speaks_of(path)) key = "log.dirs";
  }
  if (key == nullptr) return message;
  return fmt::format(
      "{}: the log directory cannot be used: {}. It must be a directory, or a name where one can be made, "
      "that this user may write: change {}, or choose another with --override {}=DIRECTORY",
      key, message, key, key);
}

std::uint16_t other_port(const ServerOptions& options) {
  bool usual = options.port.value_or(config::kDefaultPort) == config::kDefaultPort;
  return usual ? 19092 : config::kDefaultPort;
}

}  // namespace

std::string explained(std::string message, const LoadedConfig& loaded, const ServerOptions& options) {
  const std::string placeholder = "<server.properties>";
  if (std::size_t at = message.find(placeholder); at != std::string::npos) {
    if (options.file.has_value()) return message.replace(at, placeholder.size(), *options.file);
    if (loaded.embedded_default)
      return "the log directories are not formatted; leave out --no-format, or write a "
             "server.properties and see: milena storage format --help";
  }
  if (message.find(".lock: held by") != std::string::npos)
    return message +
           ". A log directory serves one process at a time: stop that one, or choose another directory: "
           "--override log.dirs=DIRECTORY";
  message = explained_directory(std::move(message), loaded.server);
  if (message.find("ddress already in use") == std::string::npos) return message;
  for (const config::Listener& listener : loaded.server.listeners.bind) {
    if (message.find("listener " + listener.name + ":") == std::string::npos) continue;
    auto holder = io::find_port_holder(listener.address.port);
    if (holder.has_value())
      message +=
          fmt::format(". Port {} is held by {} (pid {})", listener.address.port, holder->name, holder->pid);
    message += options.file.has_value()
                   ? fmt::format(". Stop it, or change `listeners` in {}", *options.file)
                   : fmt::format(". Stop it, or choose another port: milena server --port {}", other_port(options));
    break;
  }
  return message;
}

std::vector<std::string> hints(const std::vector<std::string>& errors) {
  auto first_with = [&errors](std::string_view words) {
    return std::ranges::find_if(
        errors, [words](const std::string& error) { return error.find(words) != error.npos; });
  };
  std::vector<std::string> lines;
  if (first_with("Missing required configuration") != errors.end())
    lines.emplace_back(
        "next: a file for one node has at least process.roles=broker,controller, node.id=1, "
        "controller.listener.names=CONTROLLER, controller.quorum.bootstrap.servers=localhost:9093, "
        "listeners=PLAINTEXT://:9092,CONTROLLER://:9093, offsets.topic.replication.factor=1 and log.dirs; milena server without a file needs "
        "none of them");
  if (first_with("security.inter.broker.protocol must be a listener name") != errors.end())
    lines.emplace_back(
        "next: brokers talk to each other over PLAINTEXT, the one protocol that is there yet, unless told "
        "otherwise: "
        "change the listeners to it, or set inter.broker.listener.name to one that is mapped to it");
  constexpr std::string_view kNoProtocol = "No security protocol defined for listener ";
  if (auto error = first_with(kNoProtocol); error != errors.end()) {
    std::string name = error->substr(error->find(kNoProtocol) + kNoProtocol.size());
    lines.push_back(
        fmt::format("next: listener.security.protocol.map lacks the listener: add {}:PLAINTEXT to it, the "
                    "one protocol that is there yet",
                    name.substr(0, name.find_first_of(" ;,\n"))));
  }
  return lines;
}

}  // namespace milena::app
