#include "replica/tail_cache.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "base/coverage.h"

namespace milena::replica {

// A small slice would keep its whole block: it is copied behind others of its kind.
Bytes TailCache::compact(Bytes records) {
  if (records.slab() == nullptr || records.size() * kCopyBelow >= records.slab()->capacity()) return records;
  if (records.size() >= kCompactBlock) return Bytes::copy(records.view());
  if (compact_.size() + records.size() > compact_.capacity()) compact_ = Buffer(kCompactBlock);
  std::size_t at = compact_.size();
  compact_.append(records.view());
  return compact_.share(at, records.size());
}

TailCache::Entries::iterator TailCache::insert(Entry entry) {
  entry.charge = kEntryBytes;
  const Slab* slab = entry.records.slab();
  Entry* last = entries_.empty() ? nullptr : &entries_.back();
  if (last != nullptr && last->records.slab() == slab) {
    entry.charge = std::exchange(last->charge, kEntryBytes);
    charged_ += kEntryBytes;
  } else {
    entry.charge += slab != nullptr ? slab->capacity() : entry.records.size();
    charged_ += entry.charge;
  }
  if (spare_.empty()) spare_.emplace_back();
  entries_.splice(entries_.end(), spare_, spare_.begin());
  entries_.back() = std::move(entry);
  return std::prev(entries_.end());
}

void TailCache::remove(Entries::iterator entry) {
  // The block is held by the one before as well, if that is of the same row.
  if (entry != entries_.begin()) {
    Entry& before = *std::prev(entry);
    bool same = before.records.slab() == entry->records.slab() && before.charge == kEntryBytes;
    if (same) std::swap(before.charge, entry->charge);
  }
  charged_ -= entry->charge;
  entry->records = Bytes();
  if (spare_.size() < kSpareEntries)
    spare_.splice(spare_.end(), entries_, entry);
  else
    entries_.erase(entry);
}

void TailCache::make_room() {
  while (charged_ > budget_ && !entries_.empty()) {
    Entry& oldest = entries_.front();
    Tail& tail = *oldest.tail;
    CHECK(!tail.held_.empty() && tail.held_.front() == entries_.begin(), "a tail's oldest is older than all");
    MILENA_REACHED("tail_cache.let_go");
    if (!oldest.read) tail.followed_ = false;
    tail.held_.pop_front();
    remove(entries_.begin());
  }
}

void TailCache::Tail::add(Offset first, Offset end, Bytes batch) {
  if (!followed_ || first != this->end()) clear();
  if (!followed_) return;
  Entry entry;
  entry.tail = this;
  entry.first = first;
  entry.end = end;
  entry.records = cache_->compact(std::move(batch));
  held_.push_back(cache_->insert(std::move(entry)));
  cache_->make_room();
}

bool TailCache::Tail::read(Offset from, Offset bound, std::size_t max_bytes, bool at_least_one,
                           Records& out) {
  auto first_of = [](const Entries::iterator& entry) { return entry->first; };
  auto found = std::ranges::upper_bound(held_, from, {}, first_of);
  if (found == held_.begin() || from >= end()) return false;
  --found;
  std::size_t room = at_least_one ? std::max(max_bytes, (*found)->records.size()) : max_bytes;
  if ((*found)->records.size() > room || (*found)->end > bound) return false;
  Records records;
  for (; found != held_.end() && (*found)->end <= bound && room > 0; ++found) {
    Entry& entry = **found;
    std::size_t count = std::min(room, entry.records.size());
    records.add(entry.records.slice(0, count));
    entry.read = true;
    room -= count;
  }
  out = std::move(records);
  MILENA_REACHED("tail_cache.read");
  return true;
}

void TailCache::Tail::drop_below(Offset offset) {
  while (!held_.empty() && held_.front()->end <= offset) {
    cache_->remove(held_.front());
    held_.pop_front();
  }
}

void TailCache::Tail::clear() {
  for (Entries::iterator entry : held_) cache_->remove(entry);
  held_.clear();
}

}  // namespace milena::replica
