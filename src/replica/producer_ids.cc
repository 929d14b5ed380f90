#include "replica/producer_ids.h"

#include "meta/producer_ids.h"

namespace milena::replica {

io::Task<Result<ProducerId, wire::ErrorCode>> ProducerIds::next() {
  auto turn = co_await turn_.lock();
  if (next_ == end_) {
    wire::AllocateProducerIdsRequest request;
    request.broker_id = self_.value();
    request.broker_epoch = broker_epoch_;
    auto ask = [request](const meta::Context& context) { return meta::allocate_producer_ids(context, request); };
    auto decision = co_await metadata_.decide(std::move(ask));
    if (!decision.has_value() || decision->response.error_code != 0) {
      co_return Err(wire::ErrorCode::COORDINATOR_LOAD_IN_PROGRESS);
    }
    next_ = decision->response.producer_id_start;
    end_ = next_ + decision->response.producer_id_len;
  }
  co_return ProducerId(next_++);
}

}  // namespace milena::replica
