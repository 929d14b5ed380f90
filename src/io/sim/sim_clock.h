/// SimClock: the clocks of one node: a monotonic one with its own start and drift, and a wall clock with an
/// offset, which the world may make jump.
#pragma once

#include <string>

#include "io/clock.h"
#include "io/entropy.h"
#include "io/log.h"
#include "io/sim/sim_core.h"

namespace milena::io {

class SimClock final : public Clock {
 public:
  /// The simulated world begins at this wall time.
  static constexpr std::int64_t kWorldStartMs = 1'750'000'000'000;

  SimClock(const SimCore& core, Duration start, std::int64_t drift_ppm, Duration wall_offset)
      : core_(core), start_(start), drift_ppm_(drift_ppm), wall_offset_(wall_offset) {}

  Instant now() const override { return Instant(start_ + elapsed()); }
  Timestamp wall_now() const override { return Timestamp(wall_ns() / 1'000'000); }
  std::int64_t wall_ns() const { return kWorldStartMs * 1'000'000 + (elapsed() + wall_offset_).count(); }
  void jump_wall(Duration by) { wall_offset_ += by; }

  /// The world's time at which this clock reads at least `local`.
  Instant world_time(Instant local) const {
    Duration elapsed = local.since_start() - start_;
    auto world = static_cast<std::int64_t>(static_cast<__int128>(elapsed.count()) * kMillion / (kMillion + drift_ppm_));
    return Instant(Duration(world + 1));
  }

 private:
  static constexpr std::int64_t kMillion = 1'000'000;
  Duration elapsed() const {
    __int128 world = core_.now().since_start().count();
    return Duration(static_cast<std::int64_t>(world * (kMillion + drift_ppm_) / kMillion));
  }
  const SimCore& core_;
  Duration start_;
  std::int64_t drift_ppm_;
  Duration wall_offset_;
};

class SimEntropy final : public Entropy {
 public:
  explicit SimEntropy(Random random) : random_(random) {}
  std::uint64_t random64() override { return random_.next(); }

 private:
  Random random_;
};

class SimLog final : public Log {
 public:
  SimLog(SimCore& core, std::string node) : core_(core), node_(std::move(node)) {}
  void write(Level level, std::string_view logger, std::string_view message) override;
  bool enabled(Level level) const override { return level >= core_.log_level; }

 private:
  SimCore& core_;
  std::string node_;
};

}  // namespace milena::io
