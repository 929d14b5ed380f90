/// What the client verbs (`cli`) get from the process: a small runtime of the real world, started for one
/// task.
#pragma once

#include "cli/commands.h"

namespace milena::app {

cli::Host client_host();

}  // namespace milena::app
