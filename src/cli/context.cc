#include "cli/context.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace milena::cli {

int Context::fail(const Failure& failure) {
  terminal.talk(render(failure, terminal.err_colour()));
  return static_cast<int>(failure.exit);
}

void Context::print(const std::vector<Column>& columns, const std::vector<Json>& rows) {
  std::string text = render(format(), columns, rows);
  bool table = format() == OutputFormat::kTable || format() == OutputFormat::kWide;
  if (table && terminal.out_colour()) {
    std::size_t line = text.find('\n');
    if (line != std::string::npos) text = "\033[1m" + text.substr(0, line) + "\033[0m" + text.substr(line);
  }
  terminal.out(text);
}

void add_output_options(CLI::App& app, Context& context) {
  app.add_option("-o,--output", context.common.output, "table, wide, json, jsonl, yaml or name")
      ->check(CLI::IsMember(std::vector<std::string>(std::begin(kOutputFormats), std::end(kOutputFormats))))
      ->type_name("FORMAT")
      ->capture_default_str();
  app.add_option("--color,--colour", context.common.colour, "auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->type_name("WHEN")
      ->capture_default_str();
}

void add_broker_options(CLI::App& app, Context& context) {
  app.add_option("-b,--bootstrap-server,--brokers", context.common.brokers,
                 "servers to begin with, host:port,... (env MILENA_BROKERS)")
      ->type_name("SERVERS")
      ->capture_default_str();
  app.add_option("--timeout", context.common.timeout_ms, "give up after this many milliseconds")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{3'600'000}))
      ->type_name("MS")
      ->capture_default_str();
}

namespace {

io::Task<int> run_verb(io::Loop* loop, Context* context, client::ClusterOptions options,
                       std::function<io::Task<int>(Session*)> verb) {
  Session session(*context, *loop, std::move(options));
  int code = co_await verb(&session);
  co_return code;
}

}  // namespace

int run_session(Context& context, std::function<io::Task<int>(Session*)> verb) {
  auto servers = client::parse_servers(context.common.brokers);
  if (servers.failed())
    return context.fail(
        usage("wrong server: " + servers.error(), "write -b host:port, or set MILENA_BROKERS"));
  client::ClusterOptions options;
  options.bootstrap = std::move(*servers);
  options.connection.client_id = "milena-cli";
  options.connection.connect_timeout = from_ms(context.common.timeout_ms);
  options.connection.request_timeout = from_ms(context.common.timeout_ms);
  options.retry_timeout = from_ms(context.common.timeout_ms);
  Context* pointer = &context;
  return context.host.run_on_loop(
      [pointer, options = std::move(options), verb = std::move(verb)](io::Loop* loop) mutable {
        return run_verb(loop, pointer, std::move(options), std::move(verb));
      });
}

Outcome<void> confirm(Context& context, bool yes, const std::string& action, const std::string& name) {
  if (yes) return {};
  if (!context.terminal.in_is_tty())
    return Err(usage(fmt::format("{} needs to be confirmed", action), "add --yes if you mean it"));
  std::string typed = context.terminal.ask(fmt::format("{}: type '{}' to go on: ", action, name));
  if (typed == name) return {};
  return Err(Failure{Exit::kFailed, "nothing was done", fmt::format("'{}' is not '{}'", typed, name), {}});
}

}  // namespace milena::cli
