/// DirectoryAdmin: moves the logs of partitions between the broker's log directories while they are written to
/// (AlterReplicaLogDirs), and looks where they lie (DescribeLogDirs).
#pragma once

#include <optional>

#include "client_side.h"

namespace milena::sim {

/// Runs until the clients are told to stop. REQUIRES: the broker has `directories`, two or more.
io::Task<void> run_directory_admin(Clients* clients, std::vector<std::string> directories);

/// How many logs are copies that have not taken their partitions' places yet; nullopt: the broker could not be
/// asked, or a directory has failed. A partition in two directories is a violation.
io::Task<std::optional<int>> count_unfinished_moves(Clients* clients);

}  // namespace milena::sim
