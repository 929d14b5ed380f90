/// Image: the whole of the cluster's metadata at one offset of the metadata log, immutable to its readers.
///
/// A value: copying shares structure and costs some twenty reference counts; changing one topic costs
/// O(log n). Handlers hold a `std::shared_ptr<const Image>` or a copy from the start to the end of a request.
/// Made by ImageBuilder (builder.h) from records, turned back into records by to_records (writer.h).
///
/// Threads: images on different threads may share structure; an image is not changed once it is shared.
/// Source: Kafka's metadata records, KIP-631; ELR KIP-966; directories KIP-858.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "image/cow.h"
#include "image/metadata_version.h"
#include "image/partition.h"
#include "image/persistent_map.h"
#include "wire/messages/access_control_entry_record.h"
#include "wire/messages/delegation_token_record.h"
#include "wire/messages/register_broker_record.h"
#include "wire/messages/register_controller_record.h"
#include "wire/messages/user_scram_credential_record.h"

namespace milena::image {

/// A broker's registration: its RegisterBrokerRecord with the later changes (fenced, in controlled shutdown,
/// log_dirs, cordoned_log_dirs) applied. Its `broker_epoch` is the offset the record was written for.
using Broker = wire::RegisterBrokerRecord;
using Controller = wire::RegisterControllerRecord;

/// The number in ConfigRecord.resource_type and in the config APIs.
enum class ResourceType : std::int8_t {
  kTopic = 2,
  kBroker = 4,  // name "": the default of all brokers
  kBrokerLogger = 8,
  kClientMetrics = 16,
  kGroup = 32,
};

struct ConfigResource {
  std::int8_t type = 0;  // ResourceType; kept as found in the log
  std::string name;
  friend auto operator<=>(const ConfigResource&, const ConfigResource&) = default;
};
using ConfigMap = std::map<std::string, std::string>;

/// (entity type, entity name; no name: the type's default), sorted by type.
using QuotaEntity = std::vector<std::pair<std::string, std::optional<std::string>>>;
using QuotaValues = std::map<std::string, double>;

struct ScramKey {
  std::int8_t mechanism = 0;
  std::string user;
  friend auto operator<=>(const ScramKey&, const ScramKey&) = default;
};

struct ProducerIds {
  BrokerId broker = kNoBroker;
  std::int64_t broker_epoch = -1;
  std::int64_t next_producer_id = 0;
  bool operator==(const ProducerIds&) const = default;
};

struct Image {
  /// Of the last record applied; -1 before the first.
  Offset offset = kNoOffset;
  Epoch epoch = kNoEpoch;
  Timestamp timestamp = kNoTimestamp;

  PersistentMap<TopicId, Cow<Topic>> topics;
  PersistentMap<std::string, TopicId> topic_ids;
  PersistentMap<BrokerId, Cow<Broker>> brokers;
  PersistentMap<BrokerId, Cow<Controller>> controllers;
  /// Finalized levels, metadata.version included; a feature at level 0 is absent.
  PersistentMap<std::string, std::int16_t> features;
  PersistentMap<ConfigResource, Cow<ConfigMap>> configs;
  std::optional<ProducerIds> producer_ids;
  PersistentMap<QuotaEntity, Cow<QuotaValues>> client_quotas;
  PersistentMap<Uuid, Cow<wire::AccessControlEntryRecord>> acls;
  PersistentMap<ScramKey, Cow<wire::UserScramCredentialRecord>> scram;
  PersistentMap<std::string, Cow<wire::DelegationTokenRecord>> delegation_tokens;

  /// Same contents; where in the log they end does not count.
  bool same_contents(const Image& other) const;

  const Topic* topic(const TopicId& id) const;
  const Topic* topic(std::string_view name) const;
  const Partition* partition(const TopicIdPartition& id) const;
  const Broker* broker(BrokerId id) const;
  /// The finalized level; 0 if the feature is not finalized.
  std::int16_t feature_level(std::string_view name) const;
  MetadataVersion metadata_version() const;
  bool elr_enabled() const { return feature_level(kElrFeature) > 0; }
  /// The values set for the resource; an empty map if there are none.
  const ConfigMap& config(ResourceType type, std::string_view name) const;
  const std::string* config(ResourceType type, std::string_view name, const std::string& key) const;
  /// A broker that is registered, not fenced and not on its way out may become leader.
  bool active(BrokerId id) const;
};

}  // namespace milena::image
