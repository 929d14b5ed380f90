/// Task<T>: Milena's coroutine. Lazy (runs when awaited or spawned on a Loop), owned by whoever holds it,
/// moved but not copied. Destroying a Task destroys its frame and, through the locals there, everything it
/// waits for: awaiters unlink themselves in their destructors, so a whole tree can be dropped at once.
///
/// A task runs on one loop, the one it was spawned on; nothing here is thread-safe. Frames come from a
/// per-thread free list. Exceptions must not leave a task: they end the process.
///
/// Rules that g++ 12 makes necessary (docs/decisions/0002-coroutines.md): parameters by value, no lambda
/// with captures as a coroutine, no aggregate temporaries or `?:` inside a co_await expression.
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

#include "base/check.h"

namespace milena::io {

namespace detail {

/// Memory for coroutine frames: size-classed free lists per thread, the heap beyond.
void* allocate_frame(std::size_t size);
void free_frame(void* frame, std::size_t size);

struct PromiseBase {
  std::coroutine_handle<> continuation;
  // Set while the awaiter runs this task's first stretch on its own stack. A task that ends in that stretch
  // returns to the awaiter, which then never suspends: a loop over ready awaits does not grow the stack.
  bool inline_run = false;

  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* frame, std::size_t size) { free_frame(frame, size); }

  std::suspend_always initial_suspend() noexcept { return {}; }
  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      PromiseBase& promise = self.promise();
      if (promise.inline_run || !promise.continuation) return std::noop_coroutine();
      return promise.continuation;
    }
    void await_resume() const noexcept {}
  };
  FinalAwaiter final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { std::terminate(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  auto get_return_object() { return std::coroutine_handle<Promise>::from_promise(*this); }
  template <class U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T take() { return std::move(*value); }  // NOLINT(bugprone-unchecked-optional-access) called once, at the end
};

template <>
struct Promise<void> : PromiseBase {
  auto get_return_object() { return std::coroutine_handle<Promise>::from_promise(*this); }
  void return_void() {}
  void take() {}
};

}  // namespace detail

template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task() = default;
  Task(Handle handle) : handle_(handle) {}  // implicit: what get_return_object gives
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool valid() const { return static_cast<bool>(handle_); }

  struct Awaiter {
    Handle handle;
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> caller) {
      auto& promise = handle.promise();
      promise.continuation = caller;
      promise.inline_run = true;
      handle.resume();
      if (handle.done()) return false;
      promise.inline_run = false;
      return true;
    }
    T await_resume() { return handle.promise().take(); }
  };
  /// REQUIRES: valid, awaited once, on the loop it belongs to.
  Awaiter operator co_await() && {
    CHECK(handle_, "awaiting an empty task");
    return Awaiter{handle_};
  }

 private:
  Handle handle_;
};

}  // namespace milena::io
