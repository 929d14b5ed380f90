/// Producer: an idempotent producer of one partition or of several, as Kafka's clients are: numbered batches, up
/// to five requests in flight, each to some of the partitions, the same batches again after any failure (in
/// requests of another shape), a new producer id when the broker says that sequences do not follow (after looking
/// up which of its records are there).
#pragma once

#include "client_side.h"

namespace milena::sim {

/// Runs until the clients are told to stop and all that was sent is acknowledged.
io::Task<void> run_producer(Clients* clients, std::uint32_t sender, std::vector<PartitionRef> partitions,
                            int in_flight);

}  // namespace milena::sim
