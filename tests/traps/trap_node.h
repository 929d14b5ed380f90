/// TrapNode: a whole node in the simulated world with the topic `orders`, and the few requests that the traps' tests
/// are made of. One or two log directories; every acknowledged record is synced (flush.messages=1) unless told.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker/testing/node_world.h"
#include "broker/testing/partition_requests.h"
#include "io/sim/sim_clock.h"
#include "wire/error_code.h"

namespace milena::traps {

using wire::ErrorCode;

struct Produced {
  ErrorCode error = ErrorCode::UNKNOWN_SERVER_ERROR;  // also: no answer
  std::int64_t offset = -1;
};

/// A member of a group, and its generation.
struct Membership {
  std::string group;
  std::string id;
  std::optional<std::string> instance;
  std::int32_t generation = -1;
};

class TrapNode {
 public:
  using Overrides = broker::NodeWorld::Overrides;
  using Configs = std::map<std::string, std::string>;

  /// Starts it and makes the topic. Ends the test program if that fails.
  explicit TrapNode(Overrides overrides = {}, const Configs& topic = {}, std::uint64_t seed = 1);

  /// Kills it and starts it again.
  void restart(io::SimCrash how = io::SimCrash::kKill);
  void stop_and_start();
  io::SimDisk& disk();

  Produced produce(Bytes batch, const std::string& topic = "orders", std::int32_t partition = 0);
  Produced produce(int records = 1) { return produce(broker::batch_of(records, world.now_ms())); }
  /// The offsets of all records from `from` on, as a consumer gets them, in order. A failed fetch or a damaged batch
  /// ends the list with -1.
  std::vector<std::int64_t> read(std::int64_t from);
  /// ListOffsets; -2: earliest, -1: latest, else a time. An error: -100 - code.
  std::int64_t offset(std::int64_t timestamp, const std::string& topic = "orders");
  /// The directory below which partition 0 of the topic lies.
  std::string directory_of(const std::string& topic = "orders");

  /// The only member of a group, which is stable then.
  Membership join(const std::string& group, std::optional<std::string> instance = std::nullopt);
  ErrorCode heartbeat(const Membership& member);
  /// Commits an offset of orders-0.
  ErrorCode commit(const Membership& member, std::int64_t offset, std::int32_t leader_epoch = -1);
  struct Committed {
    std::int64_t offset = -1;
    std::int32_t leader_epoch = -1;
    friend bool operator==(const Committed&, const Committed&) = default;
  };
  Committed committed(const std::string& group);
  /// Waits until the group has a coordinator.
  void find_coordinator(const std::string& group);

  broker::NodeWorld world;
  broker::TopicRef orders;
};

/// A batch of an idempotent producer; the time of its first record.
inline constexpr std::int64_t kBatchTime = io::SimClock::kWorldStartMs;
Bytes numbered(std::int32_t sequence, std::int32_t records, std::int16_t epoch = 0, std::int64_t producer = 900);
/// `count` numbers from `first` on.
std::vector<std::int64_t> offsets(std::int64_t first, std::int64_t count);

/// Watches what is asked of operator new.
class LargestAllocation {
 public:
  LargestAllocation();
  ~LargestAllocation();
  /// The largest single request since then.
  static std::size_t bytes();
  /// All of them in sum.
  static std::size_t total();
};

}  // namespace milena::traps
