/// Creating topics from inside a broker: for CreateTopics, for clients that name a topic that is not there yet
/// (auto.create.topics.enable), and for the coordinators' own topics.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/request_context.h"
#include "wire/error_code.h"
#include "wire/messages/create_topics_request.h"
#include "wire/messages/create_topics_response.h"

namespace milena::broker {

/// Sends the request to the controller and waits until this broker has opened the new partitions (or `timeout`
/// has passed). Nothing: no active controller.
io::Task<std::optional<wire::CreateTopicsResponse>> create_topics(RequestContext context,
                                                                  wire::CreateTopicsRequest request);

/// Creates the named topics with the broker's defaults; the coordinators' topics with their own settings.
/// One error per name, in order; TOPIC_ALREADY_EXISTS counts as success.
io::Task<std::vector<wire::ErrorCode>> auto_create_topics(RequestContext context, std::vector<std::string> names);

}  // namespace milena::broker
