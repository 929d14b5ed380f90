/// UnknownTaggedFields: tagged fields (KIP-482) that a newer writer put into a persisted record and this
/// release does not know. They are kept and written back, so that rewriting a record loses nothing.
/// Requests and responses drop them instead.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace milena::wire {

struct UnknownTaggedField {
  std::uint32_t tag = 0;
  Bytes data;
  bool operator==(const UnknownTaggedField&) const = default;
};

/// In ascending order of tags.
using UnknownTaggedFields = std::vector<UnknownTaggedField>;

}  // namespace milena::wire
