/// HttpPort: the node's HTTP listeners (`milena.http.listeners`), wired to the console's routes and the node. They are
/// bound before anything else starts, so that /livez and /readyz answer while the node does.
///
/// Life: lives until the process ends. Threads: the control loop; the servers live on a data loop.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "app/process_metrics.h"
#include "broker/node.h"
#include "config/own_keys.h"
#include "console/console.h"
#include "io/asio/http_server.h"
#include "io/asio/asio_runtime.h"

namespace milena::app {

class HttpPort {
 public:
  /// `node` outlives it and may not have been started.
  HttpPort(io::AsioRuntime& runtime, broker::Node& node);

  /// Errors: one that was asked for cannot be listened on. A default that is taken is a warning.
  io::Task<Result<void, std::string>> open(config::HttpConfig config);
  /// The addresses that are served, with the ports that were chosen where 0 was asked for.
  const std::vector<io::Endpoint>& addresses() const { return addresses_; }

 private:
  static io::Task<io::IoResult<io::Endpoint>> listen(HttpPort* self, io::Endpoint at);
  static io::Task<Health> live(HttpPort* self);
  static io::Task<Health> ready(HttpPort* self);
  static io::Task<std::shared_ptr<const MetricSet>> metrics(HttpPort* self, MetricsQuery query);
  static io::Task<std::string> aside(HttpPort* self, std::function<std::string()> write);
  console::NodeView view();

  io::AsioRuntime& runtime_;
  io::Loop& home_;  // of the servers
  broker::Node& node_;
  ProcessMetrics process_;
  console::Console console_;
  std::vector<std::unique_ptr<io::HttpServer>> servers_;
  std::vector<io::Endpoint> addresses_;
};

}  // namespace milena::app
