#include "meta/producer_ids.h"

#include <limits>

namespace milena::meta {

Decision<wire::AllocateProducerIdsResponse> allocate_producer_ids(const Context& context,
                                                                  const wire::AllocateProducerIdsRequest& request) {
  Decision<wire::AllocateProducerIdsResponse> decision;
  const image::Broker* broker = context.image.broker(BrokerId(request.broker_id));
  if (broker == nullptr || broker->broker_epoch != request.broker_epoch) {
    decision.response.error_code = wire::to_int16(wire::ErrorCode::STALE_BROKER_EPOCH);
    return decision;
  }
  std::int64_t first = context.image.producer_ids.has_value() ? context.image.producer_ids->next_producer_id : 0;
  if (first > std::numeric_limits<std::int64_t>::max() - kProducerIdBlock) {
    decision.response.error_code = wire::to_int16(wire::ErrorCode::UNKNOWN_SERVER_ERROR);
    return decision;
  }
  wire::ProducerIdsRecord record;
  record.broker_id = request.broker_id;
  record.broker_epoch = request.broker_epoch;
  record.next_producer_id = first + kProducerIdBlock;
  decision.records.push_back({record, 0});
  decision.response.producer_id_start = first;
  decision.response.producer_id_len = kProducerIdBlock;
  return decision;
}

}  // namespace milena::meta
