/// Admin: creates the topics of a run, and while it lasts creates and deletes others.
#pragma once

#include "client_side.h"

namespace milena::sim {

/// Creates all of the history's topics and fills in their ids; sets `done` when all are there.
io::Task<void> create_topics(Clients* clients, Overrides configs, bool* done);
/// Creates and deletes topics nobody writes to, until the clients are told to stop.
io::Task<void> run_admin(Clients* clients);

}  // namespace milena::sim
