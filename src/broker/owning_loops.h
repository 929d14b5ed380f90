/// Asking partitions on the loops that own them, each loop in one message, all at the same time.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "broker/request_context.h"
#include "io/when_all.h"
#include "replica/partitions.h"

namespace milena::broker {

namespace detail {

template <class Item, class Each>
io::Task<void> each_there(replica::LoopPartitions* there, std::shared_ptr<std::vector<Item*>> share, Each each) {
  for (Item* item : *share) each(*there, *item);
  co_return;
}

}  // namespace detail

/// Calls `each(replica::LoopPartitions&, Item&)` once for every item, on the loop that owns the partition `item.id`;
/// items without a topic id are left out. `each` is copied to the loops. REQUIRES: the items stay until it ends.
template <class Item, class Each>
io::Task<void> on_owning_loops(RequestContext context, std::vector<Item>* items, Each each) {
  replica::Partitions& partitions = context.services().partitions;
  std::vector<std::shared_ptr<std::vector<Item*>>> shares(partitions.loops());
  for (Item& item : *items) {
    if (item.id.topic_id.is_zero()) continue;
    auto& share = shares[partitions.owner(item.id)];
    if (share == nullptr) share = std::make_shared<std::vector<Item*>>();
    share->push_back(&item);
  }
  std::vector<io::Task<void>> running;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (shares[i] == nullptr) continue;
    replica::LoopPartitions* there = &partitions.on_loop(i);
    auto work = [there, share = shares[i], each] { return detail::each_there<Item, Each>(there, share, each); };
    running.push_back(io::run_on(there->loop(), std::move(work)));
  }
  co_await io::when_all(context.loop(), std::move(running));
}

}  // namespace milena::broker
