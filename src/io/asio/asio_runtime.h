/// AsioRuntime: the real world. N data loops and a control loop, each a thread of its own with a reactor, and
/// a small pool for what blocks.
///
/// Made, started and stopped by one thread, usually main's, which belongs to no loop. From construction on
/// SIGTERM, SIGINT and SIGHUP are blocked in all threads and taken by wait_signal(); SIGPIPE and SIGXFSZ are
/// ignored.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "io/log.h"
#include "io/runtime.h"

namespace milena::io {

struct AsioOptions {
  std::size_t data_loops = 0;    // 0: usable_processors()
  std::size_t pool_threads = 2;  // run_off_loop and name resolution
  Level log_level = Level::kInfo;
  Log* log = nullptr;  // null: standard error (io/asio/stderr_log.h); else it must outlive the runtime
};

class AsioRuntime final : public Runtime {
 public:
  explicit AsioRuntime(AsioOptions options = {});
  ~AsioRuntime() override;  // stops

  /// Starts the threads. What was posted before runs then.
  void start();
  /// Waits until no loop has tasks, at most `grace`, then destroys the tasks that are left, each loop's on its
  /// own thread, data loops first, the control loop last, and joins all threads. Idempotent.
  /// REQUIRES: not called on a loop.
  void stop(Duration grace = Duration::zero());

  /// Runs `main` as a task on the control loop and blocks the calling thread until it returns.
  /// REQUIRES: started, not called on a loop.
  int run(std::move_only_function<Task<int>()> main);
  /// Waits for one of SIGTERM, SIGINT and SIGHUP; returns which. On the control loop, one waiter at a time.
  Task<int> wait_signal();

  std::size_t data_loops() const override;
  Loop& data_loop(std::size_t index) override;
  Loop& control_loop() override;

  struct LoopStats {
    std::string name;
    std::uint64_t stalls = 0;  // turns longer than 50 ms
    Duration longest_turn{0};
    Duration busy{0};  // in turns, since the start
  };
  /// Data loops, then the control loop. Any thread.
  std::vector<LoopStats> loop_stats() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace milena::io
