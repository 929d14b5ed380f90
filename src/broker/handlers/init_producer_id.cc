#include "broker/handlers/init_producer_id.h"

#include "broker/no_transactions.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Request = InitProducerIdHandler::Api::Request;
using Response = InitProducerIdHandler::Api::Response;

Response failed(ErrorCode error) {
  Response response;
  response.error_code = wire::to_int16(error);
  response.producer_epoch = -1;
  return response;
}

}  // namespace

io::Task<Response> InitProducerIdHandler::handle(RequestContext context, Request request) {
  if ((request.producer_id == -1) != (request.producer_epoch == -1)) co_return failed(ErrorCode::INVALID_REQUEST);
  if (request.transactional_id.has_value()) {
    if (request.transactional_id->empty()) co_return failed(ErrorCode::INVALID_REQUEST);
    co_return failed(transactions_refused(*context.client));
  }
  // An identity of its own changes nothing: an idempotent producer that lost its place starts anew.
  replica::ProducerIds* ids = &context.services().producer_ids;
  auto work = [ids] { return ids->next(); };
  auto id = co_await io::run_on(context.services().control, std::move(work));
  if (id.failed()) co_return failed(id.error());
  Response response;
  response.producer_id = id->value();
  co_return response;
}

const HandlerEntry kInitProducerId = make_handler<InitProducerIdHandler>();

}  // namespace milena::broker
