/// The verbs, each adding its sub-commands and options to the command line. What a command line chose is left
/// in Context::action.
#pragma once

#include "cli/context.h"

namespace milena::cli {

void add_topic_verbs(CLI::App& root, Context& context);
void add_produce_verb(CLI::App& root, Context& context);
void add_consume_verb(CLI::App& root, Context& context);
void add_group_verbs(CLI::App& root, Context& context);
void add_config_verbs(CLI::App& root, Context& context);
void add_feature_verbs(CLI::App& root, Context& context);
void add_log_verbs(CLI::App& root, Context& context);
void add_quorum_verbs(CLI::App& root, Context& context);
void add_status_verb(CLI::App& root, Context& context);
void add_storage_verbs(CLI::App& root, Context& context);
void add_completion_verb(CLI::App& root, Context& context);

}  // namespace milena::cli
