#include "broker/handlers/describe_topic_partitions.h"

#include <algorithm>
#include <set>
#include <utility>

#include "broker/authorized_operations.h"
#include "broker/topics.h"
#include "meta/partition_change.h"
#include "meta/topics.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Request = DescribeTopicPartitionsHandler::Api::Request;
using Response = DescribeTopicPartitionsHandler::Api::Response;
using Topic = Response::DescribeTopicPartitionsResponseTopic;
using Partition = Response::DescribeTopicPartitionsResponsePartition;

std::vector<std::int32_t> ids(const std::vector<BrokerId>& brokers) {
  std::vector<std::int32_t> result;
  result.reserve(brokers.size());
  for (BrokerId broker : brokers) result.push_back(broker.value());
  return result;
}

bool reachable(const RequestContext& context, BrokerId id) {
  const image::Broker* broker = context.image->broker(id);
  return broker != nullptr && !broker->fenced && broker_address(*broker, context.listener->name).has_value();
}

Partition describe(const RequestContext& context, const TopicIdPartition& id, const image::Partition& state) {
  BrokerId self = context.services().broker.node_id;
  bool unserved = context.local->partitions.unserved(id);
  auto here = [&](BrokerId broker) { return reachable(context, broker) && !(unserved && broker == self); };
  Partition partition;
  partition.partition_index = id.partition.value();
  partition.leader_id = here(state.leader) ? state.leader.value() : -1;
  partition.leader_epoch = state.leader_epoch.value();
  partition.replica_nodes = ids(state.replicas);
  partition.isr_nodes = ids(state.isr);
  partition.eligible_leader_replicas = ids(state.elr);
  partition.last_known_elr = ids(state.last_known_elr);
  for (BrokerId replica : state.replicas) {
    bool online = here(replica) && meta::directory_online(*context.image, replica, state.directory_of(replica));
    if (!online) partition.offline_replicas.push_back(replica.value());
  }
  return partition;
}

// One answer under way.
class Page {
 public:
  Page(const RequestContext& context, const Request& request, std::int32_t limit)
      : context_(context), request_(request), left_(limit) {}

  // False: the page is full, and the cursor says where the next one begins.
  bool add(const std::string& name, bool report_missing) {
    if (left_ == 0) {
      set_cursor(name, 0);
      return false;
    }
    const image::Topic* topic = context_.image->topic(name);
    if (topic == nullptr) {
      if (report_missing) add_missing(name);
      return true;
    }
    return add_partitions(*topic);
  }
  Response take() { return std::move(response_); }

 private:
  void add_missing(const std::string& name) {
    bool bad_name = meta::topic_name_problem(name).has_value();
    Topic& answer = response_.topics.emplace_back();
    answer.error_code =
        wire::to_int16(bad_name ? ErrorCode::INVALID_TOPIC_EXCEPTION : ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    answer.name = name;
    answer.is_internal = is_internal_topic(name);
    answer.topic_authorized_operations = kAllTopicOperations;
  }

  bool add_partitions(const image::Topic& topic) {
    std::int32_t first = 0;
    if (request_.cursor.has_value() && request_.cursor->topic_name == topic.name) {
      first = request_.cursor->partition_index;
    }
    Topic& answer = response_.topics.emplace_back();
    answer.name = topic.name;
    answer.topic_id = topic.id;
    answer.is_internal = is_internal_topic(topic.name);
    answer.topic_authorized_operations = kAllTopicOperations;
    for (auto it = topic.partitions.lower_bound(PartitionId(first)); it != topic.partitions.end(); ++it) {
      const auto& [index, state] = *it;
      if (left_ == 0) {
        set_cursor(topic.name, index.value());
        return false;
      }
      answer.partitions.push_back(describe(context_, {topic.id, index}, *state));
      --left_;
    }
    return true;
  }

  void set_cursor(const std::string& name, std::int32_t partition) {
    Response::Cursor cursor;
    cursor.topic_name = name;
    cursor.partition_index = partition;
    response_.next_cursor = std::move(cursor);
  }

  const RequestContext& context_;
  const Request& request_;
  std::int32_t left_;
  Response response_;
};

Response refused(const Request& request) {
  Response response;
  for (const auto& asked : request.topics) {
    Topic& topic = response.topics.emplace_back();
    topic.name = asked.name;
    topic.error_code = wire::to_int16(ErrorCode::INVALID_REQUEST);
  }
  return response;
}

}  // namespace

io::Task<Response> DescribeTopicPartitionsHandler::handle(RequestContext context, Request request) {
  std::string from = request.cursor.has_value() ? request.cursor->topic_name : std::string();
  std::set<std::string> names;
  for (const auto& asked : request.topics) {
    if (asked.name >= from) names.insert(asked.name);
  }
  bool all = request.topics.empty();
  if (request.cursor.has_value()) {
    bool outside = !all && !names.contains(from);
    if (outside || request.cursor->partition_index < 0) co_return refused(request);
  }
  auto configured = context.local->config->integer("max.request.partition.size.limit");
  auto limit = std::min<std::int64_t>(configured, request.response_partition_limit);
  Page page(context, request, static_cast<std::int32_t>(std::max<std::int64_t>(limit, 1)));
  if (all) {
    const auto& topics = context.image->topic_ids;  // by name
    for (auto it = topics.lower_bound(from); it != topics.end(); ++it) {
      if (!page.add((*it).first, false)) break;
    }
  } else {
    for (const std::string& name : names) {
      if (!page.add(name, true)) break;
    }
  }
  co_return page.take();
}

const HandlerEntry kDescribeTopicPartitions = make_handler<DescribeTopicPartitionsHandler>();

}  // namespace milena::broker
