/// From configuration to what a partition and its log act on.
#pragma once

#include "config/kafka_config.h"
#include "config/log_config.h"
#include "image/image.h"
#include "replica/partition.h"

namespace milena::replica {

/// The settings of a topic's partitions: its own configuration in `image` over the broker's.
PartitionSettings partition_settings(const config::KafkaConfig& broker, const image::Image& image,
                                     const std::string& topic);

}  // namespace milena::replica
