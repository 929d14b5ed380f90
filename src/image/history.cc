#include "image/history.h"

#include <utility>

#include "base/check.h"

namespace milena::image {

ImageHistory::ImageHistory(Image start) : committed_(std::move(start)) {}

Result<void, ReplayError> ImageHistory::append(std::span<const MetadataRecord> records, Offset last_offset,
                                               Epoch epoch, Timestamp timestamp) {
  Replayer next = uncommitted_.empty() ? committed_ : uncommitted_.back().state;
  TRY_ASSIGN(Delta delta, next.apply(records, last_offset, epoch, timestamp));
  uncommitted_.push_back({std::move(next), std::move(delta)});
  return {};
}

std::optional<Delta> ImageHistory::commit(Offset high_watermark) {
  std::optional<Delta> visible;
  while (!uncommitted_.empty() && uncommitted_.front().state.image().offset < high_watermark) {
    Entry& entry = uncommitted_.front();
    committed_ = std::move(entry.state);
    if (!visible.has_value()) visible = std::move(entry.delta);
    else visible->merge(entry.delta);
    uncommitted_.pop_front();
  }
  return visible;
}

void ImageHistory::truncate(Offset end_offset) {
  CHECK(committed_.image().offset < end_offset, "truncation to {} below the committed {}", end_offset,
        committed_.image().offset);
  while (!uncommitted_.empty() && uncommitted_.back().state.image().offset >= end_offset) uncommitted_.pop_back();
}

const Image& ImageHistory::latest() const {
  return uncommitted_.empty() ? committed_.image() : uncommitted_.back().state.image();
}

bool ImageHistory::in_transaction() const {
  return (uncommitted_.empty() ? committed_ : uncommitted_.back().state).in_transaction();
}

}  // namespace milena::image
