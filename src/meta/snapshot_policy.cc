#include "meta/snapshot_policy.h"

namespace milena::meta {

void SnapshotPolicy::committed(std::int64_t bytes, Instant now) {
  if (bytes_ == 0) since_ = now;
  bytes_ += bytes;
}

bool SnapshotPolicy::due(const Settings& settings, Instant now) const {
  if (bytes_ == 0) return false;
  return bytes_ >= settings.snapshot_bytes || now >= next_deadline(settings);
}

void SnapshotPolicy::taken(Instant now) {
  bytes_ = 0;
  since_ = now;
}

Instant SnapshotPolicy::next_deadline(const Settings& settings) const {
  if (bytes_ == 0 || settings.snapshot_interval == Duration(0)) return Instant::never();
  return since_ + settings.snapshot_interval;
}

}  // namespace milena::meta
