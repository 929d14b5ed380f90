/// ConfigAdmin: changes topic configurations while all goes on: retention.bytes of the topics that have one,
/// and max.message.bytes of a topic of its own. A value that was acknowledged is what DescribeConfigs tells,
/// also after a restart, and what the broker acts on.
#pragma once

#include "client_side.h"

namespace milena::sim {

/// Runs until the clients are told to stop.
io::Task<void> run_config_admin(Clients* clients);

}  // namespace milena::sim
