/// SimCore: virtual time, the heap of events, the trace hash and the marks of one simulated world.
///
/// Events run in the order (time, sequence number), one at a time, in one thread. Each event belongs to an
/// owner, an incarnation of a node, or to the world itself (owner 0); when a node dies its events are taken
/// out and destroyed. Every event, disk call and delivery is folded into a 64-bit hash: two runs of one seed
/// must give the same hash.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "io/log.h"

namespace milena::io {

class SimCore {
 public:
  using Action = std::move_only_function<void()>;
  using Owner = std::uint64_t;
  static constexpr Owner kWorld = 0;

  explicit SimCore(std::uint64_t seed) : seed_(seed), trace_(seed) {}

  Instant now() const { return now_; }
  std::uint64_t seed() const { return seed_; }
  /// An independent stream of random numbers for (subsystem, index): draws in one do not shift another.
  Random stream(std::string_view subsystem, std::uint64_t index = 0) const;

  /// Runs `action` at `when` (now, if that has passed).
  void at(Instant when, Owner owner, Action action);
  void after(Duration delay, Owner owner, Action action) { at(now_ + delay, owner, std::move(action)); }
  /// Destroys the events of an owner.
  void forget(Owner owner);
  Owner new_owner() { return ++last_owner_; }

  /// Runs the next event if it is due at `limit` or before; else moves the time to `limit`. False: nothing ran.
  bool step(Instant limit);
  std::uint64_t events() const { return events_; }
  std::size_t pending() const { return heap_.size(); }

  /// Folds a value into the trace.
  void trace(std::uint64_t value) { trace_ = (trace_ ^ value) * 0x9fb21c651e98df25ULL + (trace_ >> 29); }
  std::uint64_t trace_hash() const { return trace_; }

  /// Counts that something happened, e.g. "disk.sync_failed": coverage of faults and of rare paths.
  void mark(std::string_view name);
  const std::map<std::string, std::uint64_t, std::less<>>& marks() const { return marks_; }
  std::uint64_t mark_count(std::string_view name) const;

  void log_line(std::string line);
  /// The latest lines of all nodes, oldest first.
  const std::deque<std::string>& log_lines() const { return log_lines_; }
  Level log_level = Level::kInfo;
  bool log_to_stderr = false;

 private:
  struct Event {
    Instant time;
    std::uint64_t sequence;
    Owner owner;
    std::size_t action;  // its place in actions_: what moves about in the heap stays small
  };
  static bool later(const Event& a, const Event& b) {
    return a.time != b.time ? a.time > b.time : a.sequence > b.sequence;
  }

  std::uint64_t seed_;
  Instant now_;
  std::vector<Event> heap_;
  std::vector<Action> actions_;
  std::vector<std::size_t> free_actions_;
  std::uint64_t sequence_ = 0;
  std::uint64_t events_ = 0;
  Owner last_owner_ = 0;
  std::uint64_t trace_;
  std::map<std::string, std::uint64_t, std::less<>> marks_;
  std::deque<std::string> log_lines_;
};

}  // namespace milena::io
