/// IncrementalAlterConfigs, api key 44, v0-1, on both kinds of listeners. KIP-339.
/// A broker checks what concerns itself and asks the controller for the rest; a controller takes any broker's name.
/// Answered when the change is committed and this broker follows it. Loggers cannot be changed while the node runs.
/// Errors per resource: INVALID_CONFIG, INVALID_REQUEST (type, twice, null values, a broker's own values),
/// UNKNOWN_TOPIC_OR_PARTITION, BROKER_ID_NOT_REGISTERED, UNSUPPORTED_VERSION (type, on a controller), NOT_CONTROLLER.
#pragma once

#include "broker/handler.h"
#include "wire/apis/incremental_alter_configs.h"

namespace milena::broker {

struct IncrementalAlterConfigsHandler {
  using Api = wire::IncrementalAlterConfigsApi;
  static constexpr VersionRange versions{0, 1};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kIncrementalAlterConfigs;

}  // namespace milena::broker
