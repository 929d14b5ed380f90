#include "app/start_failure.h"

#include <fmt/format.h>

#include "io/asio/port_holder.h"

namespace milena::app {

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
  if (message.find("ddress already in use") == std::string::npos) return message;
  for (const config::Listener& listener : loaded.server.listeners.bind) {
    if (message.find("listener " + listener.name + ":") == std::string::npos) continue;
    auto holder = io::find_port_holder(listener.address.port);
    if (holder.has_value())
      message +=
          fmt::format(". Port {} is held by {} (pid {})", listener.address.port, holder->name, holder->pid);
    message += options.file.has_value()
                   ? fmt::format(". Stop it, or change `listeners` in {}", *options.file)
                   : fmt::format(". Stop it, or choose another port: milena server --port {}",
                                 options.port.value_or(kDefaultPort) == kDefaultPort ? 19092 : kDefaultPort);
    break;
  }
  return message;
}

}  // namespace milena::app
