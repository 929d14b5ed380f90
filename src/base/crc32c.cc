#include "base/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>
#include <climits>

namespace milena {

std::uint32_t crc32c(ByteView bytes, std::uint32_t previous) {
  // isa-l takes an int length and does no inversion of its own.
  std::uint32_t crc = ~previous;
  while (!bytes.empty()) {
    std::size_t n = std::min<std::size_t>(bytes.size(), INT_MAX / 2);
    crc = crc32_iscsi(const_cast<unsigned char*>(bytes.data()), static_cast<int>(n), crc);
    bytes = bytes.subspan(n);
  }
  return ~crc;
}

}  // namespace milena
