#include "broker/handlers/find_coordinator.h"

#include <utility>

#include "broker/create_topics.h"
#include "broker/no_transactions.h"
#include "broker/topics.h"
#include "group/partition.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Request = FindCoordinatorHandler::Api::Request;
using Response = FindCoordinatorHandler::Api::Response;
using Coordinator = Response::Coordinator;

constexpr std::int16_t kManyKeysVersion = 4;
constexpr const char* kOffsetsTopic = "__consumer_offsets";
enum KeyType : std::int8_t { kGroup = 0, kTransaction = 1, kShare = 2 };

Coordinator failed(const std::string& key, ErrorCode error, std::string message = {}) {
  Coordinator coordinator;
  coordinator.key = key;
  coordinator.node_id = -1;
  coordinator.port = -1;
  coordinator.error_code = wire::to_int16(error);
  coordinator.error_message = std::move(message);
  return coordinator;
}

Coordinator find_group(const RequestContext& context, const std::string& key) {
  Coordinator none = failed(key, ErrorCode::COORDINATOR_NOT_AVAILABLE);
  const image::Topic* topic = context.image->topic(kOffsetsTopic);
  if (topic == nullptr || topic->partitions.empty()) return none;
  PartitionId index = group::partition_for(key, static_cast<std::int32_t>(topic->partitions.size()));
  const image::Partition* partition = topic->partition(index);
  if (context.local->partitions.unserved({topic->id, index})) return none;
  const image::Broker* leader = partition == nullptr ? nullptr : context.image->broker(partition->leader);
  if (leader == nullptr || leader->fenced) return none;
  auto address = broker_address(*leader, context.listener->name);
  if (!address.has_value()) return none;
  Coordinator coordinator;
  coordinator.key = key;
  coordinator.node_id = address->id.value();
  coordinator.host = address->host;
  coordinator.port = address->port;
  return coordinator;
}

Coordinator find(const RequestContext& context, std::int8_t key_type, const std::string& key) {
  switch (key_type) {
    case kGroup: return find_group(context, key);
    case kTransaction: return failed(key, transactions_refused(*context.client), kNoTransactions);
    case kShare: return failed(key, ErrorCode::INVALID_REQUEST, "this server has no share coordinator yet");
    default: return failed(key, ErrorCode::INVALID_REQUEST, "unknown coordinator type " + std::to_string(key_type));
  }
}

}  // namespace

io::Task<Response> FindCoordinatorHandler::handle(RequestContext context, Request request) {
  if (request.key_type == kGroup && context.image->topic(kOffsetsTopic) == nullptr) {
    // Kafka answers COORDINATOR_NOT_AVAILABLE and creates meanwhile; waiting saves the client a round of retries.
    std::vector<std::string> names{kOffsetsTopic};
    co_await auto_create_topics(context, std::move(names));
    context.image = context.local->image;
  }
  Response response;
  if (context.api_version >= kManyKeysVersion) {
    for (const std::string& key : request.coordinator_keys) {
      response.coordinators.push_back(find(context, request.key_type, key));
    }
    co_return response;
  }
  Coordinator found = find(context, request.key_type, request.key);
  response.error_code = found.error_code;
  response.error_message = found.error_message;
  if (!found.error_message.has_value() || found.error_message->empty()) {
    // Kafka puts the code's own text here, "NONE" if all is well.
    auto code = static_cast<ErrorCode>(found.error_code);
    response.error_message = std::string(code == ErrorCode::NONE ? wire::name(code) : wire::message(code));
  }
  response.node_id = found.node_id;
  response.host = std::move(found.host);
  response.port = found.port;
  co_return response;
}

const HandlerEntry kFindCoordinator = make_handler<FindCoordinatorHandler>();

}  // namespace milena::broker
