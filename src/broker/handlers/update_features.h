/// UpdateFeatures, api key 57, v0-2, on both kinds of listeners. KIP-584 and KIP-778; all updates or none.
/// Answered when this broker has followed the change. As in Kafka, v0's allow_downgrade is not looked at.
/// Errors: INVALID_UPDATE_VERSION, NOT_CONTROLLER.
#pragma once

#include "broker/handler.h"
#include "wire/apis/update_features.h"

namespace milena::broker {

struct UpdateFeaturesHandler {
  using Api = wire::UpdateFeaturesApi;
  static constexpr VersionRange versions{0, 2};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kUpdateFeatures;

}  // namespace milena::broker
