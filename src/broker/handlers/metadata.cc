#include "broker/handlers/metadata.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"
#include "broker/authorized_operations.h"
#include "broker/create_topics.h"
#include "broker/topics.h"
#include "meta/partition_change.h"
#include "meta/topics.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Request = MetadataHandler::Api::Request;
using Response = MetadataHandler::Api::Response;

constexpr std::int16_t kTopicIdVersion = 12;  // the field came with v10, but only to answer with

std::vector<std::int32_t> ids(const std::vector<BrokerId>& brokers) {
  std::vector<std::int32_t> result;
  result.reserve(brokers.size());
  for (BrokerId broker : brokers) result.push_back(broker.value());
  return result;
}

Response::MetadataResponsePartition describe(const RequestContext& context, const TopicIdPartition& id,
                                             const image::Partition& state) {
  const image::Image& image = *context.image;
  BrokerId self = context.services().broker.node_id;
  bool unserved = context.local->partitions.unserved(id);
  Response::MetadataResponsePartition partition;
  partition.partition_index = id.partition.value();
  partition.leader_id = state.leader.value();
  partition.leader_epoch = state.leader_epoch.value();
  partition.replica_nodes = ids(state.replicas);
  partition.isr_nodes = ids(state.isr);
  for (BrokerId replica : state.replicas) {
    const image::Broker* broker = image.broker(replica);
    bool offline = broker == nullptr || broker->fenced || (unserved && replica == self) ||
                   !meta::directory_online(image, replica, state.directory_of(replica));
    if (offline) partition.offline_replicas.push_back(replica.value());
  }
  const image::Broker* leader = image.broker(state.leader);
  if (leader == nullptr || (unserved && state.leader == self)) {
    partition.error_code = wire::to_int16(ErrorCode::LEADER_NOT_AVAILABLE);
    partition.leader_id = -1;
  } else if (!broker_address(*leader, context.listener->name).has_value()) {
    ErrorCode error = context.api_version >= 6 ? ErrorCode::LISTENER_NOT_FOUND : ErrorCode::LEADER_NOT_AVAILABLE;
    partition.error_code = wire::to_int16(error);
    partition.leader_id = -1;
  }
  return partition;
}

Response::MetadataResponseTopic describe(const RequestContext& context, const Request& request,
                                         const image::Topic& topic) {
  Response::MetadataResponseTopic answer;
  answer.name = topic.name;
  answer.topic_id = topic.id;
  answer.is_internal = is_internal_topic(topic.name);
  for (const auto& [index, state] : topic.partitions) {
    answer.partitions.push_back(describe(context, {topic.id, index}, *state));
  }
  if (context.api_version >= 8 && request.include_topic_authorized_operations) {
    answer.topic_authorized_operations = kAllTopicOperations;
  }
  return answer;
}

Response::MetadataResponseTopic missing(const Request::MetadataRequestTopic& asked, ErrorCode error) {
  Response::MetadataResponseTopic answer;
  answer.error_code = wire::to_int16(error);
  answer.name = asked.name;
  answer.topic_id = asked.topic_id;
  return answer;
}

// Topics by id, or without a name, in versions that know neither: the request as a whole is refused.
bool asks_too_early(const Request& request, std::int16_t version) {
  if (version >= kTopicIdVersion || !request.topics.has_value()) return false;
  const auto& topics = *request.topics;
  return std::ranges::any_of(
      topics, [](const auto& asked) { return !asked.name.has_value() || !asked.topic_id.is_zero(); });
}

Response refuse_all(const Request& request) {
  CHECK(request.topics.has_value(), "asks_too_early sees topics");
  Response response;
  for (const auto& asked : *request.topics) {
    response.topics.push_back(missing(asked, ErrorCode::INVALID_REQUEST));
    if (!asked.name.has_value()) response.topics.back().name = "";
  }
  return response;
}

// What is asked for, each topic once. Where a topic is asked for by id, the names of others are not looked at.
std::vector<Request::MetadataRequestTopic> each_once(const std::vector<Request::MetadataRequestTopic>& topics) {
  bool by_id = std::ranges::any_of(topics, [](const auto& asked) { return !asked.topic_id.is_zero(); });
  std::vector<Request::MetadataRequestTopic> result;
  std::set<std::pair<Uuid, std::optional<std::string>>> seen;
  for (Request::MetadataRequestTopic asked : topics) {
    if (by_id && asked.topic_id.is_zero()) continue;
    if (by_id) asked.name.reset();
    if (seen.emplace(asked.topic_id, asked.name).second) result.push_back(std::move(asked));
  }
  return result;
}

