#include "cli/context.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/checks.h"

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

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

void add_output_options(CLI::App& app, Context& context) {
  app.add_option("-o,--output", context.common.output, "table, wide, json, jsonl, yaml or name")
      ->check(one_of({std::begin(kOutputFormats), std::end(kOutputFormats)}))
      ->type_name("FORMAT")
      ->capture_default_str();
  app.add_option("--color,--colour", context.common.colour, "auto, always or never")
      ->check(one_of({"auto", "always", "never"}))
      ->type_name("WHEN")
      ->capture_default_str();
}

void add_broker_options(CLI::App& app, Context& context) {
  app.add_option("-b,--bootstrap-server,--brokers", context.common.brokers,
                 "servers to begin with, host:port,... (env MILENA_BROKERS)")
      ->check(not_empty())
      ->type_name("SERVERS")
      ->default_str(kDefaultBrokers);
  app.add_option("-F,--client-config,--command-config", context.common.client_config,
                 "a client.properties with bootstrap.servers and more")
      ->check(not_empty())
      ->type_name("FILE");
  app.add_option("-P,--profile", context.common.profile,
                 "the same from ~/.config/milena/NAME.properties (env MILENA_PROFILE)")
      ->check(not_empty())
      ->type_name("NAME");
  app.add_option("--timeout", context.common.timeout_ms, "give up after this many milliseconds")
      ->check(whole_number(1, 3'600'000))
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

Outcome<client::ClusterOptions> cluster_options(const Context& context) {
  auto servers = client::parse_servers(context.common.brokers);
  if (servers.failed())
    return Err(usage("wrong server: " + servers.error(), "write -b host:port, or set MILENA_BROKERS"));
  client::ClusterOptions options;
  options.bootstrap = std::move(*servers);
  options.connection.client_id = "milena-cli";
  options.connection.connect_timeout = from_ms(context.common.timeout_ms);
  options.connection.request_timeout = from_ms(context.common.timeout_ms);
  options.retry_timeout = from_ms(context.common.timeout_ms);
  return options;
}

int run_session(Context& context, std::function<io::Task<int>(Session*)> verb) {
  auto options = cluster_options(context);
  if (options.failed()) return context.fail(options.error());
  Context* pointer = &context;
  return context.host.run_on_loop(
      [pointer, options = std::move(*options), verb = std::move(verb)](io::Loop* loop) mutable {
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
