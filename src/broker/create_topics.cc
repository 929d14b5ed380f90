#include "broker/create_topics.h"

#include <algorithm>
#include <utility>

#include "meta/topics.h"

namespace milena::broker {
namespace {

using wire::CreateTopicsRequest;
using wire::CreateTopicsResponse;

io::Task<std::optional<CreateTopicsResponse>> create_there(Services* services, CreateTopicsRequest request) {
  auto ask = [request](const meta::Context& context) { return meta::create_topics(context, request); };
  auto decision = co_await services->metadata.decide(std::move(ask));
  if (!decision.has_value()) co_return std::optional<CreateTopicsResponse>();
  if (!request.validate_only) co_await services->wait_applied(services->metadata.committed()->offset);
  co_return std::optional<CreateTopicsResponse>(std::move(decision->response));
}

void add_config(CreateTopicsRequest::CreatableTopic& topic, std::string name, std::string value) {
  CreateTopicsRequest::CreatableTopicConfig config;
  config.name = std::move(name);
  config.value = std::move(value);
  topic.configs.push_back(std::move(config));
}

CreateTopicsRequest::CreatableTopic topic_with_defaults(const config::KafkaConfig& config, const std::string& name) {
  CreateTopicsRequest::CreatableTopic topic;
  topic.name = name;
  topic.num_partitions = -1;
  topic.replication_factor = -1;
  if (name == "__consumer_offsets") {
    topic.num_partitions = static_cast<std::int32_t>(config.integer("offsets.topic.num.partitions"));
    topic.replication_factor = static_cast<std::int16_t>(config.integer("offsets.topic.replication.factor"));
    add_config(topic, "cleanup.policy", "compact");
    add_config(topic, "compression.type", "producer");
    add_config(topic, "segment.bytes", std::to_string(config.integer("offsets.topic.segment.bytes")));
  }
  return topic;
}

}  // namespace

io::Task<std::optional<CreateTopicsResponse>> create_topics(RequestContext context, CreateTopicsRequest request) {
  Services* services = &context.services();
  auto work = [services, request = std::move(request)]() mutable {
    return create_there(services, std::move(request));
  };
  co_return co_await io::run_on(services->control, std::move(work));
}

io::Task<std::vector<wire::ErrorCode>> auto_create_topics(RequestContext context, std::vector<std::string> names) {
  CreateTopicsRequest request;
  for (const std::string& name : names) {
    request.topics.push_back(topic_with_defaults(*context.local->config, name));
  }
  auto response = co_await create_topics(context, std::move(request));
  std::vector<wire::ErrorCode> errors(names.size(), wire::ErrorCode::LEADER_NOT_AVAILABLE);
  if (!response.has_value()) co_return std::move(errors);
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto it = std::ranges::find(response->topics, names[i], &CreateTopicsResponse::CreatableTopicResult::name);
    if (it == response->topics.end()) continue;
    errors[i] = static_cast<wire::ErrorCode>(it->error_code);
    if (errors[i] == wire::ErrorCode::TOPIC_ALREADY_EXISTS) errors[i] = wire::ErrorCode::NONE;
  }
  co_return std::move(errors);
}

}  // namespace milena::broker
