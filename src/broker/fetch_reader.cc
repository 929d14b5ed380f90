#include "broker/fetch_reader.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "io/signal.h"

namespace milena::broker {
namespace {

using replica::LoopPartitions;
using wire::ErrorCode;

using Slots = std::shared_ptr<std::vector<FetchSlot>>;
using Places = std::vector<std::size_t>;  // of slots

// The slots of one loop, in the order of the request.
struct Share {
  LoopPartitions* there = nullptr;
  Places places;
};

// Which loop comes first is drawn anew each time: the first one's backlog may fill the whole answer, and none is to
// starve behind it.
std::vector<Share> by_loop(const RequestContext& context, const Slots& slots, const Places& places) {
  replica::Partitions& partitions = context.services().partitions;
  std::vector<Share> shares(partitions.loops());
  std::size_t first = context.local->random.below(shares.size());
  for (std::size_t place : places) {
    std::size_t owner = partitions.owner((*slots)[place].read.id);
    shares[(owner + shares.size() - first) % shares.size()].places.push_back(place);
  }
  for (std::size_t i = 0; i < shares.size(); ++i) {
    shares[i].there = &partitions.on_loop((i + first) % shares.size());
  }
  std::erase_if(shares, [](const Share& share) { return share.places.empty(); });
  return shares;
}

std::size_t bytes_read(const Slots& slots) {
  std::size_t total = 0;
  for (const FetchSlot& slot : *slots) total += slot.result.records.size();
  return total;
}

io::Task<std::vector<replica::ReadResult>> read_there(LoopPartitions* there,
                                                      std::vector<replica::ReadRequest> requests, std::size_t bytes) {
  co_return co_await there->read(std::move(requests), bytes);
}

// Reads these slots; the others keep what they have, which counts against max_bytes. One loop after the other, so
// that each knows what is left.
io::Task<void> read_slots(RequestContext context, Slots slots, Places places, std::size_t max_bytes) {
  for (std::size_t place : places) (*slots)[place].result = replica::ReadResult();
  std::size_t total = bytes_read(slots);
  for (const Share& share : by_loop(context, slots, places)) {
    std::vector<replica::ReadRequest> requests;
    requests.reserve(share.places.size());
    for (std::size_t place : share.places) {
      requests.push_back((*slots)[place].read);
      requests.back().at_least_one = total == 0;
    }
    LoopPartitions* there = share.there;
    std::size_t left = max_bytes - std::min(total, max_bytes);
    auto work = [there, left, requests = std::move(requests)]() mutable {
      return read_there(there, std::move(requests), left);
    };
    std::vector<replica::ReadResult> results = co_await io::run_on(there->loop(), std::move(work));
    for (std::size_t k = 0; k < share.places.size(); ++k) {
      total += results[k].records.size();
      (*slots)[share.places[k]].result = std::move(results[k]);
    }
  }
}

// One loop's part of a wait: shared by the waiting side and the fetch, used on `signal`'s loop only.
struct LoopWait {
  explicit LoopWait(io::Loop& loop) : signal(loop) {}
  io::Signal signal;
  Places woken;
  bool cancelled = false;
};

class ReadyWatch : public replica::Partition::Watch {
 public:
  ReadyWatch(LoopWait& wait, std::size_t place) : wait_(wait), place_(place) {}

