#include "replica/fetch_set.h"

#include <algorithm>
#include <utility>

namespace milena::replica {

using wire::ErrorCode;

class FetchSet::Entry : public Partition::Watch {
 public:
  explicit Entry(FetchSet& set) : set_(set) {}

  ReadRequest read;
  std::uint32_t place = 0;
  List* list = nullptr;  // null: nothing to tell of, or being read
  Entry* next = nullptr;
  Entry* previous = nullptr;
  std::size_t held = 0;  // bytes that the fetch has of it
  bool used = false;

 private:
  void on_news(Partition::News news) override {
    Partition::News more = read.read_committed ? Partition::kStableOffset : Partition::kHighWatermark;
    if (read.to_log_end) more = Partition::kLogEnd;
    bool wakes = (news & (more | Partition::kState)) != 0;
    // The client is told of these, too, but not woken for them.
    if (!wakes && (news & (Partition::kHighWatermark | Partition::kLogStart)) == 0) return;
    if (wakes) leave();  // it is ready until the next visit
    set_.on_news(*this, wakes);
  }
  FetchSet& set_;
};

void FetchSet::List::push_back(Entry& entry) {
  entry.list = this;
  entry.next = nullptr;
  entry.previous = last;
  (last != nullptr ? last->next : first) = &entry;
  last = &entry;
}

void FetchSet::List::remove(Entry& entry) {
  (entry.previous != nullptr ? entry.previous->next : first) = entry.next;
  (entry.next != nullptr ? entry.next->previous : last) = entry.previous;
  entry.list = nullptr;
  entry.next = entry.previous = nullptr;
}

void FetchSet::List::append(List& other) {
  while (!other.empty()) {
    Entry& entry = *other.first;
    other.remove(entry);
    push_back(entry);
  }
}

FetchSet::FetchSet(LoopPartitions& there, std::shared_ptr<FetchWaker> waker)
    : there_(there), waker_(std::move(waker)) {}

FetchSet::~FetchSet() = default;

void FetchSet::clear() {
  for (auto& entry : entries_) {
    if (entry->list != nullptr) entry->list->remove(*entry);
    entry->leave();
    entry->used = false;
  }
}

void FetchSet::apply(const FetchChange& change) {
  if (change.kind == FetchChange::Kind::kClear) {
    clear();
    return;
  }
  while (entries_.size() <= change.place) {
    entries_.push_back(std::make_unique<Entry>(*this));
    entries_.back()->place = static_cast<std::uint32_t>(entries_.size() - 1);
  }
  Entry& entry = *entries_[change.place];
  if (change.kind == FetchChange::Kind::kForget) {
    if (entry.list != nullptr) entry.list->remove(entry);
    entry.leave();
    entry.used = false;
    return;
  }
  if (change.kind == FetchChange::Kind::kPut) {
    entry.read = change.read;
    if (!std::exchange(entry.used, true)) entry.held = 0;
  }
  if (entry.used && entry.list == nullptr) fresh_.push_back(entry);
}

void FetchSet::on_news(Entry& entry, bool wakes) {
  if (entry.list == nullptr) {
    fresh_.push_back(entry);  // also while it is being read
  } else if (entry.list == &served_) {
    served_.remove(entry);
    fresh_.push_back(entry);
  }  // one that waits for room keeps its turn
  std::uint8_t before = flags_.fetch_or(wakes ? kFresh | kWoken : kFresh);
  if (!wakes || (before & kWaiting) == 0) return;
  end_wait();
  if (waker_->loop.is_current()) waker_->signal.notify_all();
  else waker_->loop.post([waker = waker_] { waker->signal.notify_all(); });
}

io::Task<FetchVisited> FetchSet::visit(std::shared_ptr<FetchSet> self, std::vector<FetchChange> changes,
                                       FetchBudget budget) {
  FetchSet& set = *self;
  set.flags_.store(0);
  if (budget.first) {
    set.due_.append(set.unserved_);
    set.due_.append(set.fresh_);
    set.due_.append(set.served_);
  }
  for (const FetchChange& change : changes) set.apply(change);
  set.due_.append(set.fresh_);
  FetchVisited visited;
  visited.found.reserve(changes.size());
  while (!set.due_.empty()) {
    Entry& entry = *set.due_.first;
    set.due_.remove(entry);
    // Watched from before the read on: nothing that moves is missed.
    std::shared_ptr<Partition> partition = set.there_.find(entry.read.id);
    entry.leave();
    if (partition != nullptr) partition->add_watch(entry);
    if (!budget.first) budget.held -= std::min(budget.held, entry.held);
    std::size_t room = budget.max_bytes - std::min(budget.max_bytes, budget.held);
    ReadRequest request = entry.read;
    request.at_least_one = budget.held == 0;
    request.max_bytes = static_cast<std::int32_t>(
        std::min<std::size_t>(room, static_cast<std::size_t>(std::max(request.max_bytes, 0))));
    ReadResult result;
    if (partition == nullptr) result.error = set.there_.why_missing(request.id);
    else result = co_await Partition::read(std::move(partition), request);
    entry.held = result.records.size();
    budget.held += entry.held;
    bool settled = result.error == ErrorCode::NONE && !result.diverging.has_value() && entry.held == 0 &&
                   request.fetch_offset >= result.readable_end;
    if (entry.list == nullptr && !settled) (entry.held > 0 ? set.served_ : set.unserved_).push_back(entry);
    visited.found.push_back({entry.place, std::move(result)});
  }
  visited.left = !set.unserved_.empty() || !set.served_.empty();
  co_return std::move(visited);
}

}  // namespace milena::replica
