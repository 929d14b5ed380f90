/// RecordsAdmin: deletes the beginnings of partitions (DeleteRecords), and looks whether they are gone at once.
#pragma once

#include "client_side.h"

namespace milena::sim {

/// Runs until the clients are told to stop.
io::Task<void> run_records_admin(Clients* clients);

}  // namespace milena::sim
