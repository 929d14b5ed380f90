/// What CreateTopics and CreatePartitions share: checked replica assignments as partition records.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "meta/decision.h"
#include "meta/placement.h"

namespace milena::meta {

/// Where a new replica goes on the broker: its only directory; unassigned if it has several to choose from.
Uuid default_directory(const image::Image& image, BrokerId id);

/// Registered brokers that may get replicas: not shutting down, with a directory that is not cordoned.
std::vector<UsableBroker> usable_brokers(const Context& context);

/// Errors: INVALID_REPLICA_ASSIGNMENT (empty, unknown broker, twice the same, other size than `replicas`).
ApiError check_manual_assignment(const image::Image& image, const std::vector<BrokerId>& assignment,
                                 std::optional<std::size_t> replicas);

/// The record of a new partition; nothing if no broker of the assignment is active.
std::optional<image::MetadataRecord> new_partition(const image::Image& image, const TopicId& topic, PartitionId id,
                                                   const std::vector<BrokerId>& assignment);

}  // namespace milena::meta
