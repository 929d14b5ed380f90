#include "image/writer.h"

#include <utility>

namespace milena::image {
namespace {

std::vector<std::int32_t> raw(const std::vector<BrokerId>& ids) {
  std::vector<std::int32_t> values;
  values.reserve(ids.size());
  for (BrokerId id : ids) values.push_back(id.value());
  return values;
}

void write_features(const Image& image, std::vector<MetadataRecord>& out) {
  auto write = [&](const std::string& name, std::int16_t level) {
    wire::FeatureLevelRecord record;
    record.name = name;
    record.feature_level = level;
    out.push_back({std::move(record), 0});
  };
  std::string first(kMetadataVersionFeature);
  if (const std::int16_t* level = image.features.find(first)) write(first, *level);
  for (const auto& [name, level] : image.features)
    if (name != first) write(name, level);
}

void write_configs(const Image& image, std::vector<MetadataRecord>& out) {
  for (const auto& [resource, values] : image.configs) {
    for (const auto& [name, value] : *values) {
      wire::ConfigRecord record;
      record.resource_type = resource.type;
      record.resource_name = resource.name;
      record.name = name;
      record.value = value;
      out.push_back({std::move(record), 0});
    }
  }
}

void write_quotas(const Image& image, std::vector<MetadataRecord>& out) {
  for (const auto& [entity, values] : image.client_quotas) {
    for (const auto& [key, value] : *values) {
      wire::ClientQuotaRecord record;
      for (const auto& [type, name] : entity) {
        auto& part = record.entity.emplace_back();
        part.entity_type = type;
        part.entity_name = name;
      }
      record.key = key;
      record.value = value;
      out.push_back({std::move(record), 0});
    }
  }
}

}  // namespace

MetadataRecord broker_record(const Broker& broker, MetadataVersion version) {
  return {broker, version.register_broker_record()};
}

MetadataRecord partition_record(const TopicId& topic, PartitionId id, const Partition& partition,
                                MetadataVersion version) {
  wire::PartitionRecord record;
  record.partition_id = id.value();
  record.topic_id = topic;
  record.replicas = raw(partition.replicas);
  record.isr = raw(partition.isr);
  record.removing_replicas = raw(partition.removing_replicas);
  record.adding_replicas = raw(partition.adding_replicas);
  record.leader = partition.leader.value();
  record.leader_recovery_state = static_cast<std::int8_t>(partition.leader_recovery_state);
  record.leader_epoch = partition.leader_epoch.value();
  record.partition_epoch = partition.partition_epoch;
  if (version.directories()) record.directories = partition.directories;
  if (version.elr() && !partition.elr.empty()) record.eligible_leader_replicas = raw(partition.elr);
  if (version.elr() && !partition.last_known_elr.empty()) record.last_known_elr = raw(partition.last_known_elr);
  record.unknown_tagged_fields = partition.unknown;
  return {std::move(record), version.partition_record()};
}

MetadataRecord partition_change_record(wire::PartitionChangeRecord change, MetadataVersion version) {
  return {std::move(change), version.partition_change_record()};
}

MetadataRecord broker_change_record(wire::BrokerRegistrationChangeRecord change) {
  std::int16_t version = change.cordoned_log_dirs.has_value()  ? 3
                         : !change.log_dirs.empty()            ? 2
                         : change.in_controlled_shutdown != 0  ? 1
                                                               : 0;
  return {std::move(change), version};
}

std::vector<MetadataRecord> to_records(const Image& image) {
  std::vector<MetadataRecord> out;
  MetadataVersion version = image.metadata_version();
  write_features(image, out);
  for (const auto& [id, broker] : image.brokers) out.push_back(broker_record(*broker, version));
  for (const auto& [id, controller] : image.controllers) out.push_back({*controller, 0});
  for (const auto& [id, topic] : image.topics) {
    wire::TopicRecord record;
    record.name = topic->name;
    record.topic_id = id;
    record.unknown_tagged_fields = topic->unknown;
    out.push_back({std::move(record), 0});
    for (const auto& [number, partition] : topic->partitions)
      out.push_back(partition_record(id, number, *partition, version));
  }
  write_configs(image, out);
  write_quotas(image, out);
  if (image.producer_ids.has_value()) {
    wire::ProducerIdsRecord record;
    record.broker_id = image.producer_ids->broker.value();
    record.broker_epoch = image.producer_ids->broker_epoch;
    record.next_producer_id = image.producer_ids->next_producer_id;
    out.push_back({std::move(record), 0});
  }
  for (const auto& [id, acl] : image.acls) out.push_back({*acl, 0});
  for (const auto& [key, credential] : image.scram) out.push_back({*credential, 0});
  for (const auto& [id, token] : image.delegation_tokens) out.push_back({*token, 0});
  return out;
}

}  // namespace milena::image
