/// The records that make an image: the contents of a snapshot, in the order Kafka writes them.
#pragma once

#include <vector>

#include "image/image.h"
#include "image/record.h"

namespace milena::image {

/// Features (metadata.version first), brokers, controllers, topics with their partitions, configs, quotas,
/// producer ids, ACLs, SCRAM credentials, delegation tokens; versions chosen by the image's metadata.version.
/// Applying them to an empty image gives `image` again.
std::vector<MetadataRecord> to_records(const Image& image);

/// Records of the right version for an image.
MetadataRecord broker_record(const Broker& broker, MetadataVersion version);
MetadataRecord partition_record(const TopicId& topic, PartitionId id, const Partition& partition,
                                MetadataVersion version);
MetadataRecord partition_change_record(wire::PartitionChangeRecord change, MetadataVersion version);
/// The lowest version that can carry what is set, as Kafka writes it.
MetadataRecord broker_change_record(wire::BrokerRegistrationChangeRecord change);

}  // namespace milena::image
