/// load: the data of a read plan, for a loop that may not wait for the device.
#pragma once

#include "base/bytes.h"
#include "io/disk.h"
#include "io/loop.h"
#include "log/read_plan.h"

namespace milena::replica {

/// At once what is in memory; the rest the pool reads. `loop` is the caller's. Errors: the disk's.
io::Task<io::IoResult<Bytes>> load(io::Loop* loop, log::ReadPlan plan);

}  // namespace milena::replica
