#include "broker/fetch_reader.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "io/signal.h"

namespace milena::broker {
namespace {

using replica::LoopPartitions;
using wire::ErrorCode;

io::Task<std::vector<replica::ReadResult>> read_there(LoopPartitions* there,
                                                      std::vector<replica::ReadRequest> requests, std::size_t bytes) {
  co_return co_await there->read(std::move(requests), bytes);
}

// Slots by the loop that owns them, in the order of the request.
std::vector<std::vector<std::size_t>> by_loop(const RequestContext& context, const std::vector<FetchSlot>& slots) {
  replica::Partitions& partitions = context.services().partitions;
  std::vector<std::vector<std::size_t>> groups(partitions.loops());
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (slots[i].refused == ErrorCode::NONE) groups[partitions.owner(slots[i].read.id)].push_back(i);
  }
  return groups;
}

io::Task<std::size_t> read_all(RequestContext context, std::shared_ptr<std::vector<FetchSlot>> slots,
                               std::size_t max_bytes) {
  auto groups = by_loop(context, *slots);
  std::size_t total = 0;
  // Loops take turns in going first, so that none starves behind the byte limit.
  for (std::size_t step = 0; step < groups.size(); ++step) {
    std::size_t index = (context.local->index + step) % groups.size();
    const std::vector<std::size_t>& group = groups[index];
    if (group.empty()) continue;
    std::vector<replica::ReadRequest> requests;
    requests.reserve(group.size());
    for (std::size_t i : group) {
      requests.push_back((*slots)[i].read);
      requests.back().at_least_one = total == 0;
    }
    LoopPartitions* there = &context.services().partitions.on_loop(index);
    std::size_t left = max_bytes - std::min(total, max_bytes);
    auto work = [there, left, requests = std::move(requests)]() mutable {
      return read_there(there, std::move(requests), left);
    };
    std::vector<replica::ReadResult> results = co_await io::run_on(there->loop(), std::move(work));
    for (std::size_t k = 0; k < group.size(); ++k) {
      total += results[k].records.size();
      (*slots)[group[k]].result = std::move(results[k]);
    }
  }
  co_return total;
}

// One loop's part of a wait: shared by the waiting side and the fetch, used on `signal`'s loop only.
struct LoopWait {
  explicit LoopWait(io::Loop& loop) : signal(loop) {}
  io::Signal signal;
  bool ready = false;
  bool cancelled = false;
};

class ReadyWatch : public replica::Partition::Watch {
 public:
  explicit ReadyWatch(LoopWait& wait) : wait_(wait) {}

 private:
  void on_ready() override {
    wait_.ready = true;
    wait_.signal.notify_all();
  }
  LoopWait& wait_;
};

struct Seen {
  TopicIdPartition id;
  Offset high_watermark;
  Offset last_stable_offset;
};

io::Task<bool> wait_there(LoopPartitions* there, std::shared_ptr<LoopWait> wait,
                          std::shared_ptr<std::vector<Seen>> seen, Instant deadline) {
  std::deque<ReadyWatch> watches;
  for (const Seen& one : *seen) {
    auto partition = there->find(one.id);
    if (partition == nullptr || !partition->is_leader() || partition->high_watermark() != one.high_watermark ||
        partition->log().last_stable_offset() != one.last_stable_offset) {
      co_return true;  // it moved between the read and now
    }
    watches.emplace_back(*wait);
    partition->add_watch(watches.back());
  }
  while (!wait->ready && !wait->cancelled) {
    bool notified = co_await wait->signal.wait(deadline);
    if (!notified) break;
  }
  co_return wait->ready;
}

// The first loop that is ready wakes the fetch.
struct AnyReady {
  explicit AnyReady(io::Loop& loop) : signal(loop) {}
  io::Signal signal;
  bool ready = false;
  std::size_t running = 0;
};

io::Task<void> wait_one_loop(LoopPartitions* there, std::shared_ptr<LoopWait> wait,
                             std::shared_ptr<std::vector<Seen>> seen, Instant deadline,
                             std::shared_ptr<AnyReady> any) {
  auto work = [there, wait, seen, deadline] { return wait_there(there, wait, seen, deadline); };
  bool ready = co_await io::run_on(there->loop(), std::move(work));
  any->ready = any->ready || ready;
  --any->running;
  any->signal.notify_all();
}

io::Task<bool> wait_for_any(RequestContext context, std::shared_ptr<std::vector<FetchSlot>> slots, Instant deadline) {
  auto groups = by_loop(context, *slots);
  auto any = std::make_shared<AnyReady>(context.loop());
  std::vector<std::pair<LoopPartitions*, std::shared_ptr<LoopWait>>> waits;
  for (std::size_t index = 0; index < groups.size(); ++index) {
    if (groups[index].empty()) continue;
    LoopPartitions* there = &context.services().partitions.on_loop(index);
    auto wait = std::make_shared<LoopWait>(there->loop());
    auto seen = std::make_shared<std::vector<Seen>>();
    for (std::size_t i : groups[index]) {
      const FetchSlot& slot = (*slots)[i];
      seen->push_back({slot.read.id, slot.result.high_watermark, slot.result.last_stable_offset});
    }
    waits.emplace_back(there, wait);
    ++any->running;
    context.loop().spawn(wait_one_loop(there, wait, seen, deadline, any));
  }
  while (!any->ready && any->running > 0) co_await any->signal.wait();
  if (any->running > 0) {
    for (auto& [there, wait] : waits) {
      there->loop().post([wait = wait] {
        wait->cancelled = true;
        wait->signal.notify_all();
      });
    }
  }
  co_return any->ready;
}

}  // namespace

io::Task<void> read_until_enough(RequestContext context, std::shared_ptr<std::vector<FetchSlot>> slots,
                                 FetchLimits limits) {
  while (true) {
    std::size_t bytes = co_await read_all(context, slots, limits.max_bytes);
    bool urgent = std::ranges::any_of(*slots, [](const FetchSlot& slot) {
      return slot.result.error != ErrorCode::NONE || slot.result.diverging.has_value();
    });
    if (bytes >= limits.min_bytes || urgent || slots->empty() || context.loop().now() >= limits.deadline) break;
    if (context.connection_closing()) break;
    bool ready = co_await wait_for_any(context, slots, limits.deadline);
    if (!ready) break;
  }
}

}  // namespace milena::broker
