/// DescribeClientQuotas, api key 48, v0-1, on brokers. KIP-546.
/// Errors: INVALID_REQUEST (the filter), UNSUPPORTED_VERSION (an unknown entity type).
#pragma once

#include "broker/handler.h"
#include "wire/apis/describe_client_quotas.h"

namespace milena::broker {

struct DescribeClientQuotasHandler {
  using Api = wire::DescribeClientQuotasApi;
  static constexpr VersionRange versions{0, 1};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kDescribeClientQuotas;

}  // namespace milena::broker
