/// with_timeout: a task with a deadline. When the deadline passes first the task is destroyed where it stands;
/// what it had begun (a connection attempt, a read) is given up as if it had been dropped by hand.
#pragma once

#include <optional>
#include <utility>

#include "io/loop.h"
#include "io/signal.h"

namespace milena::io {

namespace detail {

template <class T>
struct Timed {
  explicit Timed(Loop& loop) : ended(loop) {}
  Signal ended;
  std::optional<T> value;
};

template <class T>
Task<void> run_timed(Task<T> task, Timed<T>* timed) {
  timed->value.emplace(co_await std::move(task));
  timed->ended.notify_all();
}

}  // namespace detail

/// `auto stream = co_await with_timeout(loop, loop.now() + 10s, loop.net().connect(endpoint));`
/// Empty: the deadline passed first. REQUIRES: called on `loop`, which outlives the task.
template <class T>
Task<std::optional<T>> with_timeout(Loop& loop, Instant deadline, Task<T> task) {
  detail::Timed<T> timed(loop);
  Task<void> runner = detail::run_timed(std::move(task), &timed);
  std::move(runner).operator co_await().await_suspend(std::noop_coroutine());  // runs its first stretch
  while (!timed.value.has_value()) {
    if (!co_await timed.ended.wait(deadline)) break;
  }
  co_return std::move(timed.value);
}

}  // namespace milena::io
