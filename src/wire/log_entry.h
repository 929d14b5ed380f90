/// Entries of a log segment, of whatever format: v2 batches (record_batch.h), and the messages and wrappers
/// that older brokers left there (legacy_message.h). What a scan needs of each: how long, which offsets,
/// which timestamp, whether intact.
///
/// Views borrow and nothing allocates. Threads: values.
#pragma once

#include <optional>

#include "wire/legacy_message.h"
#include "wire/record_batch.h"

namespace milena::wire {

class LogEntryView {
 public:
  /// The entry at the front of `bytes`; the CRC is not checked.
  static Result<LogEntryView, BatchError> parse(ByteView bytes) {
    LogEntryView entry;
    auto batch = BatchView::parse(bytes);
    if (!batch.failed()) {
      entry.is_batch_ = true;
      entry.batch_ = *batch;
      return entry;
    }
    if (batch.error() != BatchError::kLegacyFormat) return Err(batch.error());
    auto legacy = LegacyEntryView::parse(bytes);
    if (legacy.failed()) return Err(legacy.error());
    entry.legacy_ = *legacy;
    return entry;
  }

  bool is_batch() const { return is_batch_; }
  /// REQUIRES: is_batch().
  const BatchView& batch() const { return batch_; }
  /// REQUIRES: !is_batch().
  const LegacyEntryView& legacy() const { return legacy_; }

  std::size_t size() const { return is_batch_ ? batch_.size() : legacy_.size(); }
  ByteView bytes() const { return is_batch_ ? batch_.bytes() : legacy_.bytes(); }
  Offset last_offset() const { return is_batch_ ? batch_.last_offset() : legacy_.offset(); }
  /// Exact but for a compressed legacy wrapper, whose first offset only LegacyReader knows: nullopt.
  std::optional<Offset> base_offset() const {
    if (is_batch_) return batch_.base_offset();
    if (legacy_.compressed()) return std::nullopt;
    return legacy_.offset();
  }
  Timestamp max_timestamp() const { return is_batch_ ? batch_.max_timestamp() : legacy_.timestamp(); }
  /// kNoEpoch before v2.
  Epoch leader_epoch() const { return is_batch_ ? batch_.leader_epoch() : kNoEpoch; }
  bool crc_ok() const { return is_batch_ ? batch_.crc_ok() : legacy_.crc_ok(); }

 private:
  bool is_batch_ = false;
  BatchView batch_;
  LegacyEntryView legacy_;
};

/// Walks the entries that lie one behind the other in `bytes`.
class LogEntryCursor {
 public:
  explicit LogEntryCursor(ByteView bytes) : rest_(bytes), total_(bytes.size()) {}
  /// False: no further entry; error() tells whether the bytes were used up (nullopt) or not.
  [[nodiscard]] bool next(LogEntryView& entry) {
    if (rest_.empty() || error_.has_value()) return false;
    auto parsed = LogEntryView::parse(rest_);
    if (parsed.failed()) {
      error_ = parsed.error();
      return false;
    }
    entry = *parsed;
    rest_ = rest_.subspan(entry.size());
    return true;
  }
  std::optional<BatchError> error() const { return error_; }
  /// Bytes walked: the valid prefix.
  std::size_t position() const { return total_ - rest_.size(); }

 private:
  ByteView rest_;
  std::size_t total_;
  std::optional<BatchError> error_;
};

}  // namespace milena::wire
