#include "cli/client_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/properties.h"
#include "cli/rdkafka.h"
#include "wire/apis/metadata.h"

namespace milena::cli {
namespace {

constexpr const char* kServersKey = "bootstrap.servers";

std::string profile_path(const std::string& name) {
  std::string folder = environment("XDG_CONFIG_HOME").value_or(environment("HOME").value_or("") + "/.config");
  return folder + "/milena/" + name + ".properties";
}

// A coroutine cannot keep a reference to what its caller's lambda holds.
io::Task<int> read_text(io::Loop* loop, std::string path, io::IoResult<std::string>* text) {
  *text = loop->disk().read_file(path, 1 << 20);
  co_return 0;
}

Outcome<Properties> read_properties(Context& context, const std::string& path, const std::string& next) {
  io::IoResult<std::string> text = std::string();
  context.host.run_on_loop([&](io::Loop* loop) { return read_text(loop, path, &text); });
  if (text.failed()) {
    Exit exit = text.error().kind == io::ErrorKind::kNotFound ? Exit::kNotFound : Exit::kFailed;
    return Err(Failure{exit, "cannot read the client configuration", text.error().what, next});
  }
  auto properties = parse_properties(*text);
  if (properties.failed())
    return Err(Failure{
        Exit::kFailed, fmt::format("{}:{}", path, properties.error().line), properties.error().message, {}});
  return std::move(*properties);
}

// What no verb can do yet must not be done without it silently.
Outcome<void> check_protocol(const Properties& properties, const std::string& path) {
  auto protocol = properties.find("security.protocol");
  if (protocol == properties.end() || protocol->second == "PLAINTEXT" || protocol->second == "plaintext")
    return {};
  return Err(Failure{Exit::kFailed, fmt::format("{}: security.protocol={}", path, protocol->second),
                     "only PLAINTEXT is there yet", "name a PLAINTEXT listener and remove the key"});
}

// Every verb says the same of a file. Where librdkafka is not installed, those that need it say so.
Outcome<void> drop_foreign(Context& context, const std::string& path) {
  if (context.client_properties.empty()) return {};
  auto library = RdKafka::load();
  if (library.failed()) return {};
  auto foreign = take_out_foreign(*library, context.client_properties);
  if (foreign.failed()) {
    Failure failure = foreign.error();
    failure.what = path + ": " + failure.what;
    return Err(std::move(failure));
  }
  if (!foreign->empty())
    context.terminal.talk(
        fmt::format("warning: {}: left out, not known here: {}\n", path, fmt::join(*foreign, ", ")));
  return {};
}

io::Task<int> ask_any(io::Loop* loop, client::ClusterOptions options,
                      client::ClientResult<client::ConnectionPtr>* to) {
  client::Cluster cluster(*loop, std::move(options));
  *to = co_await cluster.any();
  if (to->failed()) co_return 0;
  auto version = (**to)->choose<wire::MetadataApi>();  // what clients ask first; a controller's port has it not
  if (version.failed()) *to = Err(std::move(version.error()));
  else *to = client::ConnectionPtr();  // it ends with the loop
  co_return 0;
}

}  // namespace

Outcome<void> load_client_config(Context& context) {
  CommonOptions& common = context.common;
  if (!common.client_config.empty() && !common.profile.empty())
    return Err(usage("-F and -P exclude each other", "put all settings into one file"));
  std::optional<std::string> brokers = environment("MILENA_BROKERS");
  std::string profile = common.profile;
  if (profile.empty() && common.client_config.empty() && !brokers)
    profile = environment("MILENA_PROFILE").value_or("");
  std::string path = common.client_config;
  std::string next = "name a file that is there with -F";
  if (!profile.empty()) {
    path = profile_path(profile);
    next = fmt::format("write it: echo bootstrap.servers=HOST:PORT > {}", path);
  }
  if (!path.empty()) {
    TRY_ASSIGN(Properties properties, read_properties(context, path, next));
    TRY(check_protocol(properties, path));
    if (auto servers = properties.find(kServersKey); servers != properties.end()) brokers = servers->second;
    properties.erase(kServersKey);
    context.client_properties.assign(properties.begin(), properties.end());
    TRY(drop_foreign(context, path));
  }
  if (common.brokers.empty()) common.brokers = brokers.value_or(kDefaultBrokers);
  return {};
}

Outcome<void> reach_brokers(Context& context) {
  TRY_ASSIGN(client::ClusterOptions options, cluster_options(context));
  client::ClientResult<client::ConnectionPtr> answer = client::ConnectionPtr();
  context.host.run_on_loop([&](io::Loop* loop) { return ask_any(loop, std::move(options), &answer); });
  if (answer.failed()) {
    bool there = answer.error().kind == client::ErrorKind::kUnsupported;
    return Err(client_failure(there ? "this server cannot be used" : "no server answers", answer.error()));
  }
  return {};
}

}  // namespace milena::cli
