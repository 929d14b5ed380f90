/// What the contract tests need of a world: they run against io/asio and against io/sim, each in its own test
/// binary, which defines make_contract_world(). Tests only.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "io/runtime.h"

namespace milena::io {

class ContractWorld {
 public:
  virtual ~ContractWorld() = default;
  /// Two data loops.
  virtual Runtime& runtime() = 0;
  /// Runs the body as a task on the control loop until it ends; false when it did not (simulation stuck).
  virtual bool run(std::function<Task<void>(Runtime*)> body) = 0;
  /// An address of this node, port 0: any.
  virtual Endpoint address() const = 0;
  /// An empty directory.
  virtual std::string scratch() const = 0;
};

std::unique_ptr<ContractWorld> make_contract_world();

}  // namespace milena::io
