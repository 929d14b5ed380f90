/// Replays what a read of `__consumer_offsets` returned into a group machine.
#pragma once

#include "base/bytes.h"
#include "group/groups.h"
#include "io/log.h"
#include "wire/compression.h"

namespace milena::replica {

/// Applies every record from `from` on; a record that cannot be read is reported and left out, as Kafka does.
/// Transaction markers end the pending offsets of their producer. A batch cut short at the end is left out.
/// Returns the offset behind the last whole batch; `from` if there was none.
Offset replay_group_records(io::Log& diagnostics, group::Groups& groups, ByteView batches, Offset from,
                            wire::CompressionScratch& scratch);

}  // namespace milena::replica
