/// AlterConfigs, api key 33, v0-2, on both kinds of listeners. KIP-133; deprecated for IncrementalAlterConfigs: what is
/// not named goes back to its default.
/// A broker checks what concerns itself and asks the controller for the rest.
/// Errors per resource: INVALID_CONFIG, INVALID_REQUEST (type, twice, null values, a broker's own values, loggers),
/// UNKNOWN_TOPIC_OR_PARTITION, BROKER_ID_NOT_REGISTERED, UNSUPPORTED_VERSION (type, on a controller), NOT_CONTROLLER.
#pragma once

#include "broker/handler.h"
#include "wire/apis/alter_configs.h"

namespace milena::broker {

struct AlterConfigsHandler {
  using Api = wire::AlterConfigsApi;
  static constexpr VersionRange versions{0, 2};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kAlterConfigs;

}  // namespace milena::broker
