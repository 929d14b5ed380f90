#include "broker/handlers/produce.h"

#include <algorithm>
#include <utility>

#include "broker/no_transactions.h"
#include "broker/topics.h"
#include "io/when_all.h"
#include "wire/record_batch.h"
#include "wire/record_validation.h"

namespace milena::broker {
namespace {

using replica::Appended;
using wire::ErrorCode;
using Request = ProduceHandler::Api::Request;
using Response = ProduceHandler::Api::Response;

constexpr std::int16_t kTopicIdVersion = 13;
constexpr std::int16_t kLeaderHintVersion = 10;

struct Write {
  TopicIdPartition id;
  bool known = false;  // the topic exists, and is counted
  std::size_t bytes = 0;
  Bytes records;
  Appended outcome;
};

// Shared with the far loops, each of which touches its own elements only. They may still run when this loop's tasks
// have been destroyed at the end of a stop.
using Writes = std::shared_ptr<std::vector<Write>>;

// One loop's part of a request.
struct Share {
  Writes writes;
  std::vector<std::size_t> places;
  replica::AppendOptions options;
};

io::Task<void> append_one(replica::LoopPartitions* there, Writes writes, std::size_t place,
                          replica::AppendOptions options) {
  Write& write = (*writes)[place];
  Bytes records = std::move(write.records);
  write.outcome = co_await there->append(write.id, std::move(records), options);
}

io::Task<void> append_share(replica::LoopPartitions* there, std::shared_ptr<Share> share) {
  std::vector<io::Task<void>> waiting;
  for (std::size_t place : share->places) waiting.push_back(append_one(there, share->writes, place, share->options));
  co_await io::when_all(there->loop(), std::move(waiting));
}

ErrorCode framing_error(const RequestContext& context, const Request::PartitionProduceData& data) {
  wire::ValidationOptions options;
  options.request_version = context.api_version;
  ByteView records = data.records.has_value() ? data.records->view() : ByteView();
  auto checked = wire::check_framing(records, options);
  return checked.failed() ? wire::to_error_code(checked.error().fault) : ErrorCode::NONE;
}

// As Kafka: what a client should have known, or a disk did, is no failure of the request.
bool counts_as_failed(ErrorCode error) {
  switch (error) {
    case ErrorCode::NONE:
    case ErrorCode::UNKNOWN_TOPIC_OR_PARTITION:
    case ErrorCode::NOT_LEADER_OR_FOLLOWER:
    case ErrorCode::MESSAGE_TOO_LARGE:
    case ErrorCode::RECORD_LIST_TOO_LARGE:
    case ErrorCode::CORRUPT_MESSAGE:
    case ErrorCode::KAFKA_STORAGE_ERROR:
      return false;
    default:
      return true;
  }
}

void count(LoopState& local, const Write& write) {
  if (!write.known) return;
  bool appended = write.outcome.base_offset != kNoOffset;
  for (TopicTraffic* traffic : {&local.metrics.all, &local.traffic(write.id.topic_id)}) {
    ++traffic->produce_requests;
    if (counts_as_failed(write.outcome.error)) ++traffic->failed_produce_requests;
    if (!appended) continue;
    traffic->bytes_in += write.bytes;
    traffic->messages_in += static_cast<std::uint64_t>(write.outcome.last_offset.value() - write.outcome.base_offset.value() + 1);
  }
}

// What can be told without the partition's loop, in Kafka's order: what does not exist comes before what is no batch,
// and that before the request's acks. NONE: go on to append.
ErrorCode check_partition(const RequestContext& context, const Request::TopicProduceData& topic,
                          const Request::PartitionProduceData& data, std::int16_t acks, TopicIdPartition& id) {
  bool by_id = context.api_version >= kTopicIdVersion;
  const image::Topic* found = find_topic(*context.image, by_id ? topic.topic_id : kZeroUuid, topic.name);
  if (found == nullptr) return by_id ? ErrorCode::UNKNOWN_TOPIC_ID : ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
  id = {found->id, PartitionId(data.index)};
  const image::Partition* partition = found->partition(id.partition);
  if (partition == nullptr) return ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
  bool refused_acks = acks < -1 || acks > 1;
  if (refused_acks || (is_internal_topic(found->name) && context.client_id != "__admin_client")) {
    ErrorCode misframed = framing_error(context, data);
    if (misframed != ErrorCode::NONE) return misframed;
    return refused_acks ? ErrorCode::INVALID_REQUIRED_ACKS : ErrorCode::INVALID_TOPIC_EXCEPTION;
  }
  return ErrorCode::NONE;
}

void add_leader_hint(const RequestContext& context, const Write& write, Response& response,
                     Response::PartitionProduceResponse& partition) {
  CurrentLeader leader = current_leader(*context.image, write.id);
  partition.current_leader.leader_id = leader.id.value();
  partition.current_leader.leader_epoch = leader.epoch.value();
  add_endpoint(context, leader.id, response);
}

Response::PartitionProduceResponse to_response(const Write& write, std::int32_t index) {
  Response::PartitionProduceResponse partition;
  const Appended& outcome = write.outcome;
  partition.index = index;
  partition.error_code = wire::to_int16(outcome.error);
  partition.base_offset = outcome.base_offset.value();
  partition.log_append_time_ms = outcome.log_append_time.value();
  partition.log_start_offset = outcome.log_start_offset.value();
  if (!outcome.message.empty()) partition.error_message = outcome.message;
  for (const replica::RecordFault& fault : outcome.record_faults) {
    Response::BatchIndexAndErrorMessage record;
    record.batch_index = fault.batch_index;
    record.batch_index_error_message = fault.message;
    partition.record_errors.push_back(std::move(record));
  }
  return partition;
}

// What Kafka sees of a request's records before any partition is looked at. The first batches are gone through in
// order: one that is none fails the request as a whole. A transaction ends the search: a transactional.id alone means
// nothing, a transaction without one is not authorized; with one it has no coordinator here.
// NONE: the request has no part in a transaction.
ErrorCode check_first_batches(const RequestContext& context, const Request& request) {
  for (const auto& topic : request.topic_data) {
    for (const auto& data : topic.partition_data) {
      if (!data.records.has_value()) continue;
      auto size = wire::entry_size(data.records->view());
      if (size.failed() && size.error() != wire::BatchError::kIncomplete) return ErrorCode::CORRUPT_MESSAGE;
      auto batch = wire::BatchView::parse(data.records->view());
      if (!batch.has_value() || !batch->transactional()) continue;
      if (!request.transactional_id.has_value()) return ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
      return transactions_refused(*context.client);
    }
  }
  return ErrorCode::NONE;
}

io::Task<void> append_all(RequestContext context, Writes writes, replica::AppendOptions options) {
  replica::Partitions& partitions = context.services().partitions;
  std::vector<std::shared_ptr<Share>> shares(partitions.loops());
  for (std::size_t place = 0; place < writes->size(); ++place) {
    const Write& write = (*writes)[place];
    if (write.outcome.error != ErrorCode::NONE) continue;
    std::shared_ptr<Share>& share = shares[partitions.owner(write.id)];
    if (share == nullptr) {
      share = std::make_shared<Share>();
      share->writes = writes;
      share->options = options;
    }
    share->places.push_back(place);
  }
  std::vector<io::Task<void>> running;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (shares[i] == nullptr) continue;
    replica::LoopPartitions* there = &partitions.on_loop(i);
    auto work = [there, share = shares[i]] { return append_share(there, share); };
    running.push_back(io::run_on(there->loop(), std::move(work)));
  }
  co_await io::when_all(context.loop(), std::move(running));
}

}  // namespace

