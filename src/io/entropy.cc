#include "io/entropy.h"

namespace milena::io {

Uuid Entropy::random_uuid() {
  while (true) {
    std::uint64_t high = random64();
    std::uint64_t low = random64();
    Uuid id = Uuid::from_random(high, low);
    if (!id.is_reserved() && id.to_string().front() != '-') return id;
  }
}

}  // namespace milena::io
