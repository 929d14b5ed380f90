/// The identifiers of Kafka's world, each its own type. Raw integers appear only at the wire.
#pragma once

#include "base/strong.h"
#include "base/uuid.h"

namespace milena {

/// Position of a record in a partition's log, from 0.
using Offset = Strong<struct OffsetTag, std::int64_t>;
/// Leader epoch of a partition or of the metadata quorum; -1: none.
using Epoch = Strong<struct EpochTag, std::int32_t>;
/// Node id of a broker or controller; -1: none.
using BrokerId = Strong<struct BrokerIdTag, std::int32_t>;
/// Index of a partition within its topic.
using PartitionId = Strong<struct PartitionIdTag, std::int32_t>;
using ProducerId = Strong<struct ProducerIdTag, std::int64_t>;

inline constexpr Offset kNoOffset{-1};
inline constexpr Epoch kNoEpoch{-1};
inline constexpr BrokerId kNoBroker{-1};
inline constexpr ProducerId kNoProducer{-1};

using TopicId = Uuid;

/// A partition by its topic's id: what leadership, logs and fetch sessions are keyed by.
struct TopicIdPartition {
  TopicId topic_id;
  PartitionId partition;
  friend auto operator<=>(const TopicIdPartition&, const TopicIdPartition&) = default;
};

}  // namespace milena

template <>
struct std::hash<milena::TopicIdPartition> {
  std::size_t operator()(const milena::TopicIdPartition& id) const noexcept {
    return std::hash<milena::Uuid>()(id.topic_id) * 31 + static_cast<std::size_t>(id.partition.value());
  }
};
