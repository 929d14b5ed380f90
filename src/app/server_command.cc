#include "app/server_command.h"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>

#include "app/banner.h"
#include "app/http_port.h"
#include "app/options.h"
#include "app/start_failure.h"
#include "app/version.h"
#include "broker/node.h"
#include "io/asio/asio_runtime.h"
#include "io/asio/process.h"
#include "io/asio/stderr_log.h"
#include "io/log_levels.h"
#include "io/signal.h"

namespace milena::app {
namespace {

constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;

// Why the node ended, told to the main task from wherever it is found out.
struct Ending {
  explicit Ending(io::Loop& loop) : told(loop) {}
  io::Signal told;
  bool stop = false;
  bool fatal = false;
};

// A second signal within this time is the same wish twice: Ctrl-C reaches a whole process group, and wrappers
// pass it on as well.
constexpr Duration kSameWish = 1s;

io::Task<void> watch_signals(io::AsioRuntime* runtime, Ending* ending) {
  io::Loop& loop = runtime->control_loop();
  Instant first;
  while (true) {
    int signal = co_await runtime->wait_signal();
    if (signal == SIGHUP) continue;  // nothing to read again yet
    if (!ending->stop) {
      first = loop.now();
      ending->stop = true;
      ending->told.notify_all();
    } else if (loop.now() - first >= kSameWish) {
      loop.log().warn("server", "told twice: ending at once; the next start checks what was not synced");
      io::exit_now(128 + signal);
    }
  }
}

void say_ready(const broker::Node& node, const HttpPort& http, const LoadedConfig& loaded, Duration start_time) {
  BannerFacts facts;
  facts.version = kVersion;
  facts.command = io::own_command();
  facts.listeners = node.listeners();
  facts.http = http.addresses();
  facts.log_dirs = loaded.server.log.dirs;
  facts.cluster_id = node.cluster_id();
  facts.new_directory = node.was_formatted_now();
  facts.start_time = start_time;
  facts.pid = io::process_id();
  std::string text = io::standard_output_is_terminal() ? banner_text(facts) : banner_json(facts);
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

io::Task<int> serve(io::AsioRuntime* runtime, const LoadedConfig* loaded, const ServerOptions* asked,
                    io::LogLevels* levels) {
  io::Loop& loop = runtime->control_loop();
  Instant began = loop.now();
  std::size_t open_files = io::raise_open_file_limit();
  Ending ending(loop);
  broker::NodeOptions options;
  options.config = loaded->config;
  options.server = loaded->server;
  std::string unnamed = config::name_advertised_hosts(options.server.listeners, io::machine_name());
  if (!unnamed.empty()) loop.log().warn("config", "{}", unnamed);
  options.format_if_empty = asked->format;
  options.open_files_limit = open_files;
  options.log_levels = levels;
  options.on_fatal = [&ending](const std::string&) {
    ending.fatal = true;
    ending.told.notify_all();
  };
  // Lives until the process ends: after a fatal error its tasks are left where they stand.
  auto* node = new broker::Node(*runtime, std::move(options));
  loop.spawn(watch_signals(runtime, &ending));
  for (const std::string& warning : loaded->warnings) loop.log().warn("config", "{}", warning);
  auto* http = new HttpPort(*runtime, *node);
  auto opened = co_await http->open(loaded->server.http);
  if (opened.failed()) {
    loop.log().error("server", "{}", opened.error());
    io::exit_now(kFailed);
  }
  auto started = co_await node->start();
  if (started.failed()) {
    std::string message = explained(started.error().message, *loaded, *asked);
    loop.log().error("server", "{}", message);
    io::exit_now(kFailed);
  }
  if (node->was_formatted_now()) {
    loop.log().info("server", "formatted the empty log directories as a new cluster, {}", node->cluster_id());
  }
  say_ready(*node, *http, *loaded, loop.now() - began);
  while (!ending.stop && !ending.fatal) co_await ending.told.wait();
  if (!ending.fatal) {
    loop.log().info("server", "stopping");
    co_await node->stop();
    loop.log().info("server", "stopped");
  }
  // Nothing is left to be written: the rest of the process needs no taking apart.
  io::exit_now(ending.fatal ? kFailed : kOk);
}

}  // namespace

int run_server(const std::vector<std::string>& arguments) {
  auto options = parse_server_options(arguments);
  if (options.failed()) {
    fmt::print(stderr, "milena server: {}\n", options.error());
    return kUsage;
  }
  if (options->help) {
    fmt::print("{}", server_help());
    return kOk;
  }
  auto loaded = load_config(*options, io::environment_variables());
  if (loaded.failed()) {
    for (const std::string& line : loaded.error()) fmt::print(stderr, "milena server: {}\n", line);
    for (const std::string& line : hints(loaded.error())) fmt::print(stderr, "milena server: {}\n", line);
    return kFailed;
  }
  io::AsioOptions runtime_options;
  const config::SocketConfig& socket = loaded->server.socket;
  const auto& threads = socket.network_threads;
  if (threads.has_value()) runtime_options.data_loops = static_cast<std::size_t>(*threads);
  io::StderrLog standard_error(io::Level::kTrace);
  io::LogLevels levels(standard_error);
  runtime_options.log = &levels;
  io::AsioRuntime runtime(runtime_options);
  runtime.start();
  const LoadedConfig* config = &*loaded;
  const ServerOptions* asked = &*options;
  io::LogLevels* log_levels = &levels;
  return runtime.run([&runtime, config, asked, log_levels] { return serve(&runtime, config, asked, log_levels); });
}

}  // namespace milena::app
