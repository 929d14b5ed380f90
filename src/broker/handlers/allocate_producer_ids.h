/// AllocateProducerIds, api key 67, v0, on controller listeners. KIP-730: a block of producer ids for a broker.
/// Errors: STALE_BROKER_EPOCH (also of brokers that are not registered), UNKNOWN_SERVER_ERROR (ids used up), NOT_CONTROLLER.
#pragma once

#include "broker/handler.h"
#include "wire/apis/allocate_producer_ids.h"

namespace milena::broker {

struct AllocateProducerIdsHandler {
  using Api = wire::AllocateProducerIdsApi;
  static constexpr VersionRange versions{0, 0};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kAllocateProducerIds;

}  // namespace milena::broker
