// A program with the verbs alone, for the tests of this room: main as app/main.cc has it, without the server.
#include <cstdlib>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "io/asio/asio_runtime.h"

namespace {

using namespace milena;

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
  runtime.control_loop().post([&runtime] { runtime.control_loop().spawn(end_on_signal(&runtime)); });
  return runtime.run([&] { return main(&runtime.control_loop()); });
}

}  // namespace

int main(int argc, char** argv) {
  cli::Host host;
  host.version = "0.1.0";
  host.run_on_loop = run_on_loop;
  return cli::run(std::vector<std::string>(argv + 1, argv + argc), host);
}
