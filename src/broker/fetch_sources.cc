#include "broker/fetch_sources.h"

#include <algorithm>
#include <utility>

#include "broker/fetch_sessions.h"

namespace milena::broker {

using replica::FetchChange;
using replica::FetchSet;

FetchSources::FetchSources(io::Loop& loop, replica::Partitions& partitions)
    : freed(loop),
      partitions_(partitions),
      waker_(std::make_shared<replica::FetchWaker>(loop)),
      shares_(partitions.loops()) {}

FetchSources::~FetchSources() {
  for (std::size_t i = 0; i < shares_.size(); ++i) {
    std::shared_ptr<FetchSet> set = std::move(shares_[i].set);
    if (set == nullptr || io::Loop::current() == nullptr) continue;  // without a current loop none runs any more
    io::Loop& there = partitions_.on_loop(i).loop();
    if (!there.is_current()) there.post([set = std::move(set)] {});
  }
}

void FetchSources::put(FetchPartition& partition, const replica::ReadRequest& read) {
  auto owner = static_cast<std::uint32_t>(partitions_.owner(read.id));
  FetchPlace& place = partition.place;
  if (!place.nowhere() && place.loop != owner) forget(partition);
  Share& share = shares_[owner];
  if (share.set == nullptr) share.set = std::make_shared<FetchSet>(partitions_.on_loop(owner), waker_);
  if (place.nowhere()) {
    place.loop = owner;
    if (share.free.empty()) {
      place.number = static_cast<std::uint32_t>(share.at.size());
      share.at.push_back(nullptr);
      share.places = std::max(share.places, share.at.size());
    } else {
      place.number = share.free.back();
      share.free.pop_back();
    }
    share.at[place.number] = &partition;
  }
  FetchChange& change = share.changes.emplace_back(FetchChange::Kind::kPut, place.number);
  change.read = read;
}

void FetchSources::forget(FetchPartition& partition) {
  FetchPlace place = std::exchange(partition.place, FetchPlace());
  if (place.nowhere()) return;
  Share& share = shares_[place.loop];
  share.at[place.number] = nullptr;
  share.free.push_back(place.number);
  share.changes.emplace_back(FetchChange::Kind::kForget, place.number);
}

void FetchSources::again(FetchPlace place) {
  if (!place.nowhere()) shares_[place.loop].changes.emplace_back(FetchChange::Kind::kAgain, place.number);
}

std::size_t FetchSources::places() const {
  std::size_t count = 0;
  for (const Share& share : shares_) count += share.places;
  return count;
}

void FetchSources::clear() {
  for (Share& share : shares_) {
    if (share.set == nullptr) continue;
    share.at.clear();
    share.free.clear();
    share.changes.clear();
    share.changes.emplace_back(FetchChange::Kind::kClear, 0);
    share.left = false;
  }
}

bool FetchSources::due(std::size_t loop, bool first) const {
  const Share& share = shares_[loop];
  if (share.idle()) return false;
  return share.set->has_news() || !share.changes.empty() || (first && share.left);
}

bool FetchSources::any_news() const {
  for (std::size_t i = 0; i < shares_.size(); ++i) {
    if (due(i, false)) return true;
  }
  return false;
}

io::Task<std::vector<replica::FetchFound>> FetchSources::visit(FetchSources* self, std::size_t loop,
                                                              replica::FetchBudget budget) {
  Share& share = self->shares_[loop];
  auto work = [set = share.set, changes = std::exchange(share.changes, {}), budget]() mutable {
    return FetchSet::visit(set, std::move(changes), budget);
  };
  replica::FetchVisited visited =
      co_await io::run_on(self->partitions_.on_loop(loop).loop(), std::move(work));
  share.left = visited.left;
  co_return std::move(visited.found);
}

FetchPartition* FetchSources::at(FetchPlace place) const {
  const std::vector<FetchPartition*>& known = shares_[place.loop].at;
  return place.number < known.size() ? known[place.number] : nullptr;
}

io::Task<void> FetchSources::wait(FetchSources* self, Instant deadline) {
  bool may = true;
  for (Share& share : self->shares_) {
    if (!share.idle() && !share.set->begin_wait()) may = false;
  }
  if (may) co_await self->waker_->signal.wait(deadline);
  for (Share& share : self->shares_) {
    if (!share.idle()) share.set->end_wait();
  }
}

}  // namespace milena::broker
