/// InitProducerId, api key 22, v0-5; v6 (KIP-939, unstable in Kafka) with unstable.api.versions.enable. KIP-98,
/// KIP-360 (own id and epoch, v3).
/// Idempotent producers get a new id with epoch 0. Transactional ones are refused, see no_transactions.h.
/// Errors: INVALID_REQUEST (half an identity, an empty transactional id), COORDINATOR_LOAD_IN_PROGRESS (no block of ids
/// at the moment).
#pragma once

#include "broker/handler.h"
#include "wire/apis/init_producer_id.h"

namespace milena::broker {

struct InitProducerIdHandler {
  using Api = wire::InitProducerIdApi;
  static constexpr VersionRange versions{0, 5};
  static constexpr std::int16_t unstable_high = 6;
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kInitProducerId;

}  // namespace milena::broker