// The named topics that are not there; their errors after an attempt to create them. REQUIRES: the request names
// topics.
io::Task<std::map<std::string, ErrorCode>> create_missing(RequestContext context, const Request* request) {
  CHECK(request->topics.has_value(), "a request for all topics creates none");
  std::map<std::string, ErrorCode> errors;
  std::vector<std::string> create;
  bool allowed = request->allow_auto_topic_creation && context.local->config->boolean("auto.create.topics.enable");
  for (const auto& asked : *request->topics) {
    if (!asked.topic_id.is_zero() || !asked.name.has_value()) continue;
    if (context.image->topic(*asked.name) != nullptr || errors.contains(*asked.name)) continue;
    if (meta::topic_name_problem(*asked.name).has_value()) {
      errors[*asked.name] = ErrorCode::INVALID_TOPIC_EXCEPTION;
      continue;
    }
    errors[*asked.name] = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    if (allowed) create.push_back(*asked.name);
  }
  if (!create.empty()) {
    std::vector<ErrorCode> outcome = co_await auto_create_topics(context, create);
    for (std::size_t i = 0; i < create.size(); ++i) {
      // Created, but gone again before this loop has seen it: the client may ask again.
      bool gone = outcome[i] == ErrorCode::NONE;
      errors[create[i]] = gone ? ErrorCode::LEADER_NOT_AVAILABLE : outcome[i];
    }
  }
  co_return std::move(errors);
}

void describe_brokers(const RequestContext& context, Response& response) {
  BrokerId any = kNoBroker;
  for (const auto& [id, broker] : context.image->brokers) {
    if (broker->fenced) continue;
    auto address = broker_address(*broker, context.listener->name);
    if (!address.has_value()) continue;
    Response::MetadataResponseBroker one;
    one.node_id = id.value();
    one.host = address->host;
    one.port = address->port;
    one.rack = address->rack;
    response.brokers.push_back(std::move(one));
    any = id;
  }
  // As Kafka in KRaft mode: some live broker, which forwards to the controller.
  response.controller_id = any.value();
}

}  // namespace

io::Task<Response> MetadataHandler::handle(RequestContext context, Request request) {
  if (asks_too_early(request, context.api_version)) co_return refuse_all(request);
  Response response;
  if (request.topics.has_value()) request.topics = each_once(*request.topics);
  bool all = !request.topics.has_value() || (context.api_version == 0 && request.topics->empty());
  std::map<std::string, ErrorCode> errors;
  if (!all) {
    errors = co_await create_missing(context, &request);
    context.image = context.local->image;  // with what was just created
  }
  describe_brokers(context, response);
  response.cluster_id = context.services().broker.cluster_id;
  if (context.api_version >= 8 && context.api_version <= 10 && request.include_cluster_authorized_operations) {
    response.cluster_authorized_operations = kAllClusterOperations;
  }
  if (all) {
    for (const auto& [id, topic] : context.image->topics) {
      response.topics.push_back(describe(context, request, *topic));
    }
    co_return response;
  }
  for (const auto& asked : *request.topics) {
    if (!asked.topic_id.is_zero()) {
      const image::Topic* topic = context.image->topic(asked.topic_id);
      response.topics.push_back(topic != nullptr ? describe(context, request, *topic)
                                                 : missing(asked, ErrorCode::UNKNOWN_TOPIC_ID));
      continue;
    }
    if (!asked.name.has_value()) {
      response.topics.push_back(missing(asked, ErrorCode::INVALID_REQUEST));
      continue;
    }
    const image::Topic* topic = context.image->topic(*asked.name);
    auto error = errors.find(*asked.name);
    ErrorCode code = error != errors.end() ? error->second : ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    response.topics.push_back(topic != nullptr ? describe(context, request, *topic) : missing(asked, code));
  }
  co_return response;
}

const HandlerEntry kMetadata = make_handler<MetadataHandler>();

}  // namespace milena::broker
