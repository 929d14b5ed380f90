/// TimerTable: deadlines by key, earliest first. Setting a key again moves its deadline; a deadline that
/// moves back (each heartbeat does that) costs no heap operation until the old one comes up.
/// Equal deadlines fire in the order they were first queued. Internal to the room. Threads: one loop.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "base/time.h"

namespace milena::group {

enum class TimerKind : std::uint8_t {
  session,        // of a member, or of a member id that was handed out and has not joined yet
  join,           // end of the join phase
  initial_delay,  // of the first rebalance of an empty group; never beside `join`
  sync,           // members that have not asked for their assignment
};

struct TimerKey {
  TimerKind kind{};
  std::string group_id;
  std::string member_id;
  friend auto operator<=>(const TimerKey&, const TimerKey&) = default;
};

class TimerTable {
 public:
  void set(const TimerKey& key, Instant deadline);
  void cancel(const TimerKey& key);
  bool contains(const TimerKey& key) const { return entries_.contains(key); }
  /// The earliest deadline, or never. May be earlier than the true one when that has moved back.
  Instant next_deadline() const;
  /// Takes the earliest key that is due.
  std::optional<TimerKey> take_due(Instant now);
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Instant deadline;
    Instant queued_for;
    std::uint64_t ticket;  // of its item in the queue
  };
  struct Item {
    Instant when;
    std::uint64_t ticket;
    TimerKey key;
    friend bool operator>(const Item& a, const Item& b) {
      return a.when != b.when ? a.when > b.when : a.ticket > b.ticket;
    }
  };
  void push(const TimerKey& key, Entry& entry);
  void drop_stale();

  std::map<TimerKey, Entry> entries_;
  std::priority_queue<Item, std::vector<Item>, std::greater<>> queue_;
  std::uint64_t next_ticket_ = 0;
};

}  // namespace milena::group
