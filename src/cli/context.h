/// Context: what a verb works with: the terminal, the options every verb has, and a session with a cluster.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "client/cluster.h"

namespace CLI {
class App;
}

namespace milena::cli {

inline constexpr const char* kDefaultBrokers = "localhost:9092";

struct CommonOptions {
  std::string brokers;        // -b; once the command line is parsed: what to use (client_config.h)
  std::string client_config;  // -F
  std::string profile;        // -P
  std::string output = "table";
  std::string colour = "auto";
  std::int64_t timeout_ms = 10'000;
};

struct Context {
  explicit Context(const Host& the_host) : host(the_host) {}
  const Host& host;
  Terminal terminal;
  CommonOptions common;
  std::function<int()> action;  // the verb that the command line chose
  /// For librdkafka, from the client configuration; weaker than -X.
  std::vector<std::pair<std::string, std::string>> client_properties;

  OutputFormat format() const { return parse_output_format(common.output).value_or(OutputFormat::kTable); }
  /// Prints the failure and returns its exit code.
  int fail(const Failure& failure);
  /// Prints the rows in the chosen form.
  void print(const std::vector<Column>& columns, const std::vector<Json>& rows);
};

/// One verb's work with a cluster, on the loop.
class Session {
 public:
  Session(Context& context, io::Loop& loop, client::ClusterOptions options)
      : context_(context), cluster_(loop, std::move(options)) {}
  Context& context() { return context_; }
  client::Cluster& cluster() { return cluster_; }
  std::int32_t timeout_ms() const { return static_cast<std::int32_t>(context_.common.timeout_ms); }
  int fail(const Failure& failure) { return context_.fail(failure); }
  int fail(std::string what, const client::ClientError& error) {
    return fail(client_failure(std::move(what), error));
  }

 private:
  Context& context_;
  client::Cluster cluster_;
};

/// "1 partition", "2 partitions".
std::string counted(std::size_t count, std::string_view what);

/// Options of every verb that prints; with_brokers adds those that talk to a cluster.
void add_output_options(CLI::App& app, Context& context);
void add_broker_options(CLI::App& app, Context& context);

/// How to reach the cluster that was asked for. Errors: usage, a wrong -b.
Outcome<client::ClusterOptions> cluster_options(const Context& context);

/// Runs `verb` with a session on the brokers that were asked for.
int run_session(Context& context, std::function<io::Task<int>(Session*)> verb);

/// Agreement to something that cannot be undone: --yes, or typing `name` at a terminal.
/// Errors: usage, where nobody can be asked; kFailed, when something else was typed.
Outcome<void> confirm(Context& context, bool yes, const std::string& action, const std::string& name);

}  // namespace milena::cli
