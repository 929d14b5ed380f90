/// Where the replicas of new partitions go: striped over racks and brokers, each broker leading about as many
/// partitions as the next (the method Kafka's controllers use).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"

namespace milena::meta {

struct UsableBroker {
  BrokerId id;
  std::optional<std::string> rack;
  bool fenced = false;
};

struct PlacementError {
  std::string message;  // for INVALID_REPLICATION_FACTOR
};

/// One list of replicas per partition, leader first. Brokers of other racks come before another of the same rack;
/// fenced brokers are only used for want of others, and never first.
Result<std::vector<std::vector<BrokerId>>, PlacementError> place_replicas(std::vector<UsableBroker> brokers,
                                                                          std::int32_t partitions,
                                                                          std::int16_t replicas, Random& random);

}  // namespace milena::meta
