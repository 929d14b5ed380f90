// The parts of the fuzz target `files` that need a disk: whole directories on a simulated one.
#pragma once

#include "base/bytes.h"

namespace milena::fuzz {

/// A log directory's own files: sections of u8 file, u16 length, content (see kRootFiles in the source).
void log_directory(ByteView input);

/// A partition's directory: u8 flags (1 clean stop, 2 leave CRCs alone, 4 small segments), u8 recovery point,
/// then sections as above (see kPartitionFiles). It is opened, read, appended to, closed and opened again.
void partition_directory(ByteView input);

/// Puts the CRC of every v2 batch right, until something is no batch.
void fix_crcs(MutableByteView bytes);

}  // namespace milena::fuzz
