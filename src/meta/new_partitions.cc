#include "meta/new_partitions.h"

#include <fmt/format.h>

#include <algorithm>

#include "image/writer.h"

namespace milena::meta {

Uuid default_directory(const image::Image& image, BrokerId id) {
  const image::Broker* broker = image.broker(id);
  if (broker == nullptr) return image::kUnassignedDirectory;
  if (broker->log_dirs.empty()) return image::kMigratingDirectory;
  return broker->log_dirs.size() == 1 ? broker->log_dirs[0] : image::kUnassignedDirectory;
}

std::vector<UsableBroker> usable_brokers(const Context& context) {
  std::vector<UsableBroker> usable;
  for (const auto& [id, broker] : context.image.brokers) {
    const Heartbeats::State* state = context.heartbeats.find(id);
    if (broker->in_controlled_shutdown || (state != nullptr && state->controlled_shutdown_offset.has_value())) continue;
    auto cordoned = [&](const Uuid& directory) {
      return broker->cordoned_log_dirs.has_value() &&
             std::ranges::find(*broker->cordoned_log_dirs, directory) != broker->cordoned_log_dirs->end();
    };
    if (!broker->log_dirs.empty() && std::ranges::all_of(broker->log_dirs, cordoned)) continue;
    usable.push_back({id, broker->rack, broker->fenced});
  }
  return usable;
}

ApiError check_manual_assignment(const image::Image& image, const std::vector<BrokerId>& assignment,
                                 std::optional<std::size_t> replicas) {
  auto invalid = [](std::string message) {
    return ApiError{wire::ErrorCode::INVALID_REPLICA_ASSIGNMENT, std::move(message)};
  };
  if (assignment.empty()) return invalid("The manual partition assignment includes an empty replica list.");
  std::vector<BrokerId> sorted = assignment;
  std::ranges::sort(sorted);
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (image.broker(sorted[i]) == nullptr)
      return invalid(fmt::format(
          "The manual partition assignment includes broker {}, but no such broker is registered.", sorted[i]));
    if (i > 0 && sorted[i] == sorted[i - 1])
      return invalid(
          fmt::format("The manual partition assignment includes the broker {} more than once.", sorted[i]));
  }
  if (replicas.has_value() && sorted.size() != *replicas)
    return invalid(fmt::format("The manual partition assignment includes a partition with {} replica(s), but this is "
                               "not consistent with previous partitions, which have {} replica(s).",
                               sorted.size(), *replicas));
  return {};
}

std::optional<image::MetadataRecord> new_partition(const image::Image& image, const TopicId& topic, PartitionId id,
                                                   const std::vector<BrokerId>& assignment) {
  image::Partition partition;
  partition.replicas = assignment;
  for (BrokerId replica : assignment) {
    partition.directories.push_back(default_directory(image, replica));
    if (image.active(replica)) partition.isr.push_back(replica);
  }
  if (partition.isr.empty()) return std::nullopt;
  partition.leader = partition.isr[0];
  return image::partition_record(topic, id, partition, image.metadata_version());
}

}  // namespace milena::meta
