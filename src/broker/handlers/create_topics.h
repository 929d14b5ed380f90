/// CreateTopics, api key 19, v2-7. KIP-4, KIP-464 (broker defaults), KIP-525 (configs in the answer, v5), KIP-516
/// (topic ids, v7). Decided by the controller (meta/topics.h); answered when the topics can be used here.
/// Errors: NOT_CONTROLLER; per topic those of meta::create_topics, INVALID_REQUEST for a name given twice.
#pragma once

#include "broker/handler.h"
#include "wire/apis/create_topics.h"

namespace milena::broker {

struct CreateTopicsHandler {
  using Api = wire::CreateTopicsApi;
  static constexpr VersionRange versions{2, 7};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kCreateTopics;

}  // namespace milena::broker
