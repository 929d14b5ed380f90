/// GroupAdmin: groups without members, as tools use them: commits offsets in their names, reads them back, deletes
/// the groups and makes them again.
#pragma once

#include "client_side.h"

namespace milena::sim {

/// Runs until the clients are told to stop.
io::Task<void> run_group_admin(Clients* clients);

}  // namespace milena::sim
