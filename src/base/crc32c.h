/// CRC-32C (Castagnoli, RFC 3720 appendix B.4) by isa-l's hardware kernels.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace milena {

/// The checksum of `bytes`; give the checksum of what came before to go on with it.
std::uint32_t crc32c(ByteView bytes, std::uint32_t previous = 0);

}  // namespace milena
