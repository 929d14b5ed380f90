/// StandIns: bytes that take the place of records in a response while it is encoded. They have the records' size and no
/// content: nothing may read them. They are slices of one big block whose pages are never touched, and so take no memory.
/// Threads: one loop.
#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "base/check.h"
#include "replica/records.h"

namespace milena::broker {

class StandIns {
 public:
  /// REQUIRES: 0 < size <= Records::kPartsMax.
  Bytes make(std::size_t size) {
    CHECK(size > 0 && size <= replica::Records::kPartsMax, "no stand-in for {} bytes", size);
    if (block_.size() == 0) block_.resize(replica::Records::kPartsMax);
    return block_.share(0, size);
  }
  bool is_one(const Bytes& bytes) const { return bytes.data() == block_.data() && !bytes.empty(); }

 private:
  Buffer block_;
};

}  // namespace milena::broker
