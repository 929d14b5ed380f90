#include "io/asio/asio_runtime.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <condition_variable>
#include <optional>

#include "io/asio/asio_loop.h"
#include "io/asio/posix_disk.h"
#include "io/asio/stderr_log.h"
#include "io/asio/system.h"

namespace milena::io {
namespace {

sigset_t awaited_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  return set;
}

// Hands one value from a loop to a thread that waits.
template <class T>
class Handover {
 public:
  void put(T value) {
    std::lock_guard lock(mutex_);  // notified under the lock: the waiter destroys this object
    value_ = std::move(value);
    changed_.notify_one();
  }
  T take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return value_.has_value(); });
    return std::move(*value_);  // NOLINT(bugprone-unchecked-optional-access) waited for
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<T> value_;
};

// Runs `function` on the loop's thread and waits for what it returns.
template <class F>
auto call_on(Loop& loop, F function) {
  Handover<decltype(function())> result;
  loop.post([&result, &function] { result.put(function()); });
  return result.take();
}

Task<void> run_main(std::move_only_function<Task<int>()> main, Handover<int>* result) {
  int code = co_await main();
  result->put(code);
}

Task<int> wait_for_signal(Reactor* reactor) {
  sigset_t set = awaited_signals();
  int fd = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  CHECK(fd >= 0, "signalfd failed");
  WatchedOwner watched(reactor->watch(fd));
  signalfd_siginfo info{};
  while (::read(fd, &info, sizeof info) != sizeof info) co_await watched->readable();
  co_return static_cast<int>(info.ssi_signo);
}

}  // namespace

struct AsioRuntime::State {
  SystemClock clock;
  KernelEntropy entropy;
  PosixDisk disk;
  std::unique_ptr<StderrLog> own_log;
  // Loops outlive the pool's threads, which post to them.
  std::vector<std::unique_ptr<AsioLoop>> loops;  // data loops, then the control loop
  std::optional<ThreadPool> pool;
  bool started = false;
};

AsioRuntime::AsioRuntime(AsioOptions options) : state_(std::make_unique<State>()) {
  sigset_t set = awaited_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
  if (options.log == nullptr) {
    state_->own_log = std::make_unique<StderrLog>(options.log_level);
    options.log = state_->own_log.get();
  }
  ThreadPool& pool = state_->pool.emplace(std::max<std::size_t>(options.pool_threads, 1));
  SharedServices services{state_->clock, state_->entropy, state_->disk, *options.log, pool};
  std::size_t count = options.data_loops > 0 ? options.data_loops : usable_processors();
  for (std::size_t i = 0; i < count; ++i) {
    state_->loops.push_back(std::make_unique<AsioLoop>("data-" + std::to_string(i), services));
  }
  state_->loops.push_back(std::make_unique<AsioLoop>("control", services));
}

AsioRuntime::~AsioRuntime() { stop(); }

void AsioRuntime::start() {
  CHECK(!state_->started, "a runtime starts once");
  state_->started = true;
  for (auto& loop : state_->loops) loop->start();
}

void AsioRuntime::stop(Duration grace) {
  CHECK(Loop::current() == nullptr, "a runtime is not stopped on one of its loops");
  if (!std::exchange(state_->started, false)) return;
  Instant deadline = state_->clock.now() + grace;
  auto busy = [&] {
    for (auto& loop : state_->loops) {
      if (call_on(*loop, [&] { return loop->live_tasks(); }) > 0) return true;
    }
    return false;
  };
  while (state_->clock.now() < deadline && busy()) std::this_thread::sleep_for(1ms);
  for (auto& loop : state_->loops) {
    call_on(*loop, [&] {
      loop->destroy_tasks();
      return true;
    });
  }
  state_->pool.reset();  // finishes what was submitted
  for (auto& loop : state_->loops) {
    // What other loops and the pool posted meanwhile has run or runs now; tasks that it began end here.
    call_on(*loop, [&] {
      loop->destroy_tasks();
      return true;
    });
    loop->finish();
  }
}

int AsioRuntime::run(std::move_only_function<Task<int>()> main) {
  Handover<int> result;
  Loop& loop = control_loop();
  loop.post([&loop, &result, main = std::move(main)]() mutable { loop.spawn(run_main(std::move(main), &result)); });
  return result.take();
}

Task<int> AsioRuntime::wait_signal() { return wait_for_signal(&state_->loops.back()->reactor()); }

std::size_t AsioRuntime::data_loops() const { return state_->loops.size() - 1; }
Loop& AsioRuntime::data_loop(std::size_t index) {
  CHECK(index < data_loops(), "no data loop {}", index);
  return *state_->loops[index];
}
Loop& AsioRuntime::control_loop() { return *state_->loops.back(); }

std::vector<AsioRuntime::LoopStats> AsioRuntime::loop_stats() const {
  std::vector<LoopStats> all;
  for (auto& loop : state_->loops) all.push_back({loop->name(), loop->stalls(), loop->longest_turn(), loop->busy()});
  return all;
}

}  // namespace milena::io
