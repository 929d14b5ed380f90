// The parts of the fuzz target `files` that read text: the configuration, and HTTP requests.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/endian.h"
#include "base/properties.h"
#include "config/address.h"
#include "config/embedded_default.h"
#include "config/kafka_config.h"
#include "config/listeners.h"
#include "config/log_config.h"
#include "config/providers.h"
#include "config/server_config.h"
#include "config/settings.h"
#include "config/startup.h"
#include "config/value.h"
#include "io/asio/http_parser.h"
#include "io/http.h"
#include "loaders.h"

namespace milena::fuzz {
namespace {

std::string written(const config::Address& address) {
  bool v6 = address.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", address.host, v6 ? "]" : "", address.port);
}

config::ProviderSources sources() {
  config::ProviderSources sources;
  sources.read_file = [](const std::string& path) -> Result<std::string, std::string> {
    if (path.size() % 2 == 0) return Err("there is no file " + path);
    return "key=value\n" + path + "=1\n";
  };
  sources.environment_variable = [](const std::string& name) -> std::optional<std::string> {
    return name.size() % 2 == 0 ? std::nullopt : std::optional("value of " + name);
  };
  return sources;
}

/// One that cannot be compared, or is written with fewer digits than it has.
bool inexact(const config::Value& value) {
  return std::holds_alternative<double>(value);
}

std::string escaped(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (unsigned char c : text) {
    out += '%';
    out += kDigits[c >> 4];
    out += kDigits[c & 15];
  }
  return out;
}

struct Parsed {
  bool done = false;
  bool keep_alive = false;
  bool taken = false;
  int failure = 0;
  std::size_t used = 0;
  io::HttpRequest request;
};

io::HttpLimits small_limits() {
  io::HttpLimits limits;
  limits.header_bytes = 1024;
  limits.body_bytes = 512;
  return limits;
}

/// As the server does it: what came is fed again until the parser takes nothing.
Parsed parse_request(ByteView bytes, std::size_t piece, const io::HttpLimits& limits) {
  io::HttpParser parser(limits);
  Parsed parsed;
  std::string received;
  for (std::size_t at = 0; at < bytes.size() && parser.failure() == 0 && !parser.done();) {
    std::size_t size = std::min(piece, bytes.size() - at);
    received += as_text(bytes.subspan(at, size));
    at += size;
    while (std::size_t used = parser.feed(as_bytes(received))) {
      CHECK(used <= received.size(), "took {} of {} bytes", used, received.size());
      parsed.used += used;
      received.erase(0, used);
    }
    (void)parser.wants_continue();
  }
  parsed.failure = parser.failure();
  parsed.done = parser.failure() == 0 && parser.done();
  if (!parsed.done) return parsed;
  parsed.keep_alive = parser.keep_alive();
  parsed.taken = parser.take(&parsed.request);
  CHECK(parsed.request.body.size() <= limits.body_bytes, "a body above its limit");
  return parsed;
}

}  // namespace

// A server.properties: u8 flags (1 on top of what a node without a file has, 2 as variables, too, 4 with
// warnings, which take the longest), text of up to 2 KiB. The steps of a start.
void server_properties(ByteView input) {
  if (input.empty() || input.size() > 2048) return;
  auto properties = parse_properties(as_text(input.subspan(1)));
  if (properties.failed()) return;
  config::Settings settings = config::settings_from_file(*properties, "server.properties");
  if ((input[0] & 2) != 0) {
    std::map<std::string, std::string> environment(properties->begin(), properties->end());
    settings = config::merge(std::move(settings), config::settings_from_environment(environment));
  }
  if ((input[0] & 1) != 0) settings = config::merge(config::embedded_default(9092, settings), settings);
  auto resolved = config::resolve_providers(std::move(settings), sources());
  if (resolved.failed()) return;
  auto parsed = config::KafkaConfig::parse(std::move(*resolved));
  if (parsed.failed()) return;
  bool refused = !config::startup_refusals(*parsed).empty();
  if ((input[0] & 4) != 0) (void)config::startup_warnings(*parsed);
  (void)config::read_listeners(*parsed);
  config::ConfigErrors ignored;
  config::KafkaConfig changed = parsed->with_dynamic(*properties, {}, &ignored);
  (void)config::dynamic_keys_without_effect(*parsed, changed);
  (void)config::log_config(changed, *properties);
  if (refused) return;
  auto server = config::server_config(*parsed);
  CHECK(server.failed() || !server->listeners.bind.empty(), "a node without listeners");
}

