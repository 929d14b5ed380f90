#include "app/client_host.h"

#include <cstdlib>
#include <utility>

#include "app/version.h"
#include "io/asio/asio_runtime.h"
#include "io/asio/process.h"

namespace milena::app {
namespace {

// A verb holds nothing that must be put in order: what it had asked for is done or not.
io::Task<void> end_on_signal(io::AsioRuntime* runtime) {
  int signal = co_await runtime->wait_signal();
  std::_Exit(128 + signal);
}

int run_on_loop(std::move_only_function<io::Task<int>(io::Loop*)> main) {
  io::AsioOptions options;
  options.data_loops = 1;
  options.pool_threads = 1;
  options.log_level = io::Level::kError;
  io::AsioRuntime runtime(options);
  runtime.start();
  io::Loop* loop = &runtime.control_loop();
  loop->post([&runtime, loop] { loop->spawn(end_on_signal(&runtime)); });
  return runtime.run([&main, loop] { return main(loop); });
}

}  // namespace

cli::Host client_host() {
  cli::Host host;
  host.version = kVersion;
  host.run_on_loop = run_on_loop;
  host.environment_variables = io::environment_variables;
  return host;
}

}  // namespace milena::app
