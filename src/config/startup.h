/// What a start has to say about its configuration: warnings, and reasons to refuse it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/kafka_config.h"

namespace milena::config {

/// One line each, to be logged once:
/// - keys nobody knows, all in one line, with "did you mean" for a key within two edits;
/// - keys that Milena accepts and does not act on yet and that differ from their default, all in one line;
///   (a setting without a source is the program's own, and nobody needs to be told);
/// - metric reporters, which are ignored; time limits that will not work well together.
std::vector<std::string> startup_warnings(const KafkaConfig& config);

/// The keys whose dynamic values differ between the two and do nothing while a node runs, in one line; "": none.
std::string dynamic_keys_without_effect(const KafkaConfig& before, const KafkaConfig& now);

/// Why Milena must not start with this configuration, each with the key and what to do; empty: it may. These
/// are configurations that are right for Kafka and that Milena would serve wrongly: a listener that is not
/// PLAINTEXT, an authorizer, tiered storage, Java plug-ins, more than one voter, a role left to other nodes.
ConfigErrors startup_refusals(const KafkaConfig& config);

/// True where the configured authorizer lets everybody do everything only as long as no ACL is stored: the
/// metadata must then hold none.
bool must_have_no_acls(const KafkaConfig& config);

/// The known broker key that `name` was probably meant to be, or "": for a topic's key the broker's, else the
/// closest one within two edits.
std::string suggest_key(std::string_view name);

}  // namespace milena::config
