/// BrokerRegistration, api key 62, v0-4, on controller listeners. KIP-631, KIP-858 (directories, v2), KIP-966 (previous
/// epoch, v3).
/// Errors: INCONSISTENT_CLUSTER_ID, DUPLICATE_BROKER_REGISTRATION, INVALID_REGISTRATION, UNSUPPORTED_VERSION,
/// BROKER_ID_NOT_REGISTERED, NOT_CONTROLLER.
#pragma once

#include "broker/handler.h"
#include "wire/apis/broker_registration.h"

namespace milena::broker {

struct BrokerRegistrationHandler {
  using Api = wire::BrokerRegistrationApi;
  static constexpr VersionRange versions{0, 4};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kBrokerRegistration;

}  // namespace milena::broker
