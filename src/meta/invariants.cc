#include "meta/invariants.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace milena::meta {
namespace {

void check_partition(const image::Image& image, const std::string& name, const image::Partition& partition,
                     std::vector<std::string>& broken) {
  auto say = [&](std::string_view what) { broken.push_back(fmt::format("{}: {}", name, what)); };
  std::set<BrokerId> replicas(partition.replicas.begin(), partition.replicas.end());
  auto within = [&](const std::vector<BrokerId>& list) {
    return std::ranges::all_of(list, [&](BrokerId id) { return replicas.contains(id); });
  };
  if (replicas.empty() || replicas.size() != partition.replicas.size()) say("replicas are none or not distinct");
  if (partition.directories.size() != partition.replicas.size()) say("not one directory for each replica");
  if (!within(partition.isr)) say("the ISR is not within the replicas");
  if (!within(partition.elr)) say("the ELR is not within the replicas");
  if (std::ranges::any_of(partition.elr, [&](BrokerId id) { return partition.in_isr(id); }))
    say("ISR and ELR overlap");
  if (partition.last_known_elr.size() > 1) say("more than one last known leader");
  if (partition.leader_epoch < Epoch(0) || partition.partition_epoch < 0) say("an epoch is negative");
  if (!partition.has_leader()) return;
  if (!partition.in_isr(partition.leader)) say("the leader is not in the ISR");
  if (!image.active(partition.leader)) say("the leader is fenced, shutting down or not registered");
}

}  // namespace

std::vector<std::string> broken_invariants(const image::Image& image) {
  std::vector<std::string> broken;
  for (const auto& [id, topic] : image.topics) {
    const TopicId* by_name = image.topic_ids.find(topic->name);
    if (topic->id != id || by_name == nullptr || *by_name != id)
      broken.push_back(fmt::format("topic {} is not found by its name", topic->name));
    std::int32_t expected = 0;
    for (const auto& [number, partition] : topic->partitions) {
      if (number.value() != expected++) broken.push_back(fmt::format("topic {} has gaps", topic->name));
      check_partition(image, fmt::format("{}-{}", topic->name, number), *partition, broken);
    }
  }
  if (image.topics.size() != image.topic_ids.size()) broken.emplace_back("topics by id and by name differ in number");
  for (const auto& [id, broker] : image.brokers)
    if (broker->broker_id != id.value()) broken.push_back(fmt::format("broker {} is registered as {}", broker->broker_id, id));
  for (const auto& [resource, values] : image.configs) {
    if (values->empty()) broken.push_back(fmt::format("config of {} holds nothing", resource.name));
    if (resource.type == static_cast<std::int8_t>(image::ResourceType::kTopic) && image.topic(resource.name) == nullptr)
      broken.push_back(fmt::format("config of the unknown topic {}", resource.name));
  }
  return broken;
}

}  // namespace milena::meta
