/// ControllerRegistration, api key 70, v0, on controller listeners. KIP-919.
/// Errors: UNSUPPORTED_VERSION (metadata.version below 3.7-IV0), NOT_CONTROLLER.
#pragma once

#include "broker/handler.h"
#include "wire/apis/controller_registration.h"

namespace milena::broker {

struct ControllerRegistrationHandler {
  using Api = wire::ControllerRegistrationApi;
  static constexpr VersionRange versions{0, 0};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kControllerRegistration;

}  // namespace milena::broker