// u8 scope, u16 number of the key, text of the value.
void config_value(ByteView input) {
  if (input.size() < 3) return;
  constexpr config::Scope kScopes[] = {config::Scope::kBroker, config::Scope::kTopic, config::Scope::kGroup,
                                       config::Scope::kClientMetrics};
  auto keys = config::keys(kScopes[input[0] % std::size(kScopes)]);
  const config::Key& key = keys[load_be<std::uint16_t>(input.data() + 1) % keys.size()];
  auto value = config::parse_value(key, as_text(input.subspan(3)));
  if (value.failed()) return;
  auto again = config::parse_value(key, config::format_value(*value));
  CHECK(again.has_value() && (inexact(*value) || *again == *value), "{}: a value changes", key.name);
}

// The text of an address, a voter, a listener, limits of hosts, key=value.
void addresses(ByteView input) {
  std::string_view text = as_text(input);
  if (auto address = config::parse_address(text)) {
    CHECK(config::parse_address(written(*address)) == address, "an address changes");
  }
  for (const std::string& entry : config::split_list(text)) {
    if (auto voter = config::parse_voter(entry)) {
      CHECK(config::parse_voter(fmt::format("{}@{}", voter->id.value(), written(voter->address))) == voter,
            "a voter changes");
    }
    if (auto listener = config::parse_listener(entry)) {
      CHECK(config::parse_listener(listener->name + "://" + written(listener->address)) == listener,
            "a listener changes");
    }
  }
  if (auto limits = config::parse_host_limits(text)) {
    std::string list;
    for (const auto& [host, limit] : *limits)
      list += fmt::format("{}{}:{}", list.empty() ? "" : ",", host, limit);
    CHECK(config::parse_host_limits(list) == limits, "limits of hosts change");
  }
  if (auto pair = config::parse_override(text); pair.has_value()) {
    CHECK(!pair->first.empty(), "a setting without a key");
    (void)config::settings_from_overrides({*pair});
  }
  (void)config::environment_key(text);
}

// A request's target.
void http_target(ByteView input) {
  std::string_view text = as_text(input);
  for (bool plus : {false, true}) {
    std::string decoded;
    if (!io::decode_percent(text, plus, &decoded)) continue;
    std::string again;
    CHECK(io::decode_percent(escaped(decoded), plus, &again) && again == decoded, "an escaped text changes");
  }
  io::HttpRequest request;
  if (!io::parse_target(text, &request)) return;
  std::string target =
      "/" + escaped(std::string_view(request.path).substr(std::min<std::size_t>(1, request.path.size())));
  io::HttpRequest again;
  CHECK(io::parse_target(target, &again) && again.path == request.path, "a path changes");
}

// u8 size of the pieces it comes in, requests. The pieces do not matter for what is a request; what is none
// may be refused sooner where more of it is seen at once.
void http_request(ByteView input) {
  if (input.empty()) return;
  std::size_t piece = std::size_t{input[0]} + 1;
  input = input.subspan(1);
  (void)parse_request(input, piece, small_limits());
  for (int requests = 0; requests < 8 && !input.empty(); ++requests) {
    Parsed whole = parse_request(input, input.size(), {});
    Parsed pieces = parse_request(input, piece, {});
    CHECK(whole.done == pieces.done, "whole: done {}, failure {}; in pieces of {}: done {}, failure {}",
          whole.done, whole.failure, piece, pieces.done, pieces.failure);
    if (!whole.done) return;
    CHECK(whole.used == pieces.used && whole.keep_alive == pieces.keep_alive && whole.taken == pieces.taken &&
              whole.request.method == pieces.request.method && whole.request.path == pieces.request.path &&
              whole.request.query == pieces.request.query &&
              whole.request.headers == pieces.request.headers && whole.request.body == pieces.request.body,
          "a request that comes in pieces of {} is another one", piece);
    if (!whole.taken || !whole.keep_alive) return;
    input = input.subspan(whole.used);
  }
}

}  // namespace milena::fuzz
