/// ProducerIds: hands out producer ids from blocks of 1000 that the controller allocates to this broker
/// (AllocateProducerIds, KIP-730). Ids are never handed out twice, also across restarts.
/// Threads: the control loop.
#pragma once

#include <cstdint>
#include <optional>

#include "base/ids.h"
#include "io/mutex.h"
#include "replica/metadata_driver.h"
#include "wire/error_code.h"

namespace milena::replica {

class ProducerIds {
 public:
  ProducerIds(io::Loop& control, MetadataDriver& metadata, BrokerId self)
      : metadata_(metadata), self_(self), turn_(control) {}
  /// The registration under which blocks are asked for.
  void set_broker_epoch(std::int64_t epoch) { broker_epoch_ = epoch; }
  /// Errors: COORDINATOR_LOAD_IN_PROGRESS while no block can be had (clients try again).
  io::Task<Result<ProducerId, wire::ErrorCode>> next();

 private:
  MetadataDriver& metadata_;
  BrokerId self_;
  std::int64_t broker_epoch_ = -1;
  std::int64_t next_ = 0;
  std::int64_t end_ = 0;
  io::Mutex turn_;
};

}  // namespace milena::replica
