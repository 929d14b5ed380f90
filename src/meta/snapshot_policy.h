/// When to write a snapshot of the metadata log: after enough bytes of records, or enough time with a change.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "meta/settings.h"

namespace milena::meta {

class SnapshotPolicy {
 public:
  /// Every committed data batch.
  void committed(std::int64_t bytes, Instant now);
  bool due(const Settings& settings, Instant now) const;
  void taken(Instant now);
  Instant next_deadline(const Settings& settings) const;

 private:
  std::int64_t bytes_ = 0;
  Instant since_;
};

}  // namespace milena::meta
