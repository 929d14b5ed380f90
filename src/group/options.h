/// The broker settings that the group coordinator obeys, named after their configuration keys.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace milena::group {

struct GroupOptions {
  Duration group_initial_rebalance_delay = 3s;  // group.initial.rebalance.delay.ms
  Duration group_min_session_timeout = 6s;      // group.min.session.timeout.ms
  Duration group_max_session_timeout = 30min;   // group.max.session.timeout.ms
  std::int32_t group_max_size = INT32_MAX;      // group.max.size
  std::int32_t offset_metadata_max_bytes = 4096;        // offset.metadata.max.bytes; characters, as in Kafka
  Duration offsets_retention = std::chrono::hours(168);  // offsets.retention.minutes
  /// How long a new member may take from its first JoinGroup to its second (not configurable in Kafka).
  Duration new_member_join_timeout = 5min;
};

}  // namespace milena::group
