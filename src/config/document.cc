#include "config/document.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/key.h"
#include "config/own_keys.h"
#include "config/status.h"
#include "config/value.h"

namespace milena::config {
namespace {

std::string cell(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string default_text(const Key& key) {
  switch (key.default_value.kind) {
    case Default::Kind::kRequired:
      return "*must be given*";
    case Default::Kind::kNull:
      return "none";
    case Default::Kind::kValue:
      break;
  }
  if (key.default_value.text.empty()) return "empty";
  return fmt::format("`{}`", key.default_value.text);
}

std::string status_text(Scope scope, const Key& key) {
  KeyStatus status = key_status(scope, key.name);
  std::string text(status_name(status.status));
  if (status.status == Status::kRefused) text = "**refused**";
  return status.note.empty() ? text : fmt::format("{}: {}", text, status.note);
}

std::string type_text(const Key& key) {
  std::string allowed = allowed_text(key);
  return allowed.empty() ? std::string(type_name(key.type))
                         : fmt::format("{}, {}", type_name(key.type), allowed);
}

std::string table(Scope scope) {
  bool broker = scope == Scope::kBroker;
  std::string out =
      broker ? "| key | type | default | change | status | what it is |\n|---|---|---|---|---|---|\n"
             : "| key | type | default | status | what it is |\n|---|---|---|---|---|\n";
  for (const Key& key : keys(scope)) {
    if (key.internal) continue;
    std::string change = broker ? fmt::format("{} | ", update_name(key.update)) : "";
    std::string from;
    for (const TopicSynonym& synonym :
         scope == Scope::kTopic ? topic_synonyms(key.name) : std::span<const TopicSynonym>()) {
      from += fmt::format("{}`{}`", from.empty() ? " Broker's default: " : ", ", synonym.broker_key);
    }
    if (!from.empty()) from += ".";
    out += fmt::format("| `{}` | {} | {} | {}{} | {}{} |\n", key.name, cell(type_text(key)),
                       cell(default_text(key)), change, cell(status_text(scope, key)), cell(key.description),
                       from);
  }
  return out;
}

std::string own_table() {
  std::string out = "| key | type | default | what it is |\n|---|---|---|---|\n";
  for (const OwnKey& key : own_keys()) {
    out += fmt::format("| `{}` | {} | `{}` | {} |\n", key.name, key.type, key.default_value, cell(key.description));
  }
  return out;
}

std::string count_line() {
  std::size_t works = 0;
  std::size_t refused = 0;
  std::size_t all = 0;
  for (const Key& key : keys(Scope::kBroker)) {
    if (key.internal) continue;
    Status status = key_status(Scope::kBroker, key.name).status;
    ++all;
    works += status == Status::kWorks ? 1 : 0;
    refused += status == Status::kRefused ? 1 : 0;
  }
  return fmt::format(
      "Of {} public broker keys {} work, {} have no effect yet, and {} are refused when set.\n", all, works,
      all - works - refused, refused);
}

constexpr std::string_view kHead = R"(# Configuration

<!-- Printed by config_document from src/config; do not edit by hand. -->

Milena reads Apache Kafka's `server.properties` and knows every configuration key of Kafka 4.3.1, with its type, its
default and its range. Where a value comes from, later ones winning:

1. Kafka's defaults
2. the properties file
3. the environment: `KAFKA_LOG_RETENTION_MS=...` sets `log.retention.ms` (`_` is a dot, `__` an underscore, `___` a dash)
4. `--override key=value`
5. values changed while the node runs: for all brokers, then for one

Values may name a provider: with `config.providers=file` and
`config.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider`, `${file:/path:key}` is the key
`key` of the properties file `/path`. `DirectoryConfigProvider` (`${directory:/path:file}`) and `EnvVarConfigProvider`
(`${env:NAME}`) are known as well.

Status: **works**: as in Kafka. **no effect yet**: accepted, checked and shown; one warning at the start names those that
differ from their default. **refused**: a value other than the default stops the start, because ignoring it would be wrong.
Unknown keys are named in one warning and ignored.

)";

}  // namespace

std::string configuration_document() {
  return std::string(kHead) + count_line() +
         "\n## Broker\n\n`change`: how it may change while the node runs.\n\n" + table(Scope::kBroker) +
         "\n## Topic\n\n" + table(Scope::kTopic) +
         "\n## Group\n\nThe broker key `group.<key>` gives the default.\n\n" + table(Scope::kGroup) +
         "\n## Client metrics subscription\n\n" + table(Scope::kClientMetrics) +
         "\n## Milena's own\n\nRead at the start; Apache Kafka ignores them.\n\n" + own_table();
}

}  // namespace milena::config
