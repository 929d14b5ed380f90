/// The reading half of Fetch: reads what is ready of a session's partitions, wherever their loops are, and waits for
/// more where there is not enough yet.
#pragma once

#include <cstddef>
#include <vector>

#include "broker/fetch_sessions.h"
#include "broker/request_context.h"
#include "replica/types.h"

namespace milena::broker {

/// A partition that was ready, and what was found there.
struct FetchSlot {
  FetchPartition* partition = nullptr;
  FetchPlace place;
  replica::ReadResult result;
};

struct FetchLimits {
  std::size_t min_bytes = 1;
  std::size_t max_bytes = 0;
  Instant deadline;
  bool read_committed = false;
  bool follower = false;
};

/// Reads what is ready, then again what gets ready, until min_bytes are there, a partition has an error (a lost
/// leadership is one) or has diverged, nothing can come any more, or the deadline passes; what moved unseen until then
/// is read first. The slots come in no order, one per partition.
///
/// Requests on one session read one after the other: a newer one ends the wait of the older one, which is then not
/// current (FetchPlan::is_current) and gets no slots.
/// REQUIRES: plan and slots outlive the task.
io::Task<void> read_until_enough(RequestContext context, FetchPlan* plan, FetchLimits limits,
                                 std::vector<FetchSlot>* slots);

}  // namespace milena::broker
