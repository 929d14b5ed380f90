/// Topics and partitions as the metadata records describe them.
///
/// Leader -1: none. A partition's epoch grows with each change, its leader epoch with each new leader (and with
/// each change that must fence the old one). ELR (KIP-966): replicas out of the ISR that are known to hold
/// everything committed; the last known ELR remembers who was in ISR or ELR when both ran empty.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "image/cow.h"
#include "image/persistent_map.h"
#include "wire/tagged_fields.h"

namespace milena::image {

enum class LeaderRecoveryState : std::int8_t {
  kRecovered = 0,
  kRecovering = 1,  // the leader was elected uncleanly and has not settled its log yet
};

/// Directory ids with a meaning of their own (KIP-858).
inline constexpr Uuid kUnassignedDirectory{0, 1};
inline constexpr Uuid kLostDirectory{0, 2};
inline constexpr Uuid kMigratingDirectory{0, 0};

struct Partition {
  std::vector<BrokerId> replicas;  // the first one is the preferred leader
  std::vector<Uuid> directories;   // one per replica, same order
  std::vector<BrokerId> isr;
  std::vector<BrokerId> removing_replicas;
  std::vector<BrokerId> adding_replicas;
  std::vector<BrokerId> elr;
  std::vector<BrokerId> last_known_elr;
  BrokerId leader = kNoBroker;
  LeaderRecoveryState leader_recovery_state = LeaderRecoveryState::kRecovered;
  Epoch leader_epoch{0};
  std::int32_t partition_epoch = 0;
  wire::UnknownTaggedFields unknown;  // of its PartitionRecord
  bool operator==(const Partition&) const = default;

  bool has_leader() const { return leader != kNoBroker; }
  bool is_replica(BrokerId broker) const;
  bool in_isr(BrokerId broker) const;
  bool in_elr(BrokerId broker) const;
  /// The directory of `broker`'s replica; unassigned if it has none or is no replica.
  Uuid directory_of(BrokerId broker) const;
};

struct Topic {
  std::string name;
  TopicId id;
  PersistentMap<PartitionId, Cow<Partition>> partitions;
  wire::UnknownTaggedFields unknown;  // of its TopicRecord
  bool operator==(const Topic&) const = default;

  const Partition* partition(PartitionId id) const {
    const Cow<Partition>* found = partitions.find(id);
    return found == nullptr ? nullptr : &**found;
  }
};

}  // namespace milena::image
