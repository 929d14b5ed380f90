/// Replayer: turns the committed or appended batches of the metadata log into images, one at a time.
///
/// Records between BeginTransaction and EndTransaction (KIP-868) take effect together at the end, and never if
/// the transaction is aborted. `image()` is the state outside of an open transaction: what may be served.
/// Threads: for one thread; images given out are shared freely.
#pragma once

#include <optional>
#include <span>

#include "base/result.h"
#include "image/builder.h"
#include "image/image.h"
#include "image/record.h"

namespace milena::image {

class Replayer {
 public:
  explicit Replayer(Image start = {}) : image_(std::move(start)) {}

  /// Applies the records of one batch whose first record is at `base_offset`. Control batches (records empty)
  /// only move the position. Returns what became visible. Errors: see ImageBuilder; also markers out of order.
  /// `last_offset`: of the batch; may lie above the last record.
  Result<Delta, ReplayError> apply(std::span<const MetadataRecord> records, Offset last_offset, Epoch epoch,
                                   Timestamp timestamp);
  /// Everything visible so far.
  const Image& image() const { return image_; }
  /// A transaction is open: a new leader aborts it (AbortTransactionRecord) before it writes anything else.
  bool in_transaction() const { return transaction_.has_value(); }

 private:
  Result<void, ReplayError> apply_one(const MetadataRecord& record, std::optional<ImageBuilder>& plain,
                                      Delta& visible);
  Image image_;
  std::optional<ImageBuilder> transaction_;
};

}  // namespace milena::image
