/// The reading half of Fetch: reads partitions wherever their loops are, and waits for more where there is not
/// enough yet.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "broker/fetch_sessions.h"
#include "broker/request_context.h"
#include "replica/types.h"

namespace milena::broker {

struct FetchSlot {
  FetchKey key;
  wire::ErrorCode refused = wire::ErrorCode::NONE;  // not NONE: nothing is read
  replica::ReadRequest read;
  replica::ReadResult result;
};

struct FetchLimits {
  std::size_t min_bytes = 1;
  std::size_t max_bytes = 0;
  Instant deadline;
};

/// Fills in the results. Reads every slot once, then again only those whose partition has moved. Ends when min_bytes
/// are there, a partition has an error (a lost leadership is one) or has diverged, nothing can come any more, or the
/// deadline passes; what moved unseen until then is read first.
io::Task<void> read_until_enough(RequestContext context, std::shared_ptr<std::vector<FetchSlot>> slots,
                                 FetchLimits limits);

}  // namespace milena::broker
