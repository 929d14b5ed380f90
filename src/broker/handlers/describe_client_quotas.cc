#include "broker/handlers/describe_client_quotas.h"

#include "meta/client_quotas.h"

namespace milena::broker {

using Request = DescribeClientQuotasHandler::Api::Request;
using Response = DescribeClientQuotasHandler::Api::Response;

io::Task<Response> DescribeClientQuotasHandler::handle(RequestContext context, Request request) {
  co_return meta::describe_client_quotas(*context.image, request);
}

const HandlerEntry kDescribeClientQuotas = make_handler<DescribeClientQuotasHandler>();

}  // namespace milena::broker
