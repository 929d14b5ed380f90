/// AsioLoop: a Loop with its own thread, reactor and queue of posts. Only for io/asio; made by AsioRuntime.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "io/asio/asio_net.h"
#include "io/asio/reactor.h"
#include "io/asio/thread_pool.h"
#include "io/loop.h"

namespace milena::io {

/// What all loops of a runtime share; each may be used from any thread.
struct SharedServices {
  Clock& clock;
  Entropy& entropy;
  Disk& disk;
  Log& log;
  ThreadPool& pool;
};

class AsioLoop final : public Loop {
 public:
  /// A turn longer than this counts as a stall.
  static constexpr Duration kStall = 50ms;

  AsioLoop(std::string name, SharedServices services);
  ~AsioLoop() override;

  Clock& clock() override { return services_.clock; }
  Entropy& entropy() override { return services_.entropy; }
  Disk& disk() override { return services_.disk; }
  Net& net() override { return net_; }
  Log& log() override { return services_.log; }
  void post(Callback callback) override;
  void run_off_loop(Callback work, Callback done) override;
  bool is_current() const override { return Loop::current() == this; }

  const std::string& name() const { return name_; }
  std::uint64_t stalls() const { return stalls_.load(std::memory_order_relaxed); }
  Duration busy() const { return Duration(busy_ns_.load(std::memory_order_relaxed)); }
  Duration longest_turn() const { return Duration(longest_turn_ns_.load(std::memory_order_relaxed)); }
  Reactor& reactor() { return reactor_; }

  // For AsioRuntime, from its thread.
  void start();
  void finish();  // ends the thread after its turn, joins it; tasks must be gone

 private:
  static constexpr int kBatchesPerTurn = 8;

  void run();
  bool run_posts();
  void idle();
  void note_turn(Duration took);

  std::string name_;
  SharedServices services_;
  Reactor reactor_;
  AsioNet net_;
  std::mutex mutex_;  // posts_
  std::vector<Callback> posts_;
  std::vector<Callback> running_;
  // True while the loop is about to block or blocks: a post must wake it. Sequentially consistent, paired
  // with the look at posts_ after it was set.
  std::atomic<bool> sleeping_{false};
  std::atomic<bool> finishing_{false};
  std::atomic<std::uint64_t> stalls_{0};
  std::atomic<std::int64_t> longest_turn_ns_{0};
  std::atomic<std::int64_t> busy_ns_{0};
  std::jthread thread_;
};

}  // namespace milena::io
