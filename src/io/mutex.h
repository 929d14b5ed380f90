/// Mutex: mutual exclusion between tasks of one loop across suspensions, first come, first served.
#pragma once

#include <utility>

#include "io/signal.h"

namespace milena::io {

class Mutex {
 public:
  explicit Mutex(Loop& loop) : released_(loop) {}

  /// Held until destroyed or unlocked.
  class [[nodiscard]] Guard {
   public:
    Guard() = default;
    explicit Guard(Mutex* mutex) : mutex_(mutex) {}
    Guard(Guard&& other) noexcept : mutex_(std::exchange(other.mutex_, nullptr)) {}
    Guard& operator=(Guard&& other) noexcept {
      std::swap(mutex_, other.mutex_);
      return *this;
    }
    ~Guard() { unlock(); }
    void unlock() {
      if (mutex_ != nullptr) std::exchange(mutex_, nullptr)->release();
    }

   private:
    Mutex* mutex_ = nullptr;
  };

  /// `auto guard = co_await mutex.lock();`
  Task<Guard> lock() {
    std::uint64_t ticket = next_ticket_++;
    while (ticket != serving_) co_await released_.wait();
    co_return Guard(this);
  }
  bool locked() const { return next_ticket_ != serving_; }

 private:
  void release() {
    ++serving_;
    released_.notify_all();
  }
  Signal released_;
  std::uint64_t next_ticket_ = 0;
  std::uint64_t serving_ = 0;
};

}  // namespace milena::io
