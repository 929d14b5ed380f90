// What the fuzz target `files` tries: every reader of a file, of a stored record, of the configuration and of
// HTTP.
//
// One list, so that the target, the seeds and make_corpus.py (which reads it from here) choose the same
// loader by byte 0 of an input. A new loader goes to the end: inputs that are kept name its place.
#pragma once

#include <cstdint>

#include "base/bytes.h"

// clang-format off
#define MILENA_FUZZ_LOADERS(X) \
  X(offset_checkpoint)         \
  X(epoch_checkpoint)          \
  X(producer_snapshot)         \
  X(txn_index)                 \
  X(segment_index)             \
  X(quorum_state)              \
  X(flat_json)                 \
  X(metadata_snapshot)         \
  X(metadata_batches)          \
  X(metadata_frames)           \
  X(meta_properties)           \
  X(properties)                \
  X(names)                     \
  X(log_directory)             \
  X(partition_directory)       \
  X(manifest)                  \
  X(manifest_marks)            \
  X(epoch_journal)             \
  X(group_records)             \
  X(control_records)           \
  X(metadata_directory)        \
  X(server_properties)         \
  X(config_value)              \
  X(addresses)                 \
  X(http_target)               \
  X(http_request)
// clang-format on

namespace milena::fuzz {

/// Byte 0 of an input, modulo how many there are.
enum class Loader : std::uint8_t {
#define MILENA_FUZZ_LOADER(name) name,
  MILENA_FUZZ_LOADERS(MILENA_FUZZ_LOADER)
#undef MILENA_FUZZ_LOADER
};

// Their sources say what form each expects of an input's rest.
#define MILENA_FUZZ_LOADER(name) void name(ByteView input);
MILENA_FUZZ_LOADERS(MILENA_FUZZ_LOADER)
#undef MILENA_FUZZ_LOADER

/// Puts the CRC of every v2 batch right, until something is no batch.
void fix_crcs(MutableByteView bytes);

}  // namespace milena::fuzz
