/// Console: the routes of the node's own HTTP port. `handle` is an io::HttpHandler.
///
/// Threads: the HTTP server's loop.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/health.h"
#include "base/metrics.h"
#include "io/http.h"
#include "io/task.h"

namespace milena::console {

/// What the routes ask the node. Each may be called at any time, also while the node starts or stops, and comes back
/// to the calling loop.
struct NodeView {
  std::string version;
  std::function<io::Task<Health>()> live;   // the process works
  std::function<io::Task<Health>()> ready;  // clients are served
  std::function<io::Task<std::shared_ptr<const MetricSet>>(MetricsQuery)> metrics;
  /// Runs `write` where it holds up no loop.
  std::function<io::Task<std::string>(std::function<std::string()> write)> aside;
};

class Console {
 public:
  explicit Console(NodeView node);
  /// Never fails: what cannot be done is an answer, too.
  io::Task<io::HttpResponse> handle(io::HttpRequest request);

 private:
  io::Task<io::HttpResponse> live(io::HttpRequest request);
  io::Task<io::HttpResponse> ready(io::HttpRequest request);
  io::Task<io::HttpResponse> metrics(io::HttpRequest request);
  io::Task<io::HttpResponse> index(io::HttpRequest request);

  NodeView node_;
};

}  // namespace milena::console
