/// PlainProducer: a producer as the simplest clients are: no producer id, acks=1, each batch sent once, up to three
/// requests in flight. What the broker acknowledged is in the log as long as the page cache is kept.
#pragma once

#include "client_side.h"

namespace milena::sim {

/// Runs until the clients are told to stop. REQUIRES: sender >= kFirstPlainSender.
io::Task<void> run_plain_producer(Clients* clients, std::uint32_t sender, std::vector<PartitionRef> partitions);

}  // namespace milena::sim
