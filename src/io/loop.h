/// Loop: one event loop, run by one thread (or by the simulator). It holds the clock, timers, network and
/// disk of that thread's tasks, the queue of tasks that are ready to go on, and the tasks spawned on it.
///
/// Everything but post() is for the loop's own thread. Readiness is delivered through the queue, never
/// inline: whoever wakes a task goes on first. A turn = fire due timers, run what is ready, poll.
#pragma once

#include <concepts>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "io/clock.h"
#include "io/disk.h"
#include "io/entropy.h"
#include "io/log.h"
#include "io/net.h"
#include "io/task.h"
#include "io/timers.h"

namespace milena::io {

/// A node of a loop's FIFO of ready work; unlinks itself when destroyed.
class Ready {
 public:
  Ready() = default;
  Ready(const Ready&) = delete;
  Ready& operator=(const Ready&) = delete;
  virtual ~Ready() { unlink(); }
  bool queued() const { return next_ != nullptr; }

 protected:
  virtual void run() = 0;
  void unlink() {
    if (next_ == nullptr) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    next_ = previous_ = nullptr;
  }

 private:
  friend class ReadyQueue;
  Ready* next_ = nullptr;
  Ready* previous_ = nullptr;
};

class ReadyQueue {
 public:
  ReadyQueue();
  ~ReadyQueue();
  void push(Ready& ready);  // no effect when it is queued already
  bool empty() const { return head_.next_ == &head_; }
  /// Runs what is queued now, not what that queues in turn. Returns how many ran.
  std::size_t run_batch();

 private:
  struct Head : Ready {
    void run() override {}
  };
  void link_before(Ready& at, Ready& ready);
  Head head_;
};

using Callback = std::move_only_function<void()>;

class Loop {
 public:
  virtual ~Loop();

  virtual Clock& clock() = 0;
  virtual Entropy& entropy() = 0;
  virtual Disk& disk() = 0;
  virtual Net& net() = 0;
  virtual Log& log() = 0;

  /// Runs `callback` on this loop in a later turn. Any thread. Callbacks of one sender run in the order they
  /// were posted; between senders there is no order.
  virtual void post(Callback callback) = 0;
  /// Runs `work` off the loop (a small pool of threads), then `done` on this loop. Use offload() instead.
  virtual void run_off_loop(Callback work, Callback done) = 0;
  /// True on the thread that runs this loop (in the simulator: while this loop runs).
  virtual bool is_current() const = 0;
  /// The loop that runs the calling code; null on other threads.
  static Loop* current();

  Instant now() { return clock().now(); }
  Timestamp wall_now() { return clock().wall_now(); }
  Timers& timers() { return timers_; }
  ReadyQueue& ready() { return ready_; }

  /// Starts a task that nobody awaits, in this turn's ready queue. The loop owns it until it ends.
  void spawn(Task<void> task);
  /// Tasks spawned and not ended.
  std::size_t live_tasks() const { return live_tasks_; }
  /// Destroys all spawned tasks where they stand: a simulated crash, or the last step of a stop.
  void destroy_tasks();

 protected:
  Loop();
  /// One round of timers and ready work. Returns true if anything ran.
  bool run_turn();
  static void set_current(Loop* loop);

 private:
  struct Root;
  struct RootLink {  // in a spawned task's frame
    RootLink* next = nullptr;
    RootLink* previous = nullptr;
    virtual ~RootLink() = default;
    virtual void destroy() = 0;
  };
  Timers timers_;
  ReadyQueue ready_;
  RootLink* roots_ = nullptr;
  std::size_t live_tasks_ = 0;
};

/// `co_await sleep_until(loop, t)`, `co_await sleep_for(loop, d)`.
class [[nodiscard]] SleepAwaiter : private Timer, private Ready {
 public:
  SleepAwaiter(Loop& loop, Instant deadline) : loop_(loop), deadline_(deadline) {}
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    handle_ = handle;
    loop_.timers().arm(*this, deadline_);
  }
  void await_resume() const {}

 private:
  void fire() override { loop_.ready().push(*this); }
  void run() override { handle_.resume(); }
  Loop& loop_;
  Instant deadline_;
  std::coroutine_handle<> handle_;
};
inline SleepAwaiter sleep_until(Loop& loop, Instant deadline) { return {loop, deadline}; }
inline SleepAwaiter sleep_for(Loop& loop, Duration duration) { return {loop, loop.now() + duration}; }

