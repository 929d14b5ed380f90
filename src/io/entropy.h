/// Entropy: the only source of unpredictable numbers (topic ids, directory ids, member ids).
#pragma once

#include <cstdint>

#include "base/uuid.h"

namespace milena::io {

class Entropy {
 public:
  virtual ~Entropy() = default;
  /// 64 random bits: from the kernel in the real world, from the seed in a simulated one. Any thread.
  virtual std::uint64_t random64() = 0;
  /// A random UUID that Kafka accepts: version 4, not reserved, its text not beginning with '-'.
  Uuid random_uuid();
};

}  // namespace milena::io