 private:
  void on_ready() override {
    wait_.woken.push_back(place_);
    wait_.signal.notify_all();
  }
  LoopWait& wait_;
  std::size_t place_;
};

// A slot and how its partition stood when it was read.
struct Seen {
  std::size_t place;
  TopicIdPartition id;
  Offset high_watermark;
  Offset last_stable_offset;
  Offset log_start;
};

bool moved(const replica::Partition* partition, const Seen& seen) {
  if (partition == nullptr || !partition->is_leader() || partition->log().offline()) return true;
  return partition->high_watermark() != seen.high_watermark || partition->log().log_start_offset() != seen.log_start ||
         partition->log().last_stable_offset() != seen.last_stable_offset;
}

Places all_moved(const LoopPartitions& there, const std::vector<Seen>& seen) {
  Places places;
  for (const Seen& one : seen) {
    if (moved(there.find(one.id).get(), one)) places.push_back(one.place);
  }
  return places;
}

// The slots that are worth reading again, once there are some, or at the deadline.
io::Task<Places> wait_there(LoopPartitions* there, std::shared_ptr<LoopWait> wait,
                            std::shared_ptr<const std::vector<Seen>> seen, Instant deadline) {
  Places places = all_moved(*there, *seen);
  if (!places.empty()) co_return places;  // between the read and now
  {
    std::deque<ReadyWatch> watches;
    for (const Seen& one : *seen) {
      watches.emplace_back(*wait, one.place);
      there->find(one.id)->add_watch(watches.back());
    }
    while (wait->woken.empty() && !wait->cancelled) {
      bool notified = co_await wait->signal.wait(deadline);
      if (!notified) break;
    }
  }
  // What nobody is woken for, as the log's start that retention moved, is told at the end of the wait.
  places = all_moved(*there, *seen);
  places.insert(places.end(), wait->woken.begin(), wait->woken.end());
  co_return places;
}

// What the loops report; the first one that has something wakes the fetch.
struct Reports {
  explicit Reports(io::Loop& loop) : signal(loop) {}
  io::Signal signal;
  Places places;
  std::size_t running = 0;
};

io::Task<void> wait_one_loop(LoopPartitions* there, std::shared_ptr<LoopWait> wait,
                             std::shared_ptr<const std::vector<Seen>> seen, Instant deadline,
                             std::shared_ptr<Reports> reports) {
  auto work = [there, wait, seen, deadline] { return wait_there(there, wait, seen, deadline); };
  Places places = co_await io::run_on(there->loop(), std::move(work));
  reports->places.insert(reports->places.end(), places.begin(), places.end());
  --reports->running;
  reports->signal.notify_all();
}

// The slots to read again; none: the deadline passed and nothing has moved.
io::Task<Places> wait_for_any(RequestContext context, Slots slots, Places places, Instant deadline) {
  auto reports = std::make_shared<Reports>(context.loop());
  std::vector<std::pair<LoopPartitions*, std::shared_ptr<LoopWait>>> waits;
  for (const Share& share : by_loop(context, slots, places)) {
    auto wait = std::make_shared<LoopWait>(share.there->loop());
    auto seen = std::make_shared<std::vector<Seen>>();
    for (std::size_t place : share.places) {
      const replica::ReadResult& result = (*slots)[place].result;
      seen->push_back({place, (*slots)[place].read.id, result.high_watermark, result.last_stable_offset,
                       result.log_start_offset});
    }
    waits.emplace_back(share.there, wait);
    ++reports->running;
    context.loop().spawn(wait_one_loop(share.there, wait, seen, deadline, reports));
  }
  while (reports->places.empty() && reports->running > 0) co_await reports->signal.wait();
  if (reports->running > 0) {
    for (auto& [there, wait] : waits) {
      there->loop().post([wait = wait] {
        wait->cancelled = true;
        wait->signal.notify_all();
      });
    }
  }
  Places due = std::move(reports->places);
  std::ranges::sort(due);
  due.erase(std::ranges::unique(due).begin(), due.end());
  co_return due;
}

}  // namespace

io::Task<void> read_until_enough(RequestContext context, Slots slots, FetchLimits limits) {
  Places readable;
  for (std::size_t place = 0; place < slots->size(); ++place) {
    if ((*slots)[place].refused == ErrorCode::NONE) readable.push_back(place);
  }
  Places due = readable;
  while (!due.empty()) {
    co_await read_slots(context, slots, std::move(due), limits.max_bytes);
    bool urgent = std::ranges::any_of(*slots, [](const FetchSlot& slot) {
      return slot.result.error != ErrorCode::NONE || slot.result.diverging.has_value();
    });
    if (urgent || bytes_read(slots) >= limits.min_bytes || context.loop().now() >= limits.deadline) break;
    if (context.connection_closing()) break;
    due = co_await wait_for_any(context, slots, readable, limits.deadline);
  }
}

}  // namespace milena::broker
