/// Services: the parts of a node that handlers may call. One per node; outlives every request.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "config/kafka_config.h"
#include "io/log_levels.h"
#include "io/runtime.h"
#include "replica/group_coordinator.h"
#include "replica/log_manager.h"
#include "replica/metadata_driver.h"
#include "replica/partitions.h"
#include "replica/producer_ids.h"

namespace milena::broker {

struct Limits {
  std::int32_t max_request_bytes = 104857600;                // socket.request.max.bytes
  Duration connections_max_idle = std::chrono::minutes(10);  // connections.max.idle.ms; 0: no limit
  std::int32_t fetch_max_bytes = 57671680;                   // fetch.max.bytes
  std::size_t fetch_session_slots = 1000;                    // max.incremental.fetch.session.cache.slots, per loop
  bool unstable_api_versions = false;                        // unstable.api.versions.enable
};

/// The broker's registration: which epoch it acts under.
struct BrokerState {
  BrokerId node_id = kNoBroker;
  std::string cluster_id;
  Uuid incarnation_id;
  std::int64_t broker_epoch = -1;  // control loop only
};

struct Services {
  io::Runtime& runtime;
  io::Loop& control;
  const BrokerState& broker;
  Limits limits;
  replica::Partitions& partitions;
  replica::MetadataDriver& metadata;
  replica::GroupCoordinator& groups;
  replica::LogManager& logs;
  replica::ProducerIds& producer_ids;
  io::LogLevels* log_levels;  // null: they do not change while the node runs
  /// Control loop: ends when this broker has opened the partitions of the metadata up to `offset`.
  std::function<io::Task<void>(Offset offset)> wait_applied;
};

}  // namespace milena::broker
