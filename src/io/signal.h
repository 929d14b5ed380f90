/// Signal: tasks of one loop wait for it, with a deadline; notify wakes all that wait now. It holds no state
/// ("level") of its own: check your condition, wait, check again.
#pragma once

#include <coroutine>

#include "io/loop.h"

namespace milena::io {

class Signal {
 public:
  explicit Signal(Loop& loop) : loop_(loop) {}
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  /// REQUIRES: nobody waits.
  ~Signal() { CHECK(first_ == nullptr, "a signal died while tasks wait for it"); }

  class [[nodiscard]] Awaiter : private Timer, private Ready {
   public:
    Awaiter(Signal& signal, Instant deadline) : signal_(signal), deadline_(deadline) {}
    ~Awaiter() override { leave(); }
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
      handle_ = handle;
      next_ = nullptr;
      previous_ = signal_.last_;
      (previous_ != nullptr ? previous_->next_ : signal_.first_) = this;
      signal_.last_ = this;
      waiting_ = true;
      signal_.loop_.timers().arm(*this, deadline_);
    }
    /// True: notified; false: the deadline passed first.
    bool await_resume() const { return notified_; }

   private:
    friend class Signal;
    void leave() {
      if (!waiting_) return;
      waiting_ = false;
      (previous_ != nullptr ? previous_->next_ : signal_.first_) = next_;
      (next_ != nullptr ? next_->previous_ : signal_.last_) = previous_;
    }
    void wake(bool notified) {
      leave();
      notified_ = notified;
      signal_.loop_.timers().disarm(*this);
      signal_.loop_.ready().push(*this);
    }
    void fire() override { wake(false); }
    void run() override { handle_.resume(); }

    Signal& signal_;
    Instant deadline_;
    std::coroutine_handle<> handle_;
    Awaiter* next_ = nullptr;
    Awaiter* previous_ = nullptr;
    bool waiting_ = false;
    bool notified_ = false;
  };

  /// `bool notified = co_await signal.wait(deadline);`
  Awaiter wait(Instant deadline = Instant::never()) { return {*this, deadline}; }
  void notify_all() {
    while (first_ != nullptr) first_->wake(true);
  }
  bool has_waiters() const { return first_ != nullptr; }

 private:
  friend class Awaiter;
  Loop& loop_;
  Awaiter* first_ = nullptr;
  Awaiter* last_ = nullptr;
};

}  // namespace milena::io
