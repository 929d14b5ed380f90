/// A simulated machine without a node on it, and partitions made by hand: for this room's tests. What a test does to
/// a partition it does in a task or call on the control loop, where all of them live unless they are said to be
/// elsewhere.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "io/sim/sim_world.h"
#include "replica/partition.h"
#include "wire/batch_builder.h"

namespace milena::replica {

/// An answer that may still come.
template <class T>
using Answer = std::shared_ptr<std::optional<T>>;

class ReplicaWorld {
 public:
  explicit ReplicaWorld(std::size_t data_loops = 1) : data_loops_(data_loops) {
    io::SimNodeOptions options;
    options.data_loops = data_loops;
    options.perfect_clock = true;
    node_ = &world_->add_node(std::move(options));
    disk().faults().cold_read_one_in = 0;
  }
  ~ReplicaWorld() { crash(); }

  io::SimWorld& sim() { return *world_; }
  io::Runtime& runtime() { return node_->runtime(); }
  io::Loop& loop() { return runtime().control_loop(); }
  bool running() const { return node_->running(); }
  io::SimDisk& disk() { return node_->disk(); }
  Timestamp wall_now() { return node_->clock().wall_now(); }

  /// Starts the task; it goes on whenever the world runs.
  template <class T>
  Answer<T> start(io::Task<T> task) {
    auto answer = std::make_shared<std::optional<T>>();
    node_->spawn(keep(std::move(task), answer));
    return answer;
  }
  /// REQUIRES: the answer comes within ten minutes of virtual time.
  template <class T>
  T get(const Answer<T>& answer) {
    bool came = world_->run_until([&] { return answer->has_value(); }, 10min);
    CHECK(came, "no answer within ten minutes");
    return std::move(**answer);
  }
  template <class T>
  T run(io::Task<T> task) {
    return get(start(std::move(task)));
  }
  void run(io::Task<void> task) { run(flagged(std::move(task))); }
  /// A plain call, made on the control loop.
  void call(std::function<void()> function) { run(called(std::move(function))); }
  /// The same on another loop of the machine.
  void call_on(io::Loop& there, std::function<void()> function) {
    auto work = [function = std::move(function)] { return called(function); };
    run(io::run_on(there, std::move(work)));
  }
  void run_for(Duration duration) { world_->run_for(duration); }

  /// The machine does nothing for a while; time goes on.
  void pause(Duration duration) { world_->pause(*node_, duration); }

  /// Another machine, with an empty disk.
  void renew(std::uint64_t seed) {
    crash();
    io::SimNodeOptions options;
    options.data_loops = data_loops_;
    options.perfect_clock = true;
    world_ = std::make_unique<io::SimWorld>(seed);
    node_ = &world_->add_node(std::move(options));
    disk().faults().cold_read_one_in = 0;
  }
  /// The process ends; disk() can be used again, and so can loop() after it.
  void restart(io::SimCrash how = io::SimCrash::kKill) {
    world_->crash(*node_, how);
    world_->restart(*node_);
  }

 private:
  void crash() { world_->crash(*node_, io::SimCrash::kKill); }
  template <class T>
  static io::Task<void> keep(io::Task<T> task, Answer<T> answer) {
    T value = co_await std::move(task);
    answer->emplace(std::move(value));
  }
  static io::Task<bool> flagged(io::Task<void> task) {
    co_await std::move(task);
    co_return true;
  }
  static io::Task<void> called(std::function<void()> function) {
    function();
    co_return;
  }

  std::unique_ptr<io::SimWorld> world_ = std::make_unique<io::SimWorld>(1);
  io::SimNode* node_ = nullptr;
  std::size_t data_loops_;
};

inline constexpr TopicId kTopic{1, 2};

/// A batch of `count` records stamped with the wall clock's time, as a client would send it.
inline Bytes make_records(int count, Timestamp first, std::size_t value_size = 10) {
  wire::BatchBuilder builder{wire::BatchOptions{}};
  std::string value(value_size, 'v');
  for (int i = 0; i < count; ++i) builder.append(first + i, std::nullopt, as_bytes(value));
  return builder.build();
}

/// A partition with an empty log of its own (or the one that is there), which does not lead yet. `offline` counts
/// how often it told that its log failed.
inline std::shared_ptr<Partition> make_partition(ReplicaWorld& world, io::Loop& home, TopicIdPartition id,
                                                 const std::string& topic, const PartitionSettings& settings = {},
                                                 int* offline = nullptr,
                                                 Offset recovery_point = Offset(0)) {
  log::OpenLog how;
  how.path = "/data/" + topic + "-" + std::to_string(id.partition.value());
  how.options = settings.log;
  how.recovery_point = recovery_point;
  how.now = world.wall_now();
  CHECK(world.disk().create_directories(how.path).has_value(), "no directory for the log");
  auto log = log::Log::open(world.disk(), how);
  CHECK(log.has_value(), "the log does not open");
  auto on_offline = [offline](const Partition&) {
    if (offline != nullptr) ++*offline;
  };
  return std::make_shared<Partition>(home, id, topic, std::move(*log), settings, std::move(on_offline));
}

}  // namespace milena::replica
