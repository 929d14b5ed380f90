/// Nemesis: does harm, one thing after another, drawn from the seed; then sees to it that the broker comes
/// back.
#pragma once

#include <string>
#include <vector>

#include "world.h"

namespace milena::sim {

class Nemesis {
 public:
  /// `quiet_limit`: of the time in which little happens before each round.
  Nemesis(World& world, Duration quiet_limit);
  /// A while of peace, one fault, its end.
  void round();
  /// Time passes without faults, and the clients do little.
  void rest_until(Instant when);

 private:
  struct Fault {
    const char* name;
    void (Nemesis::*act)();
    std::uint64_t weight;
  };
  void kill();
  void power_loss();
  void power_loss_behind_answer();
  void crash_at_call();
  void disk_full();
  void failed_sync();
  void failed_directory();
  void rot();
  void clock_jump();
  void cut();
  void isolate();
  void slow_disk();
  void cold_reads();
  void pause();
  void clean_restart();
  void start_on_full_disk();
  void put_back_a_log();

  void run_up_to(Duration limit);
  /// Time passes while the clients do little.
  void quiet();
  /// Damages caches on the disk of the dead broker.
  void damage_caches();
  /// A restart that dies once more while it recovers, now and then.
  void restart();

  World& world_;
  Duration quiet_limit_;
  Random random_;
  std::vector<Fault> faults_;
  std::uint64_t weights_ = 0;
};

/// The faults that a batch of runs must have met, and the marks that count them.
struct CountedFault {
  const char* name;
  const char* mark;
};
const std::vector<CountedFault>& counted_faults();
/// The same for what clients do and the checkers compare.
const std::vector<CountedFault>& counted_paths();
/// The same for the product's rare paths, by the names of their MILENA_REACHED (tools/check_marks.py
/// compares); counted are the runs that came by.
const std::vector<CountedFault>& counted_reached();

}  // namespace milena::sim
