/// AlterClientQuotas, api key 49, v0-1, on both kinds of listeners. KIP-546. Quotas are kept, not enforced yet.
/// Errors per entity: INVALID_REQUEST, POLICY_VIOLATION (too many at once), NOT_CONTROLLER.
#pragma once

#include "broker/handler.h"
#include "wire/apis/alter_client_quotas.h"

namespace milena::broker {

struct AlterClientQuotasHandler {
  using Api = wire::AlterClientQuotasApi;
  static constexpr VersionRange versions{0, 1};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kAlterClientQuotas;

}  // namespace milena::broker
