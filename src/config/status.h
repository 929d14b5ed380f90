/// What Milena makes of each key today. The table in status.cc is the one place that says so: who makes a key
/// work moves its row there, and the warnings at start, the refusals and docs/configuration.md follow.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "config/key.h"

namespace milena::config {

enum class Status : std::uint8_t {
  kWorks,        // the node does what Kafka does
  kNoEffectYet,  // accepted, validated and shown, and named in one warning when it differs from the default
  kRefused,      // a value other than the default stops the start: ignoring it would be wrong
};

struct KeyStatus {
  Status status = Status::kNoEffectYet;
  std::string_view note;  // what a user should know or do; may be empty
};

/// The status of a key; kNoEffectYet for a name that is no key.
KeyStatus key_status(Scope scope, std::string_view name);

/// True for a broker key that works and whose new value takes effect while the node runs, where it may change at all.
bool follows_changes(std::string_view broker_key);

/// The keys that have a row in the table, by scope; for the test that each of them exists.
std::vector<std::pair<Scope, std::vector<std::string_view>>> status_rows();

/// "works", "no effect yet", "refused".
std::string_view status_name(Status status);

}  // namespace milena::config
