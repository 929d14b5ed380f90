#include "group/timers.h"

namespace milena::group {

void TimerTable::push(const TimerKey& key, Entry& entry) {
  entry.queued_for = entry.deadline;
  entry.ticket = next_ticket_++;
  queue_.push({entry.deadline, entry.ticket, key});
}

void TimerTable::set(const TimerKey& key, Instant deadline) {
  auto [at, added] = entries_.try_emplace(key, Entry{deadline, deadline, 0});
  Entry& entry = at->second;
  entry.deadline = deadline;
  if (added || deadline < entry.queued_for) push(key, entry);
}

void TimerTable::cancel(const TimerKey& key) {
  entries_.erase(key);
  drop_stale();
}

void TimerTable::drop_stale() {
  while (!queue_.empty()) {
    auto at = entries_.find(queue_.top().key);
    if (at != entries_.end() && at->second.ticket == queue_.top().ticket) return;
    queue_.pop();
  }
}

Instant TimerTable::next_deadline() const { return queue_.empty() ? Instant::never() : queue_.top().when; }

std::optional<TimerKey> TimerTable::take_due(Instant now) {
  while (!queue_.empty() && queue_.top().when <= now) {
    Item item = queue_.top();
    queue_.pop();
    auto at = entries_.find(item.key);
    if (at == entries_.end() || at->second.ticket != item.ticket) continue;
    if (at->second.deadline > now) {
      push(item.key, at->second);
      continue;
    }
    entries_.erase(at);
    drop_stale();
    return item.key;
  }
  return std::nullopt;
}

}  // namespace milena::group
