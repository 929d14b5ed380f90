/// Runtime: the loops of one node. Data loops own partitions and connections; the control loop runs raft, the
/// controller, heartbeats and group coordinators and never touches data files. `io/asio` gives each loop a
/// thread; `io/sim` runs them all in one, in an order drawn from the seed.
#pragma once

#include <cstddef>

#include "io/loop.h"

namespace milena::io {

class Runtime {
 public:
  virtual ~Runtime() = default;
  virtual std::size_t data_loops() const = 0;  // at least 1
  virtual Loop& data_loop(std::size_t index) = 0;
  virtual Loop& control_loop() = 0;
};

}  // namespace milena::io
