/// UnregisterBroker, api key 64, v0, on both kinds of listeners. KIP-631: takes a broker that will not come back out of
/// the cluster.
/// Errors: BROKER_ID_NOT_REGISTERED, NOT_CONTROLLER.
#pragma once

#include "broker/handler.h"
#include "wire/apis/unregister_broker.h"

namespace milena::broker {

struct UnregisterBrokerHandler {
  using Api = wire::UnregisterBrokerApi;
  static constexpr VersionRange versions{0, 0};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kUnregisterBroker;

}  // namespace milena::broker
