/// ApiVersions, api key 18, v0-4. KIP-35, KIP-511 (client software, v3), KIP-584 (features).
/// Errors: UNSUPPORTED_VERSION (answered in v0 form whatever was asked), INVALID_REQUEST (client software
/// name or version malformed).
#pragma once

#include "broker/handler.h"
#include "wire/apis/api_versions.h"

namespace milena::broker {

struct ApiVersionsHandler {
  using Api = wire::ApiVersionsApi;
  static constexpr VersionRange versions{0, 4};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
  /// The answer to a version above ours: UNSUPPORTED_VERSION and the range of ApiVersions itself.
  static Answer unsupported_version();
};
extern const HandlerEntry kApiVersions;

}  // namespace milena::broker
