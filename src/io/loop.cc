#include "io/loop.h"

namespace milena::io {

ReadyQueue::ReadyQueue() { head_.next_ = head_.previous_ = &head_; }

ReadyQueue::~ReadyQueue() {
  while (!empty()) head_.next_->unlink();
  head_.next_ = head_.previous_ = nullptr;
}

// g++ 12 does not see that the mark of run_batch leaves the queue with ~Head.
#pragma GCC diagnostic push
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wdangling-pointer"
#endif
void ReadyQueue::link_before(Ready& at, Ready& ready) {
  ready.previous_ = at.previous_;
  ready.next_ = &at;
  at.previous_->next_ = &ready;
  at.previous_ = &ready;
}

void ReadyQueue::push(Ready& ready) {
  if (!ready.queued()) link_before(head_, ready);
}

std::size_t ReadyQueue::run_batch() {
  Head end;  // marks the end of what is queued now
  link_before(head_, end);
  std::size_t ran = 0;
  while (head_.next_ != &end) {
    Ready* ready = head_.next_;
    ready->unlink();
    ready->run();
    ++ran;
  }
  return ran;
}
#pragma GCC diagnostic pop

// A spawned task's outermost coroutine: linked into its loop until it ends, then destroys itself.
struct Loop::Root {
  struct promise_type : Ready, RootLink {
    Loop* loop = nullptr;

    static void* operator new(std::size_t size) { return detail::allocate_frame(size); }
    static void operator delete(void* frame, std::size_t size) { detail::free_frame(frame, size); }
    Root get_return_object() { return {this}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }  // destroys the frame
    void return_void() {}
    void unhandled_exception() noexcept { std::terminate(); }
    std::coroutine_handle<promise_type> handle() {
      return std::coroutine_handle<promise_type>::from_promise(*this);
    }
    void run() override { handle().resume(); }
    void destroy() override { handle().destroy(); }
    ~promise_type() override { leave(); }

    void enter(Loop& owner) {
      loop = &owner;
      next = owner.roots_;
      if (next != nullptr) next->previous = this;
      owner.roots_ = this;
      ++owner.live_tasks_;
    }
    void leave() {
      if (loop == nullptr) return;
      (previous != nullptr ? previous->next : loop->roots_) = next;
      if (next != nullptr) next->previous = previous;
      --loop->live_tasks_;
    }
  };
  promise_type* promise;

  static Root run_task(Task<void> task) { co_await std::move(task); }
};

Loop::Loop() = default;
Loop::~Loop() { destroy_tasks(); }

void Loop::spawn(Task<void> task) {
  Root root = Root::run_task(std::move(task));
  root.promise->enter(*this);
  ready_.push(*root.promise);
}

void Loop::destroy_tasks() {
  while (roots_ != nullptr) roots_->destroy();
}

bool Loop::run_turn() {
  bool ran = timers_.fire_due(clock().now()) > 0;
  return ready_.run_batch() > 0 || ran;
}

namespace {
thread_local Loop* current_loop = nullptr;
}  // namespace

Loop* Loop::current() { return current_loop; }
void Loop::set_current(Loop* loop) { current_loop = loop; }

}  // namespace milena::io
