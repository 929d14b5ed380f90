/// LogSummary: what is to be known of a log to serve it without opening it. Everything it tells of is on disk.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/ids.h"
#include "base/time.h"
#include "io/disk.h"
#include "log/error.h"

namespace milena::log {

struct LogSummary {
  Offset log_start_offset{0};
  /// Also the recovery point, and the high watermark it may have.
  Offset log_end_offset{0};
  /// Of the open transactions, the high watermark being the log end.
  std::optional<Offset> first_unstable_offset;
  std::uint64_t size_bytes = 0;
  /// 0: there is no file yet.
  std::uint32_t segments = 0;
  /// What retention.ms counts from: the largest timestamp of the first segment; kNoTimestamp: unknown, look.
  Timestamp oldest = kNoTimestamp;
  /// The active segment and its .log file.
  Offset active_base{0};
  std::uint64_t inode = 0;
  std::uint64_t active_size = 0;
  std::int64_t mtime_ns = 0;

  bool operator==(const LogSummary&) const = default;
};

/// Opens a log that is asleep: Log::begin_wake.
class Waking {
 public:
  virtual ~Waking() = default;
  /// Any thread; once.
  virtual void run() = 0;
};

}  // namespace milena::log
