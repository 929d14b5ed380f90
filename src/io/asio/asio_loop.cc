#include "io/asio/asio_loop.h"

#include <pthread.h>

namespace milena::io {

AsioLoop::AsioLoop(std::string name, SharedServices services)
    : name_(std::move(name)), services_(services), reactor_(ready()), net_(*this, reactor_) {}

AsioLoop::~AsioLoop() {
  // With the thread gone nothing runs any more; what is left is dropped while the reactor still stands.
  destroy_tasks();
  posts_.clear();
  running_.clear();
}

void AsioLoop::start() {
  thread_ = std::jthread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), name_.substr(0, 15).c_str());
}

void AsioLoop::finish() {
  finishing_ = true;
  reactor_.wake();
  if (thread_.joinable()) thread_.join();
}

void AsioLoop::post(Callback callback) {
  bool first;
  {
    std::lock_guard lock(mutex_);
    first = posts_.empty();
    posts_.push_back(std::move(callback));
  }
  if (first && sleeping_.load()) reactor_.wake();
}

void AsioLoop::run_off_loop(Callback work, Callback done) {
  services_.pool.submit([this, work = std::move(work), done = std::move(done)]() mutable {
    work();
    work = nullptr;  // what it holds is let go before the loop goes on
    post(std::move(done));
  });
}

bool AsioLoop::run_posts() {
  {
    std::lock_guard lock(mutex_);
    running_.swap(posts_);
  }
  bool ran = !running_.empty();
  for (Callback& callback : running_) {
    callback();
    callback = nullptr;
  }
  running_.clear();
  return ran;
}

void AsioLoop::run() {
  set_current(this);
  while (!finishing_.load(std::memory_order_relaxed)) {
    Instant begun = now();
    run_posts();
    for (int i = 0; i < kBatchesPerTurn && run_turn(); ++i) {
    }
    note_turn(now() - begun);
    if (ready().empty()) {
      idle();
    } else {
      reactor_.poll();
    }
  }
  run_posts();
  set_current(nullptr);
}

void AsioLoop::idle() {
  sleeping_.store(true);
  bool posted;
  {
    std::lock_guard lock(mutex_);
    posted = !posts_.empty();
  }
  Instant deadline = timers().next_deadline();
  if (posted || finishing_.load()) {
    reactor_.poll();
  } else if (deadline == Instant::never()) {
    reactor_.wait(Duration::max());
  } else {
    Duration left = deadline - now();
    if (left <= Duration::zero()) {
      reactor_.poll();
    } else {
      reactor_.wait(left);
    }
  }
  sleeping_.store(false, std::memory_order_relaxed);
}

void AsioLoop::note_turn(Duration took) {
  busy_ns_.store(busy_ns_.load(std::memory_order_relaxed) + took.count(), std::memory_order_relaxed);  // the only writer
  if (took > kStall) stalls_.fetch_add(1, std::memory_order_relaxed);
  if (took.count() > longest_turn_ns_.load(std::memory_order_relaxed)) {
    longest_turn_ns_.store(took.count(), std::memory_order_relaxed);
  }
}

}  // namespace milena::io
