/// ColdRead: what a look-up lacks that may not wait for the device: pages of a segment's file, or its index.
///
/// A look-up with Waits::kNever that would have to wait fails with kCold. The caller takes the ColdRead
/// (Log::take_cold), runs it on another thread, gives it back (Log::warmed), and makes the look-up again: the
/// answer is then nearer, if not yet there. Where memory is so short that it never comes, kAllowed ends it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "io/disk.h"
#include "log/entry_walker.h"
#include "log/error.h"
#include "log/index_load.h"

namespace milena::log {

enum class Waits : std::uint8_t { kAllowed, kNever };

struct ColdRead {
  ColdRead(bool index, IndexSource of, ColdPages missing, std::uint64_t log_truncations)
      : wants_index(index), source(std::move(of)), pages(missing), truncations(log_truncations) {}

  /// Any thread; once. Errors: as load_index's; for Log::warmed.
  LogResult<void> run(io::Disk& disk);

  bool wants_index;  // or `pages` of source.file
  IndexSource source;
  ColdPages pages;
  std::uint64_t truncations;  // of the log until it was taken: behind another one it is of no use
  std::optional<LoadedIndex> loaded;  // by run()
};

}  // namespace milena::log
