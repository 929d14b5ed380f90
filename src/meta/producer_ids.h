/// AllocateProducerIds (api key 67): blocks of 1000 producer ids for brokers.
#pragma once

#include "meta/decision.h"
#include "wire/messages/allocate_producer_ids_request.h"
#include "wire/messages/allocate_producer_ids_response.h"

namespace milena::meta {

inline constexpr std::int32_t kProducerIdBlock = 1000;

/// Errors: STALE_BROKER_EPOCH, BROKER_ID_NOT_REGISTERED, UNKNOWN_SERVER_ERROR when all ids are used up.
Decision<wire::AllocateProducerIdsResponse> allocate_producer_ids(const Context& context,
                                                                  const wire::AllocateProducerIdsRequest& request);

}  // namespace milena::meta
