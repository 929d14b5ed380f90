#include "image/image.h"

#include <algorithm>

#include "image/delta.h"

namespace milena::image {

bool Partition::is_replica(BrokerId broker) const { return std::ranges::find(replicas, broker) != replicas.end(); }
bool Partition::in_isr(BrokerId broker) const { return std::ranges::find(isr, broker) != isr.end(); }
bool Partition::in_elr(BrokerId broker) const { return std::ranges::find(elr, broker) != elr.end(); }

Uuid Partition::directory_of(BrokerId broker) const {
  auto found = std::ranges::find(replicas, broker);
  auto index = static_cast<std::size_t>(found - replicas.begin());
  return index < directories.size() ? directories[index] : kUnassignedDirectory;
}

bool Image::same_contents(const Image& other) const {
  return topics == other.topics && topic_ids == other.topic_ids && brokers == other.brokers &&
         controllers == other.controllers && features == other.features && configs == other.configs &&
         producer_ids == other.producer_ids && client_quotas == other.client_quotas && acls == other.acls &&
         scram == other.scram && delegation_tokens == other.delegation_tokens;
}

const Topic* Image::topic(const TopicId& id) const {
  const Cow<Topic>* found = topics.find(id);
  return found == nullptr ? nullptr : &**found;
}

const Topic* Image::topic(std::string_view name) const {
  const TopicId* id = topic_ids.find(name);
  return id == nullptr ? nullptr : topic(*id);
}

const Partition* Image::partition(const TopicIdPartition& id) const {
  const Topic* found = topic(id.topic_id);
  return found == nullptr ? nullptr : found->partition(id.partition);
}

const Broker* Image::broker(BrokerId id) const {
  const Cow<Broker>* found = brokers.find(id);
  return found == nullptr ? nullptr : &**found;
}

std::int16_t Image::feature_level(std::string_view name) const {
  const std::int16_t* level = features.find(name);
  return level == nullptr ? 0 : *level;
}

MetadataVersion Image::metadata_version() const {
  return MetadataVersion{std::max(feature_level(kMetadataVersionFeature), kMinMetadataVersion)};
}

const ConfigMap& Image::config(ResourceType type, std::string_view name) const {
  static const ConfigMap kEmpty;
  const Cow<ConfigMap>* found = configs.find(ConfigResource{static_cast<std::int8_t>(type), std::string(name)});
  return found == nullptr ? kEmpty : **found;
}

const std::string* Image::config(ResourceType type, std::string_view name, const std::string& key) const {
  const ConfigMap& values = config(type, name);
  auto found = values.find(key);
  return found == values.end() ? nullptr : &found->second;
}

bool Image::active(BrokerId id) const {
  const Broker* found = broker(id);
  return found != nullptr && !found->fenced && !found->in_controlled_shutdown;
}

bool Delta::empty() const {
  return created_topics.empty() && deleted_topics.empty() && partitions.empty() && brokers.empty() &&
         controllers.empty() && configs.empty() && !features && !producer_ids && !client_quotas && !acls && !scram &&
         !delegation_tokens;
}

void Delta::merge(const Delta& later) {
  created_topics.insert(later.created_topics.begin(), later.created_topics.end());
  partitions.insert(later.partitions.begin(), later.partitions.end());
  for (const auto& [id, name] : later.deleted_topics) {
    created_topics.erase(id);
    deleted_topics[id] = name;
    partitions.erase(partitions.lower_bound({id, PartitionId(0)}), partitions.upper_bound({id, PartitionId(INT32_MAX)}));
  }
  brokers.insert(later.brokers.begin(), later.brokers.end());
  controllers.insert(later.controllers.begin(), later.controllers.end());
  configs.insert(later.configs.begin(), later.configs.end());
  features = features || later.features;
  producer_ids = producer_ids || later.producer_ids;
  client_quotas = client_quotas || later.client_quotas;
  acls = acls || later.acls;
  scram = scram || later.scram;
  delegation_tokens = delegation_tokens || later.delegation_tokens;
}

}  // namespace milena::image
