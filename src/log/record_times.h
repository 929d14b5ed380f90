/// Looking into one entry for the record with a given time (ListOffsets).
#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"
#include "log/error.h"

namespace milena::log {

struct RecordTime {
  Offset offset{0};
  Timestamp timestamp = kNoTimestamp;
};

/// The first record of `entry` (a whole batch or legacy message) with offset >= `from` and timestamp >=
/// `target`. Errors: kCorrupt: the records cannot be read.
LogResult<std::optional<RecordTime>> first_record_at_or_after(ByteView entry, Timestamp target, Offset from);

}  // namespace milena::log
