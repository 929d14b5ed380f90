/// A simulated disk and makers of batches, for this room's tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "io/sim/sim_disk.h"
#include "log/log.h"
#include "log/log_directory.h"
#include "wire/batch_builder.h"
#include "wire/control_record.h"
#include "wire/record.h"

namespace milena::log {

inline const std::string kDirectory = "/data/t-0";

struct Machine {
  explicit Machine(std::uint64_t seed = 1)
      : core(seed), disk(core, 0, [this] { return wall_ns; }, [this] { disk.kill(); }) {
    disk.faults().cold_read_one_in = 0;
    made = disk.create_directories(kDirectory).has_value() && disk.sync_directory("/").has_value() &&
           disk.sync_directory("/data").has_value();
  }
  /// The process dies and a new one starts.
  void restart() {
    disk.kill();
    disk.revive();
  }
  void power_cycle() {
    disk.lose_power();
    disk.revive();
  }
  std::string read(const std::string& name) {
    return disk.read_file(kDirectory + "/" + name).value_or("<none>");
  }
  bool has(const std::string& name) { return disk.exists(kDirectory + "/" + name); }
  void write(const std::string& name, std::string_view content) {
    ASSERT_TRUE(disk.write_file(kDirectory + "/" + name, content).has_value());
  }

  std::int64_t wall_ns = 0;
  io::SimCore core;
  io::SimDisk disk;
  bool made = false;
};

struct BatchSpec {
  int count = 1;
  Timestamp timestamp = Timestamp(1000);
  std::size_t value_size = 10;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = 0;
  std::int32_t sequence = 0;
  bool transactional = false;
  wire::Codec codec = wire::Codec::kNone;
  Offset base{0};
  Epoch epoch = kNoEpoch;
  char fill = 'v';
};

inline Bytes make_batch(const BatchSpec& spec) {
  wire::BatchOptions options;
  options.codec = spec.codec;
  options.base_offset = spec.base;
  options.leader_epoch = spec.epoch;
  if (spec.producer_id >= 0) {
    options.producer_id = ProducerId(spec.producer_id);
    options.producer_epoch = spec.producer_epoch;
    options.base_sequence = spec.sequence;
    options.transactional = spec.transactional;
  }
  wire::BatchBuilder builder(options);
  std::string value(spec.value_size, spec.fill);
  for (int i = 0; i < spec.count; ++i) builder.append(spec.timestamp + i, std::nullopt, as_bytes(value));
  return builder.build();
}

inline Bytes make_marker(std::int64_t producer_id, bool commit, std::int16_t epoch = 0,
                         std::int32_t coordinator = 0) {
  return wire::make_end_txn_batch({commit, coordinator, ProducerId(producer_id), epoch}, Offset(0), kNoEpoch,
                                  Timestamp(2000));
}

inline OpenLog open_how(const LogOptions& options = {}) {
  OpenLog how;
  how.path = kDirectory;
  how.options = options;
  how.now = Timestamp(5000);
  return how;
}

inline std::unique_ptr<Log> must_open(Machine& machine, const OpenLog& how,
                                      RecoveryReport* report = nullptr) {
  auto log = Log::open(machine.disk, how, report);
  EXPECT_TRUE(log.has_value()) << (log.failed() ? log.error().message : "");
  if (log.failed()) return nullptr;
  (*log)->check_invariants();
  return std::move(*log);
}

inline AppendResult must_append(Log& log, const BatchSpec& spec, Epoch epoch = Epoch(0),
                                Timestamp now = Timestamp(1)) {
  auto result = log.append_as_leader(make_batch(spec), epoch, now);
  EXPECT_TRUE(result.has_value()) << (result.failed() ? result.error().message : "");
  return result.failed() ? AppendResult{} : *result;
}

inline io::IoResult<void> flush(Machine& machine, Log& log) {
  FlushPlan plan = log.begin_flush();
  TRY(plan.run(machine.disk));
  log.complete_flush(plan);
  return {};
}

/// Stops the log cleanly; what to open it with next.
inline OpenLog close_cleanly(Machine& machine, std::unique_ptr<Log> log) {
  auto plan = log->begin_close();
  EXPECT_TRUE(plan.has_value());
  EXPECT_TRUE(plan->run(machine.disk).has_value());
  log->complete_flush(*plan);
  OpenLog how = open_how(log->options());
  how.clean = true;
  how.recovery_point = log->recovery_point();
  how.log_start_offset = log->log_start_offset();
  EXPECT_EQ(log->recovery_point(), log->log_end_offset());
  return how;
}

/// All batches from `from` to `upper` (log end when negative), as one string of bytes.
inline std::string read_all(Log& log, Offset from, Offset upper = kNoOffset) {
  std::string all;
  if (upper == kNoOffset) upper = log.log_end_offset();
  while (from < upper) {
    auto plan = log.plan_read(from, 1 << 20, true, upper);
    EXPECT_TRUE(plan.has_value()) << (plan.failed() ? plan.error().message : "");
    if (plan.failed() || plan->empty()) break;
    auto bytes = plan->load();
    EXPECT_TRUE(bytes.has_value());
    wire::BatchCursor cursor(bytes->view());
    wire::BatchView batch;
    bool any = false;
    while (cursor.next(batch)) {
      EXPECT_TRUE(batch.crc_ok());
      EXPECT_GE(batch.last_offset(), from);
      all += as_text(batch.bytes());
      from = batch.next_offset();
      any = true;
    }
    EXPECT_TRUE(any) << "a plan that holds no whole batch at " << from.value();
    if (!any) break;
  }
  return all;
}

}  // namespace milena::log
