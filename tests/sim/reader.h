/// Reading back over the wire, without retries: nullopt when the broker could not be asked.
#pragma once

#include <optional>
#include <set>

#include "client_side.h"

namespace milena::sim {

/// All of the partition from its start up to the high watermark at the end of the log. Damage is a violation.
io::Task<std::optional<History::Content>> read_log(Clients* clients, PartitionRef where);
/// The partition's log start offset.
io::Task<std::optional<std::int64_t>> earliest_offset(Clients* clients, client::Connection* connection,
                                                      PartitionRef where);
/// Its high watermark.
io::Task<std::optional<std::int64_t>> latest_offset(Clients* clients, client::Connection* connection,
                                                    PartitionRef where);
/// Takes the records of one Fetch answer apart; false (and a violation) when they are damaged.
bool take_records(History& history, PartitionRef where, ByteView records, std::int64_t from,
                  History::Log& into);
/// The names of all topics.
io::Task<std::optional<std::set<std::string>>> list_topics(Clients* clients);
/// Looks for the group's coordinator; the first such question makes the topic of the offsets. False: not now.
io::Task<bool> find_coordinator(Clients* clients, client::Connection* connection, std::string group);
/// The group's committed offsets of all partitions; -1 where there is none.
io::Task<std::optional<std::map<PartitionRef, std::int64_t>>> committed_offsets(Clients* clients,
                                                                                std::string group);

}  // namespace milena::sim