io::Task<std::optional<Response>> ProduceHandler::handle(RequestContext context, Request request) {
  ErrorCode refused = check_first_batches(context, request);
  auto writes = std::make_shared<std::vector<Write>>();
  for (auto& topic : request.topic_data) {
    for (auto& data : topic.partition_data) {
      Write write;
      write.outcome.error = refused;
      if (refused == ErrorCode::CORRUPT_MESSAGE) write.outcome.message = "the request holds what is no record batch";
      if (refused == ErrorCode::NONE) {
        write.outcome.error = check_partition(context, topic, data, request.acks, write.id);
        write.known = write.outcome.error == ErrorCode::NONE;
      }
      if (data.records.has_value()) write.records = std::move(*data.records);
      write.bytes = write.records.size();
      writes->push_back(std::move(write));
    }
  }
  replica::AppendOptions options;
  options.produce_version = context.api_version;
  options.wait = request.acks == 0   ? replica::WaitFor::kNothing
                 : request.acks == 1 ? replica::WaitFor::kSynced
                                     : replica::WaitFor::kCommitted;
  // Only a wait for other replicas has the request's limit.
  if (request.acks == -1) options.deadline = context.loop().now() + from_ms(std::max(request.timeout_ms, 0));
  co_await append_all(context, writes, options);

  Response response;
  std::size_t at = 0;
  bool failed = false;
  for (const auto& topic : request.topic_data) {
    Response::TopicProduceResponse answer;
    answer.name = topic.name;
    answer.topic_id = topic.topic_id;
    for (const auto& data : topic.partition_data) {
      const Write& write = (*writes)[at++];
      count(*context.local, write);
      auto partition = to_response(write, data.index);
      failed = failed || write.outcome.error != ErrorCode::NONE;
      if (context.api_version >= kLeaderHintVersion && write.outcome.error == ErrorCode::NOT_LEADER_OR_FOLLOWER) {
        add_leader_hint(context, write, response, partition);
      }
      answer.partition_responses.push_back(std::move(partition));
    }
    response.responses.push_back(std::move(answer));
  }
  if (request.acks == 0) {
    // Nobody reads an answer: a closed connection is the only way to make the client look at its metadata.
    if (failed) context.close_connection();
    co_return std::optional<Response>();
  }
  co_return std::optional<Response>(std::move(response));
}

const HandlerEntry kProduce = make_handler<ProduceHandler>();

}  // namespace milena::broker
