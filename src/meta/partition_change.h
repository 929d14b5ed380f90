/// PartitionChange: from a wished state of a partition to the record that brings it about: leader election, ELR,
/// leader epoch, completion of a reassignment. Source: KIP-966, KIP-455, Kafka 4.3's observable records.
///
/// Election order: the present leader if it may stay; a replica of the ISR, in replica order; of the ELR when the
/// ISR is empty; the last known leader, recovering, when both are empty; with unclean election any live replica.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "image/image.h"
#include "image/record.h"
#include "meta/decision.h"

namespace milena::meta {

enum class Election : std::uint8_t { kAny, kPreferred, kUnclean };

struct PartitionChange {
  const image::Image& image;
  TopicIdPartition id;
  const image::Partition& before;
  /// May this replica lead: alive, its directory online.
  std::function<bool(BrokerId)> acceptable;
  std::int32_t min_isr = 1;
  Election election = Election::kAny;

  std::vector<BrokerId> isr = before.isr;
  std::vector<BrokerId> replicas = before.replicas;
  std::vector<BrokerId> removing = before.removing_replicas;
  std::vector<BrokerId> adding = before.adding_replicas;
  std::vector<BrokerId> unclean_replicas = {};  // came back without what they had
  image::LeaderRecoveryState recovery_state = before.leader_recovery_state;
  std::vector<std::pair<BrokerId, Uuid>> directories = {};  // changed ones

  /// Nothing if the partition is as wished already.
  std::optional<image::MetadataRecord> build() const;
};

/// Whether the broker's registration names the directory as online; a directory not assigned yet counts as online.
bool directory_online(const image::Image& image, BrokerId id, const Uuid& directory);

/// The changes that take `leaving` out of ISRs and leaderships, let `joining` be elected where there is no leader,
/// and take `unclean` out of ISR and ELR (each may be kNoBroker). In the order of topic ids. O(partitions).
std::vector<image::MetadataRecord> leader_and_isr_updates(const Context& context, BrokerId leaving, BrokerId joining,
                                                          BrokerId unclean);

}  // namespace milena::meta
