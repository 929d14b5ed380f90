/// ProcessMetrics: what /metrics says of the process itself and of its loops.
/// Threads: one loop.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/time.h"
#include "io/asio/asio_runtime.h"
#include "io/asio/process.h"

namespace milena::app {

/// How idle a loop was since it was last asked: the part of the time that it was not in a turn.
class IdleShare {
 public:
  /// `busy`: in turns, since the start. Times in which less than a second passed are added to the next.
  double ask(Duration busy, Instant now);

 private:
  Instant last_;
  Duration busy_{0};
  double share_ = 1;
};

class ProcessMetrics {
 public:
  /// `jvm`: also under a JVM's names what means the same.
  void add(MetricSet& set, const io::ProcessFacts& facts, const std::vector<io::AsioRuntime::LoopStats>& loops,
           Instant now, bool jvm);

 private:
  std::map<std::string, IdleShare> idle_;
};

}  // namespace milena::app
