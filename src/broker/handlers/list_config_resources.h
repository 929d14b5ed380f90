/// ListConfigResources, api key 74, v0-1, on brokers. KIP-1142; v0 is ListClientMetricsResources (KIP-714).
/// Which resources there are to configure: of client metrics and groups those that have values, of the others all.
/// v0 asks for client metrics; in v1 no type means every type.
/// Errors: UNSUPPORTED_VERSION (a type that is none).
#pragma once

#include "broker/handler.h"
#include "wire/apis/list_config_resources.h"

namespace milena::broker {

struct ListConfigResourcesHandler {
  using Api = wire::ListConfigResourcesApi;
  static constexpr VersionRange versions{0, 1};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kListConfigResources;

}  // namespace milena::broker
