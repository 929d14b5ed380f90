/// Reactor: waits until descriptors can be read or written. One per loop, single-threaded except wake().
/// Boost.Asio is behind it and stays inside reactor.cc, so that another reactor may take its place.
///
/// The operation outlives its waiter: what the kernel or Asio names is a Watched, held by the reactor until
/// the wait has completed; a task that is destroyed or a descriptor that is closed only takes its Wait away.
/// A completed wait goes through the loop's ready queue, never inline.
#pragma once

#include <array>
#include <coroutine>
#include <memory>
#include <utility>

#include "base/time.h"
#include "io/loop.h"

namespace milena::io {

/// A descriptor and the waits for it: at most one waiter per direction.
class Watched : public std::enable_shared_from_this<Watched> {
 public:
  enum Direction : std::uint8_t { kRead, kWrite };

  class [[nodiscard]] Wait : private Ready {
   public:
    Wait(std::shared_ptr<Watched> watched, Direction direction)
        : watched_(std::move(watched)), direction_(direction) {}
    ~Wait() override {
      if (watched_->waiters_[direction_] == this) watched_->waiters_[direction_] = nullptr;
    }
    bool await_ready() const { return watched_->closed(); }
    void await_suspend(std::coroutine_handle<> handle) {
      CHECK(watched_->waiters_[direction_] == nullptr, "two tasks wait for one direction of a descriptor");
      handle_ = handle;
      watched_->waiters_[direction_] = this;
      watched_->start(direction_);
    }
    void await_resume() const {}

   private:
    friend class Watched;
    void run() override { handle_.resume(); }
    std::shared_ptr<Watched> watched_;
    Direction direction_;
    std::coroutine_handle<> handle_;
  };

  explicit Watched(ReadyQueue& ready) : ready_(ready) {}
  virtual ~Watched() = default;
  /// Waits until a call may succeed, or the descriptor was closed: try again, check closed().
  Wait readable() { return {shared_from_this(), kRead}; }
  Wait writable() { return {shared_from_this(), kWrite}; }
  virtual int descriptor() const = 0;  // -1 once closed
  bool closed() const { return descriptor() < 0; }
  /// Closes the descriptor and wakes the waiters.
  virtual void close() = 0;

 protected:
  virtual void start(Direction direction) = 0;
  void wake(Direction direction) {
    if (Wait* wait = std::exchange(waiters_[direction], nullptr)) ready_.push(*wait);
  }

 private:
  ReadyQueue& ready_;
  std::array<Wait*, 2> waiters_{};
};

/// Owns a Watched: closes it when destroyed. A pending wait holds the Watched itself, so forgetting it without
/// closing would keep the descriptor open until the wait completes.
class WatchedOwner {
 public:
  explicit WatchedOwner(std::shared_ptr<Watched> watched) : watched_(std::move(watched)) {}
  WatchedOwner(WatchedOwner&&) noexcept = default;
  WatchedOwner& operator=(WatchedOwner&&) = delete;
  ~WatchedOwner() {
    if (watched_ != nullptr) watched_->close();
  }
  Watched* operator->() const { return watched_.get(); }
  const std::shared_ptr<Watched>& shared() const { return watched_; }

 private:
  std::shared_ptr<Watched> watched_;
};

class Reactor {
 public:
  explicit Reactor(ReadyQueue& ready);
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  /// Takes over an open, non-blocking descriptor.
  std::shared_ptr<Watched> watch(int descriptor);
  /// Looks what is ready and queues it; does not block.
  void poll();
  /// As poll, but blocks until something is ready, wake() was called or `at_most` has passed (rounded up to
  /// milliseconds).
  void wait(Duration at_most);
  /// Ends a wait() that goes on or comes next. Any thread.
  void wake();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace milena::io
