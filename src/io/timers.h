/// Timers of one loop: an intrusive binary heap of deadlines, cheap to arm, move and cancel. The loop fires
/// what is due at each turn and sleeps until next_deadline(). Equal deadlines fire in the order they were armed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/time.h"

namespace milena::io {

class Timers;

/// Something with a deadline. Its owner keeps it alive while armed; destruction disarms it.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer();
  Instant deadline() const { return deadline_; }

 protected:
  /// Called once, after the timer was disarmed; may arm it again.
  virtual void fire() = 0;

 private:
  friend class Timers;
  Timers* owner_ = nullptr;
  std::size_t index_ = 0;
  std::uint64_t order_ = 0;
  Instant deadline_;
};

class Timers {
 public:
  ~Timers();
  /// Arms or moves the timer. Instant::never() disarms it.
  void arm(Timer& timer, Instant deadline);
  void disarm(Timer& timer);
  /// Instant::never() when nothing is armed.
  Instant next_deadline() const;
  /// Fires what is due at `now`, including what firing arms for `now` or earlier. Returns how many fired.
  std::size_t fire_due(Instant now);
  std::size_t size() const { return heap_.size(); }

 private:
  static bool before(const Timer* a, const Timer* b);
  void place(std::size_t index, Timer* timer);
  void sift_up(std::size_t index);
  void sift_down(std::size_t index);
  std::vector<Timer*> heap_;
  std::uint64_t armed_count_ = 0;
};

}  // namespace milena::io
