/// ImageHistory: the images after each appended batch that is not yet committed, so that commands build on what
/// was appended, readers see what is committed, and a truncation falls back to an older image.
///
/// Cost: one image (some twenty pointers and the changed paths) per uncommitted batch. Threads: for one thread.
#pragma once

#include <deque>
#include <optional>

#include "image/replayer.h"

namespace milena::image {

class ImageHistory {
 public:
  explicit ImageHistory(Image start = {});

  /// Applies one appended batch. After an error the history is as before.
  Result<void, ReplayError> append(std::span<const MetadataRecord> records, Offset last_offset, Epoch epoch,
                                   Timestamp timestamp);
  /// Everything below `high_watermark` is committed. Returns what became visible to readers, nothing if nothing.
  std::optional<Delta> commit(Offset high_watermark);
  /// Forgets every batch that ends at or above `end_offset`. REQUIRES: none of them is committed.
  void truncate(Offset end_offset);

  /// For decisions: everything appended (an open transaction aside).
  const Image& latest() const;
  /// For readers.
  const Image& committed() const { return committed_.image(); }
  /// For a new leader, which aborts what the old one left open.
  bool in_transaction() const;

 private:
  struct Entry {
    Replayer state;
    Delta delta;
  };
  Replayer committed_;
  std::deque<Entry> uncommitted_;
};

}  // namespace milena::image
