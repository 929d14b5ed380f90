#include "image/replayer.h"

#include <utility>
#include <variant>

namespace milena::image {

Result<void, ReplayError> Replayer::apply_one(const MetadataRecord& record, std::optional<ImageBuilder>& plain,
                                              Delta& visible) {
  if (std::holds_alternative<wire::BeginTransactionRecord>(record.message)) {
    if (transaction_.has_value()) return Err(ReplayError{"a transaction begins within another"});
    Image base = plain.has_value() ? plain->take_image() : image_;
    if (plain.has_value()) {
      visible.merge(plain->delta());
      plain.reset();
      image_ = base;
    }
    transaction_.emplace(std::move(base));
    return {};
  }
  bool end = std::holds_alternative<wire::EndTransactionRecord>(record.message);
  bool abort = std::holds_alternative<wire::AbortTransactionRecord>(record.message);
  if (end || abort) {
    if (!transaction_.has_value()) return Err(ReplayError{"a transaction ends that did not begin"});
    if (end) {
      visible.merge(transaction_->delta());
      image_ = transaction_->take_image();
    }
    transaction_.reset();
    return {};
  }
  if (transaction_.has_value()) return transaction_->apply(record);
  if (!plain.has_value()) plain.emplace(image_);
  return plain->apply(record);
}

Result<Delta, ReplayError> Replayer::apply(std::span<const MetadataRecord> records, Offset last_offset, Epoch epoch,
                                           Timestamp timestamp) {
  std::optional<ImageBuilder> plain;
  Delta visible;
  for (const MetadataRecord& record : records) TRY(apply_one(record, plain, visible));
  if (plain.has_value()) {
    visible.merge(plain->delta());
    image_ = plain->take_image();
  }
  image_.offset = last_offset;
  image_.epoch = epoch;
  image_.timestamp = timestamp;
  return visible;
}

}  // namespace milena::image