namespace detail {

/// Shared by a waiting task and the far side that answers it; outlives whichever ends first.
template <class T>
struct Reply {
  std::optional<T> value;
  struct Waiter : Ready {
    void run() override { handle.resume(); }
    std::coroutine_handle<> handle;
  };
  Waiter* waiter = nullptr;  // touched on the origin's loop only
};

template <class T>
class [[nodiscard]] ReplyAwaiter {
 public:
  explicit ReplyAwaiter(std::shared_ptr<Reply<T>> reply) : reply_(std::move(reply)) {}
  ~ReplyAwaiter() {
    if (reply_ != nullptr && reply_->waiter == &waiter_) reply_->waiter = nullptr;
  }
  ReplyAwaiter(const ReplyAwaiter&) = delete;
  ReplyAwaiter& operator=(const ReplyAwaiter&) = delete;
  bool await_ready() const { return reply_->value.has_value(); }
  void await_suspend(std::coroutine_handle<> handle) {
    waiter_.handle = handle;
    reply_->waiter = &waiter_;
  }
  T await_resume() { return std::move(*reply_->value); }  // NOLINT(bugprone-unchecked-optional-access) await_ready

 private:
  std::shared_ptr<Reply<T>> reply_;
  typename Reply<T>::Waiter waiter_;
};

/// On the origin's loop: hands the value to the waiter, if it still waits.
template <class T>
void deliver(Loop& origin, Reply<T>& reply) {
  if (reply.waiter != nullptr) origin.ready().push(*reply.waiter);
}

struct Nothing {};
template <class T>
using Stored = std::conditional_t<std::is_void_v<T>, Nothing, T>;

template <class T, class F>
Task<void> answer_on(Loop* origin, std::shared_ptr<Reply<Stored<T>>> reply, F function) {
  if constexpr (std::is_void_v<T>) {
    co_await function();
    reply->value.emplace();
  } else {
    T value = co_await function();
    reply->value.emplace(std::move(value));
  }
  origin->post([origin, reply] { deliver(*origin, *reply); });
}

}  // namespace detail

/// Runs `work` (a plain function object returning R) off the loop and gives its result back on it.
/// `work` must touch nothing that the loop may touch meanwhile.
template <class F, class R = std::invoke_result_t<F>>
Task<R> offload(Loop& loop, F work) {
  auto reply = std::make_shared<detail::Reply<detail::Stored<R>>>();
  loop.run_off_loop(
      [reply, work = std::move(work)]() mutable {
        if constexpr (std::is_void_v<R>) {
          work();
          reply->value.emplace();
        } else {
          reply->value.emplace(work());
        }
      },
      [&loop, reply] { detail::deliver(loop, *reply); });
  // The value is set off the loop: only the delivery on the loop may wake, so await_ready must not look.
  struct Wait : detail::ReplyAwaiter<detail::Stored<R>> {
    using detail::ReplyAwaiter<detail::Stored<R>>::ReplyAwaiter;
    bool await_ready() const { return false; }
  };
  Wait wait(reply);
  auto value = co_await wait;
  if constexpr (!std::is_void_v<R>) co_return std::move(value);
}

/// Runs `function` (a function object returning Task<R>) on `target` and gives its result back on the calling
/// loop. On the same loop it is a plain call. `function` lives until its task has ended.
template <class F, class R = decltype(std::declval<F&>()().operator co_await().await_resume())>
Task<R> run_on(Loop& target, F function) {
  if (target.is_current()) {
    if constexpr (std::is_void_v<R>) {
      co_await function();
      co_return;
    } else {
      R value = co_await function();
      co_return value;
    }
  } else {
    Loop* origin = Loop::current();
    CHECK(origin != nullptr, "run_on needs a calling loop");
    auto reply = std::make_shared<detail::Reply<detail::Stored<R>>>();
    Loop* to = &target;
    to->post([to, origin, reply, function = std::move(function)]() mutable {
      to->spawn(detail::answer_on<R, F>(origin, reply, std::move(function)));
    });
    struct Wait : detail::ReplyAwaiter<detail::Stored<R>> {
      using detail::ReplyAwaiter<detail::Stored<R>>::ReplyAwaiter;
      bool await_ready() const { return false; }
    };
    Wait wait(reply);
    auto value = co_await wait;
    if constexpr (!std::is_void_v<R>) co_return std::move(value);
  }
}

}  // namespace milena::io
