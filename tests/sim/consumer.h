/// Consumer: a member of a classic group: joins, takes its share of all partitions, reads on from the
/// committed offsets, heartbeats, commits now and then, starts again when the group rebalances, leaves at the
/// end.
#pragma once

#include "client_side.h"

namespace milena::sim {

io::Task<void> run_consumer(Clients* clients, std::string group, int number);

}  // namespace milena::sim
