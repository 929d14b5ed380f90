/// Where a cluster's clients take their settings from: a file in the form of Kafka's client.properties, named
/// with -F, or a profile: the file NAME.properties in $XDG_CONFIG_HOME/milena (~/.config/milena), chosen with
/// -P or MILENA_PROFILE.
///
/// `bootstrap.servers` tells every verb where the cluster is; the other keys are librdkafka's and go to
/// produce and consume. What librdkafka does not know, as a Java client's file has it, is left out with a
/// warning. The strongest says: -b, then -F or -P, then MILENA_BROKERS, then MILENA_PROFILE, then
/// localhost:9092.
#pragma once

#include "cli/context.h"

namespace milena::cli {

/// Fills context.common.brokers and context.client_properties. Called once the command line is parsed.
/// Errors: usage (both -F and -P), a file that is not there (kNotFound) or cannot be understood.
Outcome<void> load_client_config(Context& context);

/// Asks one broker whether it is there, so that a wrong address is told at once and in plain words.
/// Errors: as a verb of `topic` has them.
Outcome<void> reach_brokers(Context& context);

}  // namespace milena::cli
