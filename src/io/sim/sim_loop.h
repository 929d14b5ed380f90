/// SimLoop: a Loop whose turns are events of the simulated world. Only for io/sim; made by SimNode.
#pragma once

#include <map>
#include <vector>

#include "io/loop.h"
#include "io/sim/sim_clock.h"
#include "io/sim/sim_core.h"
#include "io/sim/sim_disk.h"

namespace milena::io {

class SimNet;

/// What the loops of one process share.
struct SimProcess {
  SimCore& core;
  SimCore::Owner owner;  // of this incarnation's events
  SimClock& clock;
  Entropy& entropy;
  SimDisk& disk;
  Log& log;
  SimNet& net;
  std::uint64_t node;
  Instant paused_until;  // world time: no turn runs before
};

class SimLoop final : public Loop {
 public:
  SimLoop(SimProcess& process, std::uint64_t index);
  ~SimLoop() override;

  Clock& clock() override { return process_.clock; }
  Entropy& entropy() override { return process_.entropy; }
  Disk& disk() override { return process_.disk; }
  Net& net() override { return *net_; }
  Log& log() override { return process_.log; }
  void post(Callback callback) override;
  void run_off_loop(Callback work, Callback done) override;
  bool is_current() const override { return Loop::current() == this; }

  SimProcess& process() { return process_; }
  /// Has a turn run soon: something became ready from outside.
  void wake();
  /// Makes this the current loop for a while; for what the world does in a loop's name.
  class Entered {
   public:
    explicit Entered(SimLoop* loop) : before_(Loop::current()) { set_current(loop); }
    ~Entered() { set_current(before_); }
    Entered(const Entered&) = delete;
    Entered& operator=(const Entered&) = delete;

   private:
    Loop* before_;
  };
  /// Destroys tasks and callbacks that have arrived.
  void drop_everything();

 private:
  static constexpr std::int64_t kBatchesPerTurn = 8;
  void schedule(Instant world_time);
  void turn();
  void deliver(std::uint64_t sender, Duration delay, Callback callback);

  SimProcess& process_;
  std::uint64_t index_;
  Random random_;
  std::unique_ptr<Net> net_;
  std::vector<Callback> arrived_;
  std::map<std::uint64_t, Instant> last_post_;  // by sending loop: posts of one sender keep their order
  bool scheduled_ = false;
  Instant scheduled_at_;
  std::uint64_t turn_number_ = 0;
};

}  // namespace milena::io
